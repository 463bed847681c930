//! `update …`: another version of this program.

use crate::cli::args::PersonPassword;
use clap::{Args, Subcommand};
use std::ffi::OsString;
use std::path::PathBuf;

/// `update …`.
#[derive(Debug, Subcommand)]
pub enum UpdateCommand {
    /// Which version runs, which is newer, what lies ready, and how the last update went.
    Status,
    /// Look for a newer version.
    Check,
    /// Fetch a version and try it out on copies; it then waits for `update apply`.
    Stage {
        /// A bundle with everything in it, instead of fetching: no way out is needed.
        #[arg(long, value_name = "BUNDLE")]
        file: Option<PathBuf>,
    },
    /// Switch to a version; it goes back by itself when it does not stand.
    Apply(UpdateApply),
    /// Go back to the version before the last update.
    #[command(name = "rollback")]
    RollBack {
        /// Who decides.
        #[command(flatten)]
        person: UpdatePerson,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
    /// Start the version in place as a child until it is kept: what a lone file becomes when it was replaced.
    #[command(hide = true)]
    StandBy {
        /// The directory of versions.
        #[arg(long, value_name = "DIR")]
        versions: PathBuf,
        /// The lone file that is a copy of the version in place.
        #[arg(long, value_name = "FILE")]
        copy: Option<PathBuf>,
        /// What the version in place is started with.
        #[arg(last = true)]
        arguments: Vec<OsString>,
    },
    /// Verify what the service asks for, and switch to it: for root's unit.
    #[command(hide = true)]
    HandOver {
        /// The directory of versions.
        #[arg(long, value_name = "DIR")]
        versions: PathBuf,
        /// Where the service writes its request.
        #[arg(long, value_name = "DIR")]
        requests: PathBuf,
    },
}

/// `update apply`.
#[derive(Debug, Args)]
pub struct UpdateApply {
    /// The version to switch to; the one in the bundle where a file is given.
    pub version: Option<String>,
    /// A bundle with everything in it, instead of fetching: no way out is needed.
    #[arg(long, value_name = "BUNDLE")]
    pub file: Option<PathBuf>,
    /// The digest that was looked at.
    #[arg(long, value_name = "SHORT")]
    pub digest: Option<String>,
    /// Who decides.
    #[command(flatten)]
    pub person: UpdatePerson,
    /// Do not ask for the version to be typed.
    #[arg(long)]
    pub yes: bool,
}

/// Who decides.
#[derive(Debug, Args)]
pub struct UpdatePerson {
    /// The local user who decides.
    #[arg(long, value_name = "U")]
    pub user: Option<String>,
    /// Where their password comes from.
    #[command(flatten)]
    pub password: PersonPassword,
}
