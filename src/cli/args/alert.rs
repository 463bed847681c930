//! `alert …`: what is told, where it goes, and whether it arrives.

use clap::{Args, Subcommand};
use std::path::PathBuf;

/// `alert …`.
#[derive(Debug, Subcommand)]
pub enum AlertCommand {
    /// Alerts that last, the worst first, then the latest that are over.
    List {
        /// Only those that last.
        #[arg(long, conflicts_with = "over")]
        live: bool,
        /// Only those that are over.
        #[arg(long)]
        over: bool,
    },
    /// Where alerts go and how that does, and when each kind is told.
    Status,
    /// Send a test through each channel now, and say what came back.
    Test,
    /// Seal the secret that signs messages of the webhook, in place of the one there.
    SetSecret(AlertSecret),
}

/// `alert set-secret`. On a terminal the secret is asked for.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub struct AlertSecret {
    /// Read the secret from a file (first line), mode 0600.
    #[arg(long, value_name = "FILE")]
    pub value_file: Option<PathBuf>,
    /// Read the secret from standard input (first line).
    #[arg(long)]
    pub value_stdin: bool,
}
