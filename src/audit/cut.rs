//! The cut: takes whole segments that are older than the operator keeps out of the trail, into archives.
//!
//! For each segment, the oldest first: archive it, record that in the trail (on the disk), remove it. A power cut leaves the
//! segment, the archive, or both; never neither. The record names what was archived by number and hash, so the trail says
//! itself where it begins, and taking its beginning away without a record shows in [`verify`](crate::audit::verify). Only a trail
//! that is whole is cut: a cut must not hide a loss.

use crate::audit::archive::{self, Hands, Label, Survey};
use crate::audit::chain::{Frame, Head};
use crate::audit::error::AuditError;
use crate::audit::index::Index;
use crate::audit::record::{self, ISSUER, Record, SUBJECT};
use crate::audit::segment::{self, Reader};
use crate::audit::{Audit, verify};
use crate::base::clock::Wall;
use crate::base::ids::hex;
use crate::store::Durability;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLockWriteGuard};
use zeroize::Zeroizing;

/// What the record is called. No tool has this name.
const OPERATION: &str = "trail.archive";

/// A time that much later than now was written by a clock that went wrong.
const AHEAD_MS: i64 = 86_400_000;

/// What is old, and when it is.
#[derive(Debug, Clone, Copy)]
pub struct Age {
    /// A segment whose newest record is from before this goes.
    pub until: Wall,
    /// The time. The caller sees to it that it can be believed.
    pub now: Wall,
}

impl Audit {
    /// Takes segments out of the trail whose newest record is older than kept; answers what was archived. `key` signs
    /// (ed25519, PKCS#8).
    ///
    /// Errs with `Broken`, and cuts nothing, where the trail is not whole; with `Io` where the disk refuses: what was not archived is
    /// still in the trail then.
    pub async fn archive(&self, age: Age, key: &[u8]) -> Result<Vec<Label>, AuditError> {
        self.archive_by(age, key, Arc::new(archive::Real)).await
    }

    pub(crate) async fn archive_by(&self, age: Age, key: &[u8], hands: Arc<dyn Hands>) -> Result<Vec<Label>, AuditError> {
        let _one = self.0.cutting.lock().await;
        let mut done = Vec::new();
        let sealed = self.index().sealed();
        let mut is_whole = false;
        for number in sealed {
            let dir = self.dir();
            let Some(survey) = blocking(move || old(&dir, number, age)).await? else { break };
            if !is_whole {
                let dir = self.dir();
                blocking(move || verify(&dir)).await?;
                is_whole = true;
            }
            let (dir, key, by) = (self.dir(), Zeroizing::new(key.to_vec()), hands.clone());
            let label = blocking(move || archive::make(&dir, &survey, &key, &*by)).await?;
            self.append(said(&label), Durability::Now).await?;
            let (path, by) = (segment::path(&self.dir(), number), hands.clone());
            // Readers that hold it open read on; others find the archive.
            self.index_mut().forget(number);
            let at = path.clone();
            if let Err(error) = blocking(move || by.remove(&path).map_err(AuditError::io("removing an archived segment"))).await {
                // Still there, so still to be cut: to go on with the next one would leave a hole.
                if at.exists() {
                    self.index_mut().bring_back(number, label.first_seq);
                }
                return Err(error);
            }
            done.push(label);
        }
        Ok(done)
    }

    fn index_mut(&self) -> RwLockWriteGuard<'_, Index> {
        self.shared().index.write().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, AuditError> + Send + 'static) -> Result<T, AuditError> {
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(AuditError::Closed))
}

/// A segment that is older than kept.
fn old(dir: &Path, number: u64, age: Age) -> Result<Option<Survey>, AuditError> {
    let latest = Wall(age.now.0.saturating_add(AHEAD_MS));
    let path = segment::path(dir, number);
    let file = File::open(&path).map_err(AuditError::io("reading a segment"))?;
    let survey = archive::survey(number, Box::new(file), latest, &mut |_| Ok(()))?;
    let can_be = |time: Wall| time.is_plausible() && time <= latest;
    // A box that stood in 1970, or ran ahead, wrote its records before the next one whose time can be true.
    let newest = match survey.last {
        Some(last) if can_be(last) => survey.newest,
        _ => first_after(dir, number, can_be)?,
    };
    Ok(newest.filter(|newest| *newest < age.until).map(|_| survey))
}

/// The first time that can be true in the segments after one.
fn first_after(dir: &Path, number: u64, can_be: impl Fn(Wall) -> bool) -> Result<Option<Wall>, AuditError> {
    for later in segment::list(dir)?.into_iter().filter(|later| *later > number) {
        let mut reader = Reader::open(&segment::path(dir, later)).map_err(AuditError::io("reading a segment"))?;
        while let Ok((_, frame)) = reader.frame() {
            if let Some(time) = record::time(&frame.payload).filter(|time| can_be(*time)) {
                return Ok(Some(time));
            }
        }
    }
    Ok(None)
}

/// The record of a cut.
fn said(label: &Label) -> Record {
    let arguments = serde_json::json!({
        "segment": label.segment,
        "first_seq": label.first_seq,
        "last_seq": label.last_seq,
        "hash": label.hash,
        "bytes": label.bytes,
        "sha256": label.sha256,
        "public_key": label.public_key,
        "file": PathBuf::from("archive").join(archive::path(Path::new(""), label.segment).file_name().unwrap_or_default()),
    })
    .to_string();
    Record::of_appliance(OPERATION, arguments)
}

/// Whether a record of the trail says that all up to here was archived.
pub(crate) fn names(frame: &Frame, archived: Head) -> bool {
    if record::subject(&frame.payload) != Some(SUBJECT) {
        return false;
    }
    let Ok(stored) = record::decode(frame.seq, &frame.payload) else { return false };
    let Record { principal, tool, outcome, arguments, .. } = &stored.record;
    let label = serde_json::from_str::<serde_json::Value>(arguments).unwrap_or_default();
    principal.issuer == ISSUER
        && tool == OPERATION
        && outcome == "ok"
        && label["last_seq"].as_u64() == Some(archived.seq)
        && label["hash"].as_str() == Some(hex(&archived.hash).as_str())
}
