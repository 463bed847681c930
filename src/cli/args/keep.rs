//! `backup …` and `key …`.

use clap::{Args, Subcommand};
use std::path::PathBuf;

/// `backup …`.
#[derive(Debug, Subcommand)]
pub enum BackupCommand {
    /// Make one, while everything goes on.
    Create(BackupCreate),
    /// Those in backup.path, newest first.
    List,
    /// Open one fully without restoring anything.
    Verify(BackupOpen),
    /// Put one in the place of what is here; the appliance must not run.
    Restore(BackupRestore),
    /// Delete one from backup.path.
    Remove {
        /// As in `backup list`.
        name: String,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
}

/// `backup create`.
#[derive(Debug, Args)]
pub struct BackupCreate {
    /// Where to; in backup.path under a name of its own unless given.
    #[arg(long, value_name = "F")]
    pub out: Option<PathBuf>,
    /// Who may open it (age1…); those of backup.recipients unless given. May be given several times.
    #[arg(long = "recipient", value_name = "AGE", conflicts_with = "passphrase_file")]
    pub recipients: Vec<String>,
    /// Whoever knows the passphrase in this file may open it; at least 12 characters.
    #[arg(long, value_name = "F")]
    pub passphrase_file: Option<PathBuf>,
    /// Put the master key in as well: the backup alone then gives every secret back.
    #[arg(long)]
    pub include_master_key: bool,
}

/// `backup verify`.
#[derive(Debug, Args)]
pub struct BackupOpen {
    /// The backup.
    pub file: PathBuf,
    /// A file with an age identity of one of its recipients.
    #[arg(long, value_name = "F", conflicts_with = "passphrase_file")]
    pub identity: Option<PathBuf>,
    /// A file with the passphrase it was made with.
    #[arg(long, value_name = "F")]
    pub passphrase_file: Option<PathBuf>,
}

/// `backup restore`.
#[derive(Debug, Args)]
pub struct BackupRestore {
    /// Which one, and how it is opened.
    #[command(flatten)]
    pub open: BackupOpen,
    /// Restore although the master key its secrets are sealed with is gone: they are removed and have to be entered again.
    #[arg(long)]
    pub without_secrets: bool,
    /// Do not ask.
    #[arg(long)]
    pub yes: bool,
}

/// `key …`.
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Seal every secret in the store under another master key, while everything goes on.
    Rotate {
        /// A file with the new key (32 bytes in base64); a random one unless given.
        #[arg(long, value_name = "F")]
        new_key_file: Option<PathBuf>,
    },
}
