//! How a store is opened.

use crate::host::metrics::Meter;
use crate::store::disk::{self, Ground};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

/// How to open a store.
#[derive(Debug, Clone)]
pub struct Options {
    /// The file.
    pub path: PathBuf,
    /// Page cache in MiB; at least 1 is used.
    pub cache_mb: u32,
    /// How long records that may wait (`Durability::Soon`) wait at most.
    pub flush_interval: Duration,
    /// Accept a file system in RAM.
    pub volatile_ok: bool,
    /// Counts commits.
    pub meter: Meter,
    /// Hears how far the store is brought up to date, where it has to be.
    pub progress: Progress,
}

/// How far a store is brought up to date, for whoever waits; clones share it.
#[derive(Debug, Clone, Default)]
pub struct Progress(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    to: AtomicU32,
    done: AtomicU64,
    total: AtomicU64,
}

impl Progress {
    pub(crate) fn begin(&self, to: u32, total: u64) {
        self.0.to.store(to, Ordering::Relaxed);
        self.0.total.store(total, Ordering::Relaxed);
    }

    pub(crate) fn add(&self, rows: u64) {
        self.0.done.fetch_add(rows, Ordering::Relaxed);
    }

    /// Rows looked at so far.
    pub fn done(&self) -> u64 {
        self.0.done.load(Ordering::Relaxed)
    }

    /// `bringing the store to schema 2: 45000 of about 100000 rows`; none while nothing of the kind goes on.
    pub fn words(&self) -> Option<String> {
        let (to, total) = (self.0.to.load(Ordering::Relaxed), self.0.total.load(Ordering::Relaxed));
        (to > 0).then(|| format!("bringing the store to schema {to}: {} of about {total} rows", self.done()))
    }
}

impl Options {
    /// The defaults for a file: 4 MiB of cache, flush within 5 s, no RAM file systems.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Options {
            path: path.into(),
            cache_mb: 4,
            flush_interval: Duration::from_secs(5),
            volatile_ok: false,
            meter: Meter::off(),
            progress: Progress::default(),
        }
    }

    pub(crate) fn cache_bytes(&self) -> usize {
        // redb's own default is 1 GiB.
        (self.cache_mb.clamp(1, 256) as usize) << 20
    }
}

/// The flush interval that spares flash.
const FLASH_FLUSH: Duration = Duration::from_secs(60);

/// How long records that may wait do so on the disk of this file, for the store and for the trail: where flash wears, a minute at
/// least. `spare` decides; nothing: raw flash (jffs2, ubifs) is spared.
pub fn patience(file: &Path, flush_interval: Duration, spare: Option<bool>) -> Duration {
    let spare = spare.unwrap_or_else(|| matches!(disk::ground(file), Ok(Ground::Flash)));
    if spare { flush_interval.max(FLASH_FLUSH) } else { flush_interval }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sparing_flash_waits_a_minute_at_least() {
        let dir = tempfile::tempdir().unwrap();
        let waits = |seconds, spare| patience(&dir.path().join("s.redb"), Duration::from_secs(seconds), spare).as_secs();
        assert_eq!([waits(5, Some(true)), waits(300, Some(true))], [60, 300]);
        assert_eq!([waits(5, Some(false)), waits(5, None)], [5, 5], "a temporary directory lies on no raw flash");
    }
}
