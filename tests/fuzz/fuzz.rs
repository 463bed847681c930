//! libFuzzer around the targets of `src/fuzz/`. `FUZZ_TARGET` names one; with `FUZZ_SEEDS` its seeds and words are written to
//! that directory instead, and nothing is run. `scripts/fuzz` calls it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use routeros_mcp::fuzz::{Samples, TARGETS, Target, found, target};
use std::path::Path;
use std::sync::OnceLock;
use std::{env, fs, process};

static CHOSEN: OnceLock<&Target> = OnceLock::new();

fuzz_target!(init: choose(), |data: &[u8]| {
    if let Some(target) = CHOSEN.get() {
        (target.check)(data);
    }
});

fn choose() {
    let name = env::var("FUZZ_TARGET").unwrap_or_default();
    let Some(target) = target(&name) else {
        let names: Vec<String> = TARGETS.iter().map(|target| format!("{}  {}", target.name, target.about)).collect();
        eprintln!("FUZZ_TARGET is one of:\n{}", names.join("\n"));
        process::exit(64);
    };
    if let Ok(dir) = env::var("FUZZ_SEEDS") {
        match lay_down(target, Path::new(&dir)) {
            Ok(()) => process::exit(0),
            Err(error) => {
                eprintln!("seeds for {name}: {error}");
                process::exit(74);
            }
        }
    }
    let _ = CHOSEN.set(target);
}

/// Seeds in `seeds/`, pieces of inputs in `words`, and the longest input in `longest`.
fn lay_down(target: &Target, dir: &Path) -> std::io::Result<()> {
    let samples = Samples::find();
    if !samples.are_here() {
        eprintln!("{}: no recorded samples of routers here; it begins with its own seeds alone", target.name);
    }
    let seeds = dir.join("seeds");
    fs::create_dir_all(&seeds)?;
    let known = found(target.name).into_iter().map(|(_, input)| input);
    for (nth, seed) in (target.seeds)(&samples).into_iter().chain(known).enumerate() {
        fs::write(seeds.join(format!("{nth:04}")), seed)?;
    }
    let plain = |byte: u8| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("\\x{byte:02x}") };
    let words = target.words.iter().map(|word| format!("\"{}\"\n", word.bytes().map(plain).collect::<String>()));
    fs::write(dir.join("words"), words.collect::<String>())?;
    fs::write(dir.join("longest"), target.longest.to_string())
}
