//! `[store]` in the config file, and what the store needs of it.

use crate::base::span::Span;
use crate::host::metrics::Meter;
use crate::store::disk::{self, Ground};
use serde::Deserialize;
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

/// The store, `[store]` in the config file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The store file; `<state dir>/routeros-mcp.redb` unless set.
    pub path: Option<PathBuf>,
    /// Page cache in MiB, 1 to 256; 4 unless set.
    pub cache_mb: u32,
    /// How long records that may wait (health samples, reads) wait for company, 10 ms to 10 min; 5 s unless set.
    pub flush_interval: Span,
    /// Wait at least 60 s instead, to spare raw flash: `auto` (on jffs2 and ubifs), `on` or `off`; `auto` unless set.
    pub flash_saver: FlashSaver,
    /// Accept a state directory in RAM; then no credentials are kept. `false` unless set.
    pub volatile: bool,
}

impl Default for Config {
    fn default() -> Self {
        Config { path: None, cache_mb: 4, flush_interval: Span::secs(5), flash_saver: FlashSaver::Auto, volatile: false }
    }
}

/// Whether to spare the flash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FlashSaver {
    /// By file system.
    #[default]
    Auto,
    /// Always.
    On,
    /// Never.
    Off,
}

/// The flush interval that spares flash.
const FLASH_FLUSH: Duration = Duration::from_secs(60);

impl Config {
    /// What is out of range, a sentence each: `store.cache_mb: 0 is not within 1 to 256`.
    pub fn problems(&self) -> Vec<String> {
        let mut found = Vec::new();
        if !(1..=256).contains(&self.cache_mb) {
            found.push(format!("store.cache_mb: {} is not within 1 to 256", self.cache_mb));
        }
        if !(Span::millis(10)..=Span::secs(600)).contains(&self.flush_interval) {
            found.push(format!("store.flush_interval: {} is not within 10ms to 10m", self.flush_interval));
        }
        found
    }

    /// Where the store file lies.
    pub fn file(&self, state_dir: &Path) -> PathBuf {
        self.path.clone().unwrap_or_else(|| state_dir.join("routeros-mcp.redb"))
    }

    /// How to open the store of this state directory.
    pub fn options(&self, state_dir: &Path) -> Options {
        let path = self.file(state_dir);
        let spare = match self.flash_saver {
            FlashSaver::On => true,
            FlashSaver::Off => false,
            FlashSaver::Auto => matches!(disk::ground(&path), Ok(Ground::Flash)),
        };
        let flush_interval = if spare { self.flush_interval.0.max(FLASH_FLUSH) } else { self.flush_interval.0 };
        Options {
            path,
            cache_mb: self.cache_mb,
            flush_interval,
            volatile_ok: self.volatile,
            meter: Meter::off(),
            progress: Progress::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_those_of_the_reference_and_ranges_are_checked() {
        let config: Config = serde_json::from_str("{}").unwrap();
        assert_eq!(config, Config::default());
        assert!(config.problems().is_empty());
        let wrong: Config = serde_json::from_str(r#"{"cache_mb": 0, "flush_interval": "1h", "flash_saver": "on"}"#).unwrap();
        assert_eq!(wrong.problems().len(), 2);
        assert!(serde_json::from_str::<Config>(r#"{"cach_mb": 1}"#).is_err());
    }

    #[test]
    fn sparing_flash_waits_a_minute() {
        let config = Config { flash_saver: FlashSaver::On, ..Config::default() };
        assert_eq!(config.options(Path::new("/state")).flush_interval, FLASH_FLUSH);
        assert_eq!(config.options(Path::new("/state")).path, Path::new("/state/routeros-mcp.redb"));
    }
}
