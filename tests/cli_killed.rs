//! The real program, killed in the middle of what takes its time: nothing is lost, and the next one goes on.

use crate::cli_rig::{PATIENCE, Rig};
use age::secrecy::ExposeSecret;
use rustix::process::Signal;
use serde_json::Value;
use std::path::Path;
use std::time::Instant;

const SECRETS: usize = 12;
const ROUNDS: usize = 6;

/// A machine whose store holds something sealed.
fn rig() -> Rig {
    let rig = Rig::new();
    let daemon = rig.serve();
    for n in 0..SECRETS {
        let value = rig.file(&format!("value-{n}"), format!("sealed value {n}\n"));
        rig.json(&["secret", "set", &format!("s{n}"), "--value-file", &value, "--menu", "/ppp/secret", "--device", "all"]);
    }
    assert_eq!(daemon.end_with(Signal::TERM).code, 0);
    rig
}

/// Runs a command and kills it as soon as `is_midst` holds; answers whether it was still there.
fn killed(rig: &Rig, arguments: &[&str], is_midst: impl Fn() -> bool) -> bool {
    let mut child = rig.command(arguments).spawn().unwrap();
    let began = Instant::now();
    while !is_midst() && child.try_wait().unwrap().is_none() {
        assert!(began.elapsed() < PATIENCE, "neither in the middle nor done");
        std::thread::yield_now();
    }
    // Does nothing to one that has ended.
    let _ = child.kill();
    std::os::unix::process::ExitStatusExt::signal(&child.wait().unwrap()) == Some(Signal::KILL.as_raw())
}

fn whole(rig: &Rig) {
    assert_eq!(rig.json(&["secret", "list"]).as_array().map(Vec::len), Some(SECRETS));
    assert_eq!(rig.json(&["audit", "verify"])["ok"], true);
}

#[test]
fn a_change_of_the_master_key_that_is_killed_is_ended_by_the_next_start() {
    let rig = rig();
    let next = rig.state().join("master.key.next");
    let key = || std::fs::read(rig.state().join("master.key")).unwrap();
    let (mut cut, mut changed) = (0, 0);
    for _ in 0..ROUNDS {
        let before = key();
        cut += u32::from(killed(&rig, &["key", "rotate"], || next.exists()));
        whole(&rig);
        assert!(!next.exists(), "the next start ended it");
        changed += u32::from(key() != before);
    }
    println!("{cut} of {ROUNDS} changes were killed, {changed} keys were changed, everything opens");
    assert!(cut > 0 && changed > 0, "{cut} killed, {changed} changed");
    assert_ne!(rig.json(&["key", "rotate"])["key_id"], Value::Null);
    whole(&rig);
}

/// What a backup is made of on the way, by name.
fn scratch(dir: &Path) -> Vec<String> {
    let names = std::fs::read_dir(dir).into_iter().flatten().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with(".store-") || name.starts_with(".backup-")).collect()
}

#[test]
fn a_backup_that_is_killed_leaves_no_file_under_its_name_and_the_next_one_is_whole() {
    let (rig, identity) = (rig(), age::x25519::Identity::generate());
    let recipient = identity.to_public().to_string();
    let keys = rig.file("keys", identity.to_string().expose_secret());
    let (made, out) = (rig.state().join("backups"), rig.at("out"));
    std::fs::create_dir(&out).unwrap();
    let mut cut = 0;
    for round in 0..ROUNDS {
        let to = out.join(format!("{round}.age"));
        let (path, kind) = (to.to_string_lossy().into_owned(), [".store-", ".backup-"][round % 2]);
        let command = ["backup", "create", "--out", &path, "--recipient", &recipient];
        cut += u32::from(killed(&rig, &command, || scratch(&made).iter().any(|name| name.starts_with(kind))));
        if to.exists() {
            rig.json(&["backup", "verify", &path, "--identity", &keys]);
        }
    }
    println!("{cut} of {ROUNDS} backups were killed");
    assert!(cut > 0);
    whole(&rig);
    let last = out.join("last.age").to_string_lossy().into_owned();
    rig.json(&["backup", "create", "--out", &last, "--recipient", &recipient]);
    rig.json(&["backup", "verify", &last, "--identity", &keys]);
    assert_eq!(scratch(&made), [] as [String; 0], "what was cut off is cleared away by the next one");
}
