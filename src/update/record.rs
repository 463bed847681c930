//! What the store keeps of updates: what was found, what lies ready, what a person confirmed, and how it went.

use crate::base::clock::Wall;
use crate::update::manifest::{Release, Seen};
use serde::{Deserialize, Serialize};

/// All of it, one record: there is one release to decide about at a time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// The service's own ratchet; root has another.
    pub seen: Seen,
    /// The last look at where releases are.
    pub looked: Option<Looked>,
    /// The newest version that was found, newer than what ran then.
    pub offer: Option<Offer>,
    /// What lies ready and waits for a person.
    pub staged: Option<Staged>,
    /// What a person confirmed, until it is known how it went.
    pub confirmed: Option<Confirmed>,
    /// How the last one went.
    pub last: Option<Ended>,
}

impl crate::store::Record for State {
    const TABLE: &'static str = "update";
    const VERSION: u8 = 1;
}

#[cfg(test)]
crate::store::golden!(State);

/// The only key of [`State`].
pub const KEY: &str = "state";

/// A look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Looked {
    /// When.
    pub at: Wall,
    /// What went wrong, if something did.
    pub failed: Option<String>,
}

/// A release, as a person reads it before deciding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// `0.9.2`.
    pub version: String,
    /// `security`, `bugfix`, `feature`.
    pub severity: String,
    /// In short.
    pub notes: Option<String>,
    /// Where the whole notes are.
    pub notes_url: Option<String>,
    /// RFC 3339.
    pub released: String,
    /// From then on there is probably a newer one.
    pub stale_after: String,
    /// Bytes to fetch.
    pub size: u64,
    /// The schema it brings the store to.
    pub store_schema: u32,
    /// Who signed.
    pub key_id: String,
    /// SHA-256 of the manifest: what a confirmation is bound to.
    pub digest: String,
}

impl Offer {
    /// Of a release that was opened.
    pub fn of(release: &Release) -> Offer {
        let manifest = &release.manifest;
        Offer {
            version: manifest.version.clone(),
            severity: manifest.severity.clone(),
            notes: manifest.notes.clone(),
            notes_url: manifest.notes_url.clone(),
            released: manifest.released.clone(),
            stale_after: manifest.stale_after.clone(),
            size: release.artifact.size,
            store_schema: manifest.schema.store,
            key_id: release.key_id.clone(),
            digest: release.digest.clone(),
        }
    }
}

/// A release that lies on the disk, whole, and that started on copies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Staged {
    /// Names its directory.
    pub id: String,
    /// What it is.
    pub offer: Offer,
    /// Since when; it waits for a day.
    pub at: Wall,
    /// Whether it came as a file.
    pub is_from_file: bool,
}

/// A person's word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmed {
    /// The id of what was staged: notes of whoever switches bear it too.
    pub id: String,
    /// The version that ran.
    pub from: String,
    /// The version that shall run.
    pub to: String,
    /// SHA-256 of the manifest.
    pub digest: String,
    /// Who.
    pub by: String,
    /// When.
    pub at: Wall,
    /// Whether a router could be reached: then one has to be reachable afterwards.
    pub had_routers: bool,
    /// The schema of the store before.
    pub schema_before: u32,
    /// And after.
    pub schema_after: u32,
}

/// How one went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// What was confirmed.
    pub of: Confirmed,
    /// How.
    pub how: How,
    /// Why, where it was not kept.
    pub why: Option<String>,
    /// When that was seen.
    pub at: Wall,
    /// Whether the audit trail has it.
    pub is_told: bool,
}

/// The ends there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum How {
    /// The new version proved itself.
    Kept,
    /// The version before runs again.
    RolledBack,
    /// Nothing was switched.
    Failed,
}

impl How {
    /// For answers and the trail.
    pub fn as_str(self) -> &'static str {
        match self {
            How::Kept => "kept",
            How::RolledBack => "rolled_back",
            How::Failed => "failed",
        }
    }
}
