//! The backups of this appliance: where they lie, how many are kept, and making one under a name of its own.
//!
//! `routeros-mcp-20261126T201500Z.age`, and `…Z-auto.age` for those of the schedule, which alone are removed by themselves.
//! Nothing of another name in the directory is touched.

use crate::backup::create::{Scratch, create};
use crate::backup::error::BackupError;
use crate::backup::lock::{Lock, Opener};
use crate::backup::manifest::Manifest;
use crate::backup::verify::verify;
use crate::base::clock::{Clock, Wall};
use crate::host::metrics::Meter;
use crate::store::{Seal, Store};
use std::fs::{DirBuilder, File};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex as Plain, PoisonError};
use std::time::Duration;
use tokio::sync::Mutex;

/// Names of backups made here begin so.
const PREFIX: &str = "routeros-mcp-";
/// And end so.
const SUFFIX: &str = ".age";
/// After the time, in names of those that the schedule made.
const SCHEDULED: &str = "-auto";
/// Backups made in one second.
const SAME_SECOND: u32 = 9;

/// What a backup is made of.
pub struct Parts {
    /// The store.
    pub store: Store,
    /// The master key: its id stands in the manifest, itself only where it is asked for.
    pub seal: Arc<Seal>,
    /// Time.
    pub clock: Clock,
    /// Counts.
    pub meter: Meter,
    /// Where the audit trail is.
    pub audit_dir: PathBuf,
    /// The appliance's environment.
    pub environment: String,
    /// Settings that differ from the defaults, as a TOML file without secrets.
    pub config: String,
    /// Secret settings that are not in it.
    pub left_out: Vec<String>,
}

/// Where backups go, `[backup]` in the config file.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Their directory; made when first needed.
    pub dir: PathBuf,
    /// How many are kept. Older ones go when a scheduled one was made.
    pub keep: usize,
    /// Who can open them, unless somebody says otherwise.
    pub recipients: Vec<String>,
}

/// A backup in the directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its file name.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// When it was made, by the clock of that moment.
    pub made_at: Option<Wall>,
    /// The schedule made it, and removes it when there are newer ones.
    pub is_scheduled: bool,
}

/// How the last scheduled backup went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Last {
    /// When.
    pub at: Wall,
    /// What went wrong, in words.
    pub failed: Option<String>,
}

/// The backups; clones share them.
#[derive(Clone)]
pub struct Backups(Arc<Inner>);

struct Inner {
    parts: Parts,
    settings: Settings,
    /// One at a time: each needs room for a copy of the store.
    turn: Mutex<()>,
    last: Plain<Option<Last>>,
}

impl Backups {
    /// Over the parts that go into one.
    pub fn new(parts: Parts, settings: Settings) -> Backups {
        sweep(&settings.dir, Duration::ZERO);
        let backups = Backups(Arc::new(Inner { parts, settings, turn: Mutex::new(()), last: Plain::new(None) }));
        backups.measure();
        backups
    }

    /// Where they are and who opens them.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// Those in the directory, newest first. A directory that is not there yet holds none.
    pub fn list(&self) -> Result<Vec<Kept>, BackupError> {
        let entries = match std::fs::read_dir(&self.0.settings.dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(BackupError::io("looking at the directory")(error)),
        };
        let mut kept: Vec<Kept> = entries
            .flatten()
            .filter_map(|entry| {
                let name = entry.file_name().into_string().ok().filter(|name| is_name(name))?;
                let about = entry.metadata().ok().filter(std::fs::Metadata::is_file)?;
                Some(Kept { made_at: made_at(&name), is_scheduled: is_scheduled(&name), bytes: about.len(), name })
            })
            .collect();
        kept.sort_by(|a, b| b.name.cmp(&a.name));
        Ok(kept)
    }

    /// Makes one now. Without a lock of its own it is for `backup.recipients`.
    pub async fn create(&self, lock: Option<Lock>, with_master_key: bool) -> Result<(Kept, Manifest), BackupError> {
        self.make(lock, with_master_key, false).await
    }

    async fn make(&self, lock: Option<Lock>, with_master_key: bool, is_scheduled: bool) -> Result<(Kept, Manifest), BackupError> {
        let lock = match lock {
            Some(lock) => lock,
            None if self.0.settings.recipients.is_empty() => return Err(BackupError::Nobody),
            None => Lock::Recipients(self.0.settings.recipients.clone()),
        };
        // Refused before anything is copied.
        lock.shut(std::io::sink())?;
        let _turn = self.0.turn.lock().await;
        let dir = &self.0.settings.dir;
        DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(BackupError::io("making the directory"))?;
        let (at, master) = (self.0.parts.clock.wall(), with_master_key.then(|| self.0.parts.seal.written()));
        let free = (1..=SAME_SECOND).map(|turn| name(at, turn, is_scheduled)).find(|name| !dir.join(name).exists());
        let name = free.ok_or_else(|| BackupError::Exists(dir.join(name(at, SAME_SECOND, is_scheduled))))?;
        let manifest = create(&self.0.parts, lock, master, &dir.join(&name)).await?;
        self.measure();
        let bytes = std::fs::metadata(dir.join(&name)).map_err(BackupError::io("looking at the backup"))?.len();
        Ok((Kept { made_at: Some(at), is_scheduled, bytes, name }, manifest))
    }

