//! What is done by whoever owns the directory of versions: root's unit, or the appliance itself where it owns it.
//!
//! The service writes `request.json`; it is not believed. What it names is copied to where the service cannot write, the copy
//! is verified with the signature and root's own ratchet, and only then switched to.

use crate::update::bundle::{MANIFEST, SIGNATURE};
use crate::update::disk::Real;
use crate::update::error::UpdateError;
use crate::update::manifest::{Here, Release, is_version};
use crate::update::signature::{Keys, MANIFEST_MAX, SIGNATURE_MAX};
use crate::update::snapshot::ASKED;
use crate::update::stage;
use crate::update::swap::{Layout, Turn};
use serde::{Deserialize, Serialize};
use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// The name of the request, below the service's `update/`.
pub const REQUEST: &str = "request.json";
/// Where root copies what it looks at, beside the versions.
const INCOMING: &str = "incoming";
/// Locked, beside the versions, for as long as root is at a request: a lock ends with the power, whatever else is left.
const BUSY: &str = "busy";
/// The longest request, bytes.
const REQUEST_MAX: u64 = 16 * 1024;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// What to do.
    pub act: Act,
    /// Names the directory below `staged/`, and ties notes together: hexadecimal digits.
    pub id: String,
    /// SHA-256 of the manifest that the operator confirmed.
    pub digest: String,
    /// The version that the operator typed.
    pub version: String,
    /// Who that was.
    pub by: String,
}

/// What root is asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// Switch to what is staged.
    Apply,
    /// The new version has proved itself.
    Commit,
    /// Back to the one before.
    RollBack,
}

/// Does what `request.json` in `update` asks for, and takes it away. What is refused is written beside the versions.
///
/// `judge` says whose signature counts, and for whom a release has to be; when it cannot, that is the answer.
pub fn answer(layout: &Layout, update: &Path, judge: impl FnOnce() -> Result<(Keys, Here), UpdateError>) -> Result<(), UpdateError> {
    // Before the request is gone: the service must not take it for one that came to nothing.
    let _busy = hold(layout).inspect_err(|error| tracing::warn!(%error, "the service does not see that root is at it")).ok();
    let path = update.join(REQUEST);
    let read = bounded(&path, REQUEST_MAX)
        .and_then(|bytes| serde_json::from_slice::<Request>(&bytes).map_err(|_| UpdateError::refused("the request cannot be read")));
    // Once only, whatever comes of it: a unit that is started for a file must not find it again, nor a directory of that name.
    match fs::symlink_metadata(&path).is_ok_and(|meta| meta.is_dir()) {
        true => fs::remove_dir_all(&path),
        false => fs::remove_file(&path),
    }
    .map_err(UpdateError::io("removing", &path))?;
    read.and_then(|request| {
        judge().and_then(|(keys, here)| act(layout, update, &keys, &here, &request)).inspect_err(|error| {
            // The service reads there why nothing happened.
            let _ = layout.refuse(&mut Real, &request.id, &error.why());
        })
    })
}

fn hold(layout: &Layout) -> io::Result<fs::File> {
    let file = OpenOptions::new().append(true).create(true).mode(0o644).open(layout.root.join(BUSY))?;
    file.lock()?;
    Ok(file)
}

/// Whether root is at a request.
pub fn is_busy(layout: &Layout) -> bool {
    fs::File::open(layout.root.join(BUSY)).is_ok_and(|file| matches!(file.try_lock_shared(), Err(fs::TryLockError::WouldBlock)))
}

