//! Every seed and every input that once broke a promise, and made-up ones with a fixed start: without a fuzzer, in seconds.

use super::{Mutator, Samples, TARGETS, found, target};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

/// Made-up inputs of a target.
const MADE_UP: usize = 1_500;
/// A target that is slow by itself (files, a whole front) stops after so long, but not before a tenth of them.
const LONG_ENOUGH: Duration = Duration::from_secs(4);
/// Seconds to go on for instead, and another start; for somebody who looks for more without libFuzzer.
const LONGER: (&str, &str) = ("FUZZ_SECONDS", "FUZZ_START");
/// No input takes so long, even where others use the machine.
const HANGS: Duration = Duration::from_secs(20);

/// Runs a target on everything there is, and says how much that was.
fn holds(name: &str) {
    let target = target(name).unwrap();
    let samples = Samples::find();
    if !samples.are_here() {
        eprintln!("no recorded samples of routers here: {name} begins with its own seeds alone");
    }
    let (seeds, found) = ((target.seeds)(&samples), found(name));
    let own = (target.seeds)(&Samples::none()).len();
    assert!(own >= 3 && seeds.len() >= own, "{own} seeds of its own, {} in all", seeds.len());
    let check = |what: &str, input: &[u8]| {
        let began = Instant::now();
        let held = catch_unwind(AssertUnwindSafe(|| (target.check)(input)));
        assert!(held.is_ok(), "{name}: {what} breaks a promise: {:?}", String::from_utf8_lossy(input));
        assert!(began.elapsed() < HANGS, "{name}: {what} took {:?}", began.elapsed());
    };
    seeds.iter().enumerate().for_each(|(nth, seed)| check(&format!("seed {nth}"), seed));
    found.iter().for_each(|(file, input)| check(file, input));
    let number = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
    let (longer, start) = (number(LONGER.0).map(Duration::from_secs), number(LONGER.1).unwrap_or(8));
    let (mut mutator, began, mut made_up) = (Mutator::new(start, &seeds, target.words, target.longest), Instant::now(), 0);
    let goes_on = |made_up: usize| match longer {
        Some(longer) => began.elapsed() < longer,
        None => made_up < MADE_UP && (made_up < MADE_UP / 10 || began.elapsed() < LONG_ENOUGH),
    };
    while goes_on(made_up) {
        check(&format!("made-up input {made_up}"), &mutator.next_input());
        made_up += 1;
    }
    println!("{name}: {} seeds, {} once broken, {made_up} made up: all hold", seeds.len(), found.len());
}

#[test]
fn rest_answers_are_rows_or_refused() {
    holds("rest");
}

#[test]
fn console_output_is_rows_or_a_refusal() {
    holds("console");
}

#[test]
fn exports_lose_nothing() {
    holds("export");
}

#[test]
fn quoted_text_stays_in_its_quotes() {
    holds("quoting");
}

#[test]
fn every_message_on_a_pipe_has_its_answer() {
    holds("jsonrpc");
}

#[test]
fn no_token_is_believed_but_a_signed_one() {
    holds("jwt");
}

#[test]
fn no_release_is_believed_but_a_signed_one() {
    holds("manifest");
}

#[test]
fn archives_write_nothing_elsewhere() {
    holds("release");
}

#[test]
fn configuration_is_read_without_telling_secrets() {
    holds("config");
}

#[test]
fn a_changed_trail_is_never_called_whole() {
    holds("audit");
}

#[test]
fn neighbours_are_heard_in_bounds() {
    holds("mndp");
}

#[test]
fn every_target_has_its_test_here_and_every_finding_its_target() {
    let this = include_str!("tests.rs");
    for target in TARGETS {
        assert!(this.contains(&format!("holds(\"{}\")", target.name)), "{} has no test", target.name);
    }
    let found = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/found");
    for dir in std::fs::read_dir(found).into_iter().flatten().flatten().filter(|entry| entry.path().is_dir()) {
        assert!(target(&dir.file_name().to_string_lossy()).is_some(), "{:?} is kept for no target", dir.path());
    }
}

#[test]
fn made_up_inputs_are_the_same_each_time_and_not_the_seeds() {
    let seeds = vec![b"{\"a\":\"b\"}".to_vec(), vec![7; 3_000]];
    let all = |start| {
        let mut mutator = Mutator::new(start, &seeds, &["word"], 2_000);
        (0..200).map(|_| mutator.next_input()).collect::<Vec<_>>()
    };
    assert_eq!(all(1), all(1));
    assert_ne!(all(1), all(2));
    assert!(all(1).iter().all(|input| input.len() <= 2_000));
    assert!(all(1).iter().filter(|input| !seeds.contains(input)).count() > 150);
}
