//! What a release says of itself. Read only after its signature held; still every field has its bounds.

use crate::base::clock::Wall;
use crate::update::error::UpdateError;
use crate::update::signature::Keys;
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The shape we read.
pub const FORMAT: u32 = 1;
/// Whose releases we take.
pub const PRODUCT: &str = "routeros-mcp";
/// The largest download, bytes.
pub const ARTIFACT_MAX: u64 = 64 << 20;
/// The largest binary, bytes.
pub const UNPACKED_MAX: u64 = 128 << 20;
/// The most artifacts of a release.
const ARTIFACTS_MAX: usize = 64;

/// `latest.json`.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: u32,
    /// [`PRODUCT`].
    pub product: String,
    /// `stable`, or another that the operator chose.
    pub channel: String,
    /// Rises with every release of a key.
    pub seq: u64,
    /// `0.9.2`.
    pub version: String,
    /// RFC 3339.
    pub released: String,
    /// From then on there is probably a newer one that we do not get to see. Only warns: small boxes have no clock.
    pub stale_after: String,
    /// `security`, `bugfix`, `feature`.
    pub severity: String,
    /// Where the notes are.
    pub notes_url: Option<String>,
    /// The notes in short, for who has no way to the address.
    pub notes: Option<String>,
    /// Older ones go by way of another.
    pub min_from_version: String,
    /// What it reads and writes.
    pub schema: Schema,
    /// A file a target and kind.
    pub artifacts: Vec<Artifact>,
    /// Keys that sign nothing any more; believed of the recovery key only.
    #[serde(default)]
    pub revoked_keys: Vec<String>,
}

/// Schemas of a version.
#[derive(Debug, Clone, Copy, Deserialize, Serialize)]
pub struct Schema {
    /// Of the store it writes.
    pub store: u32,
    /// The oldest store it reads.
    pub store_min_readable: u32,
    /// Of the configuration.
    pub config: u32,
}

/// One file of a release.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub struct Artifact {
    /// Rust's name of the machine, or the package manager's.
    pub target: String,
    /// `bin` (a binary, gzipped or as it is) and `tar` (a .tar.gz) are ours to take; packages and bills of materials are not.
    pub kind: String,
    /// Absolute, or beside the manifest.
    pub url: String,
    /// Bytes.
    pub size: u64,
    /// Bytes of the binary in it.
    #[serde(default)]
    pub unpacked_size: u64,
    /// 64 hexadecimal digits.
    pub sha256: String,
}

/// For whom a release has to be.
#[derive(Debug, Clone)]
pub struct Here {
    /// The version that runs.
    pub version: String,
    /// The target it was built for.
    pub target: String,
    /// Which releases the operator takes.
    pub channel: String,
    /// The schema of the store.
    pub store_schema: u32,
}

/// What was seen before. Root has its own, which the service cannot write.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Seen {
    /// By key id: the highest `seq`, and the digest of the manifest that had it.
    pub seq: BTreeMap<String, (u64, String)>,
    /// Ids of keys that count no more.
    pub revoked: BTreeSet<String>,
}

/// A release that a key vouches for and that is for us.
#[derive(Debug, Clone)]
pub struct Release {
    /// What it says.
    pub manifest: Manifest,
    /// The file for us.
    pub artifact: Artifact,
    /// Who signed.
    pub key_id: String,
    /// SHA-256 of the manifest: what a confirmation is bound to.
    pub digest: String,
}

impl Release {
    /// Opens a manifest. The signature comes first; nothing unsigned is parsed.
    pub fn open(manifest: &[u8], signature: &[u8], keys: &Keys, seen: &mut Seen, here: &Here) -> Result<Release, UpdateError> {
        let key = keys.verify(manifest, signature, &seen.revoked)?;
        let digest = crate::base::ids::hex(digest(&SHA256, manifest).as_ref());
        let manifest = parse(manifest)?;
        if key.is_recovery {
            // Believed even when the release itself is not for us.
            seen.revoked.extend(manifest.revoked_keys.iter().filter(|id| **id != key.id).cloned());
        }
        if let Some((seq, known)) = seen.seq.get(&key.id)
            && (manifest.seq < *seq || (manifest.seq == *seq && *known != digest))
        {
            return Err(UpdateError::refused(format!(
                "it is number {} of its key, and number {seq} was seen before: an old release put back",
                manifest.seq
            )));
        }
        judge(&manifest, here)?;
        let artifact = artifact(&manifest, &here.target)?;
        seen.seq.insert(key.id.clone(), (manifest.seq, digest.clone()));
        Ok(Release { artifact, key_id: key.id.clone(), digest, manifest })
    }