/// The same, for a request in hand.
pub fn act(layout: &Layout, update: &Path, keys: &Keys, here: &Here, request: &Request) -> Result<(), UpdateError> {
    let plain = |text: &str| !text.is_empty() && text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !plain(&request.id) || !is_version(&request.version) {
        return Err(UpdateError::refused("the request cannot be read"));
    }
    match request.act {
        Act::Apply => {
            let done = apply(layout, &update.join("staged").join(&request.id), keys, here, request).inspect_err(|_| {
                // It had begun: whoever is told that it failed must not find it running at the next start.
                if layout.pending().is_some_and(|turn| turn.id == request.id) {
                    let _ = layout.back(&mut Real, "the switch was cut off");
                }
            });
            let _ = fs::remove_dir_all(layout.root.join(INCOMING));
            done
        }
        Act::Commit => match layout.pending() {
            Some(turn) if turn.id == request.id => layout.commit(&mut Real).map_err(UpdateError::io("committing in", &layout.root)),
            _ => Err(UpdateError::refused("nothing of that name waits to be kept")),
        },
        Act::RollBack => layout.back(&mut Real, &format!("{ASKED} {}", clean(&request.by))).map(|_| ()),
    }
}

fn apply(layout: &Layout, staged: &Path, keys: &Keys, here: &Here, request: &Request) -> Result<(), UpdateError> {
    if layout.pending().is_some() {
        return Err(UpdateError::not_now("the last update has not proved itself yet", "wait two minutes, or roll it back"));
    }
    layout.adopt(&mut Real, &here.version).map_err(UpdateError::io("keeping what runs in", &layout.root))?;
    let incoming = layout.root.join(INCOMING);
    let _ = fs::remove_dir_all(&incoming);
    fs::create_dir_all(&incoming).map_err(UpdateError::io("making", &incoming))?;
    fs::set_permissions(&incoming, Permissions::from_mode(0o700)).map_err(UpdateError::io("permissions of", &incoming))?;
    let (manifest, signature) =
        (bounded(&staged.join(MANIFEST), MANIFEST_MAX as u64 + 1)?, bounded(&staged.join(SIGNATURE), SIGNATURE_MAX as u64 + 1)?);
    let mut seen = layout.seen()?;
    let before = seen.clone();
    let opened = Release::open(&manifest, &signature, keys, &mut seen, here);
    if seen.revoked != before.revoked {
        layout.keep(&mut Real, &seen).map_err(UpdateError::io("writing in", &layout.root))?;
    }
    let release = opened?;
    if release.digest != request.digest || release.manifest.version != request.version {
        return Err(UpdateError::refused("it is not the release that the operator confirmed"));
    }
    let file = incoming.join("artifact");
    copy(&staged.join("artifact"), &file, release.artifact.size + 1)?;
    stage::check(&file, &release.artifact)?;
    let binary = stage::unpack(&file, &release.artifact, &incoming.join("unpacked"))?;
    let turn = Turn { from: here.version.clone(), to: request.version.clone(), id: request.id.clone(), reason: String::new() };
    layout.switch(&mut Real, &binary, &turn, &seen).map_err(UpdateError::io("switching in", &layout.root))
}

/// A file, which is none of somebody else's: links are not followed, and it has an end.
fn open(path: &Path) -> Result<fs::File, UpdateError> {
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let file = OpenOptions::new().read(true).custom_flags(flags.bits() as i32).open(path).map_err(UpdateError::io("reading", path))?;
    match file.metadata() {
        Ok(meta) if meta.is_file() => Ok(file),
        _ => Err(UpdateError::refused(format!("{} is no file", path.display()))),
    }
}

fn bounded(path: &Path, most: u64) -> Result<Vec<u8>, UpdateError> {
    let mut bytes = Vec::new();
    open(path)?.take(most).read_to_end(&mut bytes).map_err(UpdateError::io("reading", path))?;
    Ok(bytes)
}

fn copy(from: &Path, to: &Path, most: u64) -> Result<(), UpdateError> {
    let mut target = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to).map_err(UpdateError::io("writing", to))?;
    io::copy(&mut open(from)?.take(most), &mut target).map_err(UpdateError::io("writing", to))?;
    Ok(())
}

fn clean(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() && *c != '=').take(60).collect()
}