    /// Makes one because it is time, and removes the oldest beyond those that are kept.
    pub async fn scheduled(&self) -> Result<Kept, BackupError> {
        let made = self.make(None, false, true).await;
        let failed = made.as_ref().err().map(ToString::to_string);
        *self.0.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(Last { at: self.0.parts.clock.wall(), failed });
        let (kept, _) = made?;
        let scheduled: Vec<Kept> = self.list()?.into_iter().filter(|kept| kept.is_scheduled).collect();
        for old in scheduled.iter().skip(self.0.settings.keep.max(1)) {
            std::fs::remove_file(self.0.settings.dir.join(&old.name)).map_err(BackupError::io("removing an old backup"))?;
        }
        self.measure();
        Ok(kept)
    }

    /// How the last scheduled one went since this process started.
    pub fn last(&self) -> Option<Last> {
        self.0.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The path of one. Errs with `Unknown` for any name that is none here: a path leads nowhere else.
    pub fn path(&self, name: &str) -> Result<PathBuf, BackupError> {
        let path = self.0.settings.dir.join(name);
        if is_name(name) && path.is_file() { Ok(path) } else { Err(BackupError::Unknown(name.chars().take(100).collect())) }
    }

    /// One of them, to be read.
    pub fn open(&self, name: &str) -> Result<File, BackupError> {
        File::open(self.path(name)?).map_err(BackupError::io("opening the file"))
    }

    /// Opens one fully without restoring anything.
    pub async fn verify(&self, name: &str, opener: &Opener) -> Result<Manifest, BackupError> {
        let path = self.path(name)?;
        let _turn = self.0.turn.lock().await;
        verify(&path, opener, &self.0.settings.dir).await
    }

    /// Removes one.
    pub fn remove(&self, name: &str) -> Result<(), BackupError> {
        std::fs::remove_file(self.path(name)?).map_err(BackupError::io("removing the backup"))?;
        self.measure();
        Ok(())
    }

    /// Tells when the newest was made and how large it is.
    fn measure(&self) {
        let list = self.list().unwrap_or_default();
        let newest = list.iter().find_map(|kept| Some((kept.made_at?, kept.bytes)));
        let (at, bytes) = newest.unwrap_or((Wall(0), 0));
        self.0.parts.meter.backup(at, bytes);
    }
}

impl std::fmt::Debug for Backups {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Backups")
    }
}

/// `routeros-mcp-20261126T201500Z.age`; later ones of the same second end in `-2` and so on.
fn name(at: Wall, turn: u32, is_scheduled: bool) -> String {
    let digits: String = at.rfc3339().split('.').next().unwrap_or_default().chars().filter(|c| !"-:".contains(*c)).collect();
    let more = if turn > 1 { format!("-{turn}") } else { String::new() };
    let auto = if is_scheduled { SCHEDULED } else { "" };
    format!("{PREFIX}{digits}Z{auto}{more}{SUFFIX}")
}

fn stamp(name: &str) -> Option<&str> {
    name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)
}

fn is_name(name: &str) -> bool {
    stamp(name).is_some_and(|stamp| !stamp.is_empty() && stamp.len() <= 24 && stamp.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'))
}

fn is_scheduled(name: &str) -> bool {
    stamp(name).is_some_and(|stamp| stamp.contains(SCHEDULED))
}

fn made_at(name: &str) -> Option<Wall> {
    let stamp = stamp(name)?.get(..16)?;
    let part = |range: std::ops::Range<usize>| stamp.get(range);
    let (date, time) = (part(0..8)?, part(9..15)?);
    let text =
        format!("{}-{}-{}T{}:{}:{}Z", date.get(..4)?, date.get(4..6)?, date.get(6..)?, time.get(..2)?, time.get(2..4)?, time.get(4..)?);
    Wall::parse(&text)
}

/// What nobody touched for so long, nobody works on.
pub const ABANDONED: Duration = Duration::from_secs(3_600);

/// Removes what a backup or a restore that was cut off left in a directory: it may hold a store, and a master key, that anybody with the
/// disk can read. A directory goes when nobody holds it, whatever else when it was not touched for `age`.
pub fn sweep(dir: &Path, age: Duration) {
    let Ok(entries) = std::fs::read_dir(dir) else { return };
    for entry in entries.flatten() {
        let touched = entry.metadata().and_then(|meta| meta.modified()).ok();
        // Touched later than now: the clock went back since.
        let since = touched.map_or(Duration::MAX, |at| at.elapsed().unwrap_or_else(|ahead| ahead.duration()));
        if entry.file_name().to_str().is_some_and(Scratch::is_name) && (since >= age || Scratch::is_deserted(&entry.path())) {
            drop(Scratch::at(entry.path()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_the_time_and_sort_by_it() {
        let at = Wall::parse("2026-11-26T20:15:00.5Z").unwrap();
        assert_eq!(name(at, 1, false), "routeros-mcp-20261126T201500Z.age");
        assert!(is_scheduled(&name(at, 2, true)) && is_name(&name(at, 9, true)) && !is_scheduled(&name(at, 1, false)));
        assert!(is_name(&name(at, 9, false)));
        assert_eq!(made_at(&name(at, 3, true)), Wall::parse("2026-11-26T20:15:00Z"));
        for bad in ["", "x.age", "routeros-mcp-.age", "routeros-mcp-../../etc/passwd.age", "routeros-mcp-a b.age", "routeros-mcp-1/2.age"] {
            assert!(!is_name(bad), "{bad}");
        }
        assert_eq!(made_at("routeros-mcp-mine.age"), None);
    }
}
