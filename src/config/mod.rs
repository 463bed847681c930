//! The configuration: one file, what the environment and flags put over it, and everything that is wrong with it at once.
//!
//! `keys.rs` is the one list of keys; reading, defaults, environment names, ranges, the example file and `config show` come from it.
//! Order, the last wins: `config.toml`, `config.<environment>.toml` beside it, environment variables, flags.

mod checks;
mod environ;
mod file;
mod key;
mod keys;
mod load;
mod merge;
mod node;
mod report;
mod secrets;
pub mod sections;
mod show;
mod value;

pub use checks::DISABLE_TOOLS;
pub use key::{Item, Key, Kind, Standard, Strict};
pub use keys::{KEYS, find};
pub use load::{Inputs, Loaded, load};
pub use report::{Problem, Problems, Source, Weight};
pub use sections::Config;
pub use show::{default_file, defaults, portable, show, shown};
pub use value::is_loopback;

use crate::base::tier::Environment;
use std::path::PathBuf;

/// The effective configuration as `config show` prints it; secrets are masked already.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// The environment everything was read for.
    pub environment: Environment,
    /// Files that were read, in order.
    pub files: Vec<PathBuf>,
    /// The state directory.
    pub state_dir: PathBuf,
    /// The runtime directory.
    pub runtime_dir: PathBuf,
    /// Every key, in the order of the list.
    pub entries: Vec<Entry>,
}

/// One key with its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its full name.
    pub key: &'static str,
    /// Its value; `"•••"` for a secret that is set, `null` for what is not set.
    pub value: serde_json::Value,
    /// The value as a file would have it.
    pub value_shown: String,
    /// Where it comes from.
    pub source: Source,
}

/// Reads the configuration and gives only what is wrong with it, errors first. Empty means that all is well.
pub fn check(inputs: &Inputs) -> Vec<Problem> {
    match load(inputs) {
        Ok(loaded) => loaded.warnings,
        Err(problems) => problems.list,
    }
}
