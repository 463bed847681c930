//! What must hold for any bytes: a function for each reader of foreign bytes, which takes an input and panics where a promise
//! is broken.
//!
//! The fuzzer in `tests/fuzz/` (`scripts/fuzz`) looks for inputs that break one; the unit tests here run every seed, every
//! input that once did, and some thousands of made-up ones with a fixed start. In no build that goes out.
//!
//! A promise is more than not to panic: what is written reads back the same, a second reader of our own agrees with the first,
//! what is refused is refused in our words, nothing grows beyond its input, and nothing unsigned or changed is believed.

mod audit;
mod config;
mod console;
mod export;
mod jsonrpc;
mod jwt;
mod manifest;
mod mndp;
mod mutate;
mod quoting;
mod release;
mod rest;
mod seeds;
#[cfg(test)]
mod tests;

pub use mutate::Mutator;
pub use seeds::{Samples, found};

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// One reader of foreign bytes, and what it promises.
#[derive(Clone, Copy)]
pub struct Target {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it takes.
    pub about: &'static str,
    /// The longest input that is tried, bytes.
    pub longest: usize,
    /// Panics when a promise does not hold for these bytes.
    pub check: fn(&[u8]),
    /// Inputs to begin with.
    pub seeds: fn(&Samples) -> Vec<Vec<u8>>,
    /// Pieces that inputs are made of.
    pub words: &'static [&'static str],
}

/// All of them; those that read what routers say come first.
pub const TARGETS: &[Target] = &[
    rest::TARGET,
    console::TARGET,
    export::TARGET,
    quoting::TARGET,
    jsonrpc::TARGET,
    jwt::TARGET,
    manifest::TARGET,
    release::TARGET,
    config::TARGET,
    audit::TARGET,
    mndp::TARGET,
];

/// The target of a name.
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}

/// Takes pieces off the front of an input; behind its end there are zeros.
struct Pieces<'d>(&'d [u8]);

impl<'d> Pieces<'d> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    fn word(&mut self) -> usize {
        usize::from(u16::from_le_bytes([self.byte(), self.byte()]))
    }

    /// At most so many bytes.
    fn take(&mut self, most: usize) -> &'d [u8] {
        let (taken, rest) = self.0.split_at(most.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// A length of one byte, and as many bytes.
    fn short(&mut self) -> &'d [u8] {
        let length = usize::from(self.byte());
        self.take(length)
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A directory of this thread's own, for readers that read files.
struct Scratch(PathBuf);

static SCRATCHES: AtomicU64 = AtomicU64::new(0);

impl Scratch {
    fn new() -> Scratch {
        let name = format!("routeros-mcp-fuzz-{}-{}", std::process::id(), SCRATCHES.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).expect("there is room for files to try");
        Scratch(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

thread_local! {
    static SCRATCH: RefCell<Option<Scratch>> = const { RefCell::new(None) };
}

/// Does something in an empty directory, which is the same one each time.
fn in_scratch<T>(work: impl FnOnce(&Path) -> T) -> T {
    SCRATCH.with(|scratch| {
        let mut scratch = scratch.borrow_mut();
        let dir = scratch.get_or_insert_with(Scratch::new);
        for entry in std::fs::read_dir(&dir.0).expect("the directory is ours").flatten() {
            let path = entry.path();
            let is_dir = entry.file_type().is_ok_and(|kind| kind.is_dir());
            let _ = if is_dir { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
        }
        work(&dir.0)
    })
}

/// A message that people read: ours, so one line without anything unseen in it, and not endless.
fn is_fit_to_say(text: &str) {
    assert!(!text.chars().any(char::is_control), "control characters in what is said: {text:?}");
    assert!(text.len() <= 2_000, "{} bytes are said", text.len());
}