    /// Whether it is older than its maker thought it would ever be.
    pub fn is_stale(&self, now: Wall) -> bool {
        Wall::parse(&self.manifest.stale_after).is_some_and(|after| now.is_plausible() && now.0 > after.0)
    }
}

/// What a manifest says that somebody signed, for the fuzz targets: nobody else reads one without looking at its signature.
#[cfg(any(test, feature = "fuzz"))]
pub(crate) fn read(bytes: &[u8], here: &Here) -> Result<(Manifest, Artifact), UpdateError> {
    let manifest = parse(bytes)?;
    judge(&manifest, here)?;
    let artifact = artifact(&manifest, &here.target)?;
    Ok((manifest, artifact))
}

fn parse(bytes: &[u8]) -> Result<Manifest, UpdateError> {
    #[derive(Deserialize)]
    struct Format {
        format: u32,
    }
    let unreadable = |_| UpdateError::refused("its manifest cannot be read");
    let Format { format } = serde_json::from_slice(bytes).map_err(unreadable)?;
    if format != FORMAT {
        return Err(UpdateError::refused(format!("its manifest has format {format}, and this version reads {FORMAT}: install it by hand")));
    }
    serde_json::from_slice(bytes).map_err(unreadable)
}

fn judge(manifest: &Manifest, here: &Here) -> Result<(), UpdateError> {
    let no = |why: String| Err(UpdateError::Refused(why));
    if manifest.product != PRODUCT {
        return no(format!("it is a release of {:.40}", clean(&manifest.product)));
    }
    if manifest.channel != here.channel {
        return no(format!("it is of the channel {:.40}, and update.channel is {}", clean(&manifest.channel), here.channel));
    }
    if !is_version(&manifest.version) {
        return no("its version is none".into());
    }
    let [text, word] = [manifest.notes.as_deref().unwrap_or_default(), manifest.severity.as_str()];
    if text.len() > 8 * 1024 || word.len() > 40 || manifest.notes_url.as_ref().is_some_and(|url| url.len() > 500) {
        return no("its notes are too long".into());
    }
    for at in [&manifest.released, &manifest.stale_after] {
        if Wall::parse(at).is_none() {
            return no("its times cannot be read".into());
        }
    }
    let newer =
        |one: &str, than: &str| self_update::version::bump_is_greater(than, one).map_err(|_| UpdateError::refused("its version is none"));
    if !newer(&manifest.version, &here.version)? {
        return Err(UpdateError::NotNewer { offered: manifest.version.clone(), runs: here.version.clone() });
    }
    if newer(&manifest.min_from_version, &here.version)? {
        return no(format!(
            "it takes version {} at least, and {} runs here: install one between them first",
            manifest.min_from_version, here.version
        ));
    }
    if here.store_schema < manifest.schema.store_min_readable || here.store_schema > manifest.schema.store {
        return no(format!("it cannot read this store (schema {})", here.store_schema));
    }
    Ok(())
}

fn artifact(manifest: &Manifest, target: &str) -> Result<Artifact, UpdateError> {
    if manifest.artifacts.len() > ARTIFACTS_MAX {
        return Err(UpdateError::refused("it has too many files"));
    }
    let ours = |artifact: &&Artifact| artifact.target == target && matches!(artifact.kind.as_str(), "bin" | "tar");
    let mut fitting = manifest.artifacts.iter().filter(ours);
    let Some(artifact) = fitting.next() else {
        return Err(UpdateError::refused(format!("it has nothing for this machine ({target})")));
    };
    let whole = artifact.size > 0 && artifact.size <= ARTIFACT_MAX && artifact.unpacked_size > 0 && artifact.unpacked_size <= UNPACKED_MAX;
    let digest = artifact.sha256.len() == 64 && artifact.sha256.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if !whole || !digest || artifact.url.len() > 500 || artifact.file_name().is_none() || fitting.next().is_some() {
        return Err(UpdateError::refused("what it says of the file for this machine cannot be"));
    }
    Ok(artifact.clone())
}

impl Artifact {
    /// Its name in a bundle: the last part of its address.
    pub fn file_name(&self) -> Option<&str> {
        let name = self.url.rsplit('/').next()?;
        let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_+".contains(&byte));
        (plain && !name.is_empty() && !name.starts_with('.')).then_some(name)
    }
}

/// Digits and dots, perhaps with `-rc.1`: also the name of a directory.
pub fn is_version(text: &str) -> bool {
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte));
    plain && text.len() <= 40 && text.starts_with(|c: char| c.is_ascii_digit()) && self_update::version::cmp_versions(text, text).is_ok()
}

fn clean(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}
