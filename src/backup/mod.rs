//! Backups: one age-encrypted file with everything that makes this appliance, and the way back from it.
//!
//! What age encrypts is a tar file, so that `age -d FILE | tar t` shows what there is without this program:
//!
//! | entry | what |
//! |---|---|
//! | `manifest.json` | first: versions, the store's tables, where the audit trail stood, and the SHA-256 of every other entry |
//! | `store.redb` | the store as of one moment; secrets in it stay sealed under the master key |
//! | `config.toml` | the settings that differ from the defaults, secrets left out |
//! | `master.key` | only where it was asked for: with it, whoever opens the backup has every secret |
//!
//! The audit trail is not in it: it is neither rolled back nor restored; the manifest says how far it had come. A backup
//! that is opened is believed in nothing: names, sizes and digests are compared with the manifest before anything is used.
//!
//! Source: <https://age-encryption.org/v1>

mod create;
mod error;
mod lock;
mod manifest;
mod restore;
mod shelf;
mod verify;

pub use error::BackupError;
pub use lock::{Lock, Opener, is_recipient};
pub use manifest::{FORMAT, Manifest, Part};
pub use restore::{Restored, Target, restore};
pub use shelf::{ABANDONED, Backups, Kept, Last, Parts, Settings, sweep};
pub use verify::verify;

/// The store in a backup.
const STORE: &str = "store.redb";
/// The settings.
const CONFIG: &str = "config.toml";
/// The master key, as the key file holds it.
const MASTER_KEY: &str = "master.key";
/// What the rest is compared with.
const MANIFEST: &str = "manifest.json";

#[cfg(test)]
mod tests;
