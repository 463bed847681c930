//! `update …`: another version of this program.

use clap::Subcommand;
use std::path::PathBuf;

/// `update …`.
#[derive(Debug, Subcommand)]
pub enum UpdateCommand {
    /// Verify what the service asks for, and switch to it: for root's unit.
    HandOver {
        /// The directory of versions.
        #[arg(long, value_name = "DIR")]
        versions: PathBuf,
        /// Where the service writes its request.
        #[arg(long, value_name = "DIR")]
        requests: PathBuf,
    },
}
