//! A release in one file, for boxes without a way out: a tar of `latest.json`, `latest.json.minisig` and the artifact. Read
//! in two goes: who signed it first, then the one file that the signature names.

use crate::update::error::UpdateError;
use crate::update::manifest::{ARTIFACT_MAX, Artifact};
use crate::update::signature::{MANIFEST_MAX, SIGNATURE_MAX};
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// The largest bundle, bytes.
pub const BUNDLE_MAX: u64 = ARTIFACT_MAX + (1 << 20);
/// The manifest's name in it, and at the release endpoint.
pub const MANIFEST: &str = "latest.json";
/// Its signature's.
pub const SIGNATURE: &str = "latest.json.minisig";
/// The most entries.
const ENTRIES_MAX: usize = 16;

/// Manifest and signature, unread.
pub fn head(bundle: &Path) -> Result<(Vec<u8>, Vec<u8>), UpdateError> {
    let (mut manifest, mut signature) = (None, None);
    each(bundle, |name, entry| {
        let (into, most) = match name {
            MANIFEST => (&mut manifest, MANIFEST_MAX),
            SIGNATURE => (&mut signature, SIGNATURE_MAX),
            _ => return Ok(()),
        };
        let mut bytes = Vec::new();
        // One more than it may have, so that too much is seen by who checks.
        entry.take(most as u64 + 1).read_to_end(&mut bytes).map_err(|_| broken())?;
        if into.replace(bytes).is_some() {
            return Err(UpdateError::refused(format!("the bundle has {name} twice")));
        }
        Ok(())
    })?;
    let missing = |name: &str| UpdateError::refused(format!("the bundle has no {name}"));
    Ok((manifest.ok_or_else(|| missing(MANIFEST))?, signature.ok_or_else(|| missing(SIGNATURE))?))
}

/// The artifact, into a new file.
pub fn take(bundle: &Path, artifact: &Artifact, to: &Path) -> Result<(), UpdateError> {
    let wanted = artifact.file_name().unwrap_or_default();
    let mut found = false;
    each(bundle, |name, entry| {
        if name != wanted {
            return Ok(());
        }
        if std::mem::replace(&mut found, true) {
            return Err(UpdateError::refused(format!("the bundle has {name} twice")));
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to).map_err(UpdateError::io("writing", to))?;
        io::copy(&mut entry.take(artifact.size + 1), &mut file).map_err(UpdateError::io("writing", to))?;
        file.sync_all().map_err(UpdateError::io("writing", to))
    })?;
    if found { Ok(()) } else { Err(UpdateError::refused(format!("the bundle has no {wanted}"))) }
}

fn each(bundle: &Path, mut take: impl FnMut(&str, &mut dyn Read) -> Result<(), UpdateError>) -> Result<(), UpdateError> {
    let file = File::open(bundle).map_err(UpdateError::io("reading", bundle))?;
    if file.metadata().map_err(UpdateError::io("reading", bundle))?.len() > BUNDLE_MAX {
        return Err(UpdateError::refused(format!("the bundle is larger than {} MB", BUNDLE_MAX >> 20)));
    }
    let mut archive = tar::Archive::new(file);
    for (count, entry) in archive.entries().map_err(|_| broken())?.enumerate() {
        let mut entry = entry.map_err(|_| broken())?;
        if count >= ENTRIES_MAX || !entry.header().entry_type().is_file() {
            return Err(UpdateError::refused("the bundle has something in it that does not belong there"));
        }
        let name = entry.path().map_err(|_| broken())?.to_string_lossy().into_owned();
        take(name.strip_prefix("./").unwrap_or(&name), &mut entry)?;
    }
    Ok(())
}

fn broken() -> UpdateError {
    UpdateError::refused("the bundle cannot be read: it is no tar file, or broke off")
}
