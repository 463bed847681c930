//! What an engine does for the store: it gets, scans and writes, and can be copied, counted and closed. Whatever does that can stand
//! in redb's place.

use crate::store::error::StoreError;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::path::Path;

/// How long a commit may be lost to a power cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Durability {
    /// Not at all: committed and flushed before the caller gets its answer.
    Now,
    /// For the flush interval at most (or 100 records); readers see it at once.
    Soon,
}

/// Changes that happen together or not at all. Later calls win over earlier ones for the same key.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    pub(crate) expects: Vec<(&'static str, String, Option<Vec<u8>>)>,
    pub(crate) changes: Changes,
}

/// The last word on each key: a value, or its absence.
pub(crate) type Changes = BTreeMap<(&'static str, String), Option<Vec<u8>>>;

impl Batch {
    /// Nothing yet.
    pub fn new() -> Self {
        Batch::default()
    }

    /// Writes a value, whether the key exists or not.
    #[must_use]
    pub fn put(mut self, table: &'static str, key: impl Into<String>, value: Vec<u8>) -> Self {
        self.changes.insert((table, key.into()), Some(value));
        self
    }

    /// Removes a key; one that is not there is fine.
    #[must_use]
    pub fn delete(mut self, table: &'static str, key: impl Into<String>) -> Self {
        self.changes.insert((table, key.into()), None);
        self
    }

    /// Refuses the whole batch unless the key holds exactly this value (`None`: is absent) before it.
    #[must_use]
    pub fn expect(mut self, table: &'static str, key: impl Into<String>, value: Option<Vec<u8>>) -> Self {
        self.expects.push((table, key.into(), value));
        self
    }

    /// Takes the other batch in; its changes win.
    #[must_use]
    pub fn and(mut self, other: Batch) -> Self {
        self.expects.extend(other.expects);
        self.changes.extend(other.changes);
        self
    }

    /// Whether it would neither change nor check anything.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.expects.is_empty()
    }

    /// Keys and values together.
    pub(crate) fn bytes(&self) -> usize {
        self.changes.iter().map(|((_, key), value)| key.len() + value.as_ref().map_or(0, Vec::len)).sum()
    }
}

/// Keys with their values, in key order.
pub(crate) type Rows = Vec<(String, Vec<u8>)>;

/// A store of bytes under `(table, key)`. `write` has one caller at a time; reads may come from anywhere meanwhile.
pub(crate) trait Engine: Send + Sync + 'static {
    /// The value of a key.
    fn get(&self, table: &'static str, key: &str) -> Result<Option<Vec<u8>>, StoreError>;
    /// At most `limit` rows from a key on, in key order.
    fn scan(&self, table: &'static str, from: Bound<&str>, limit: usize) -> Result<Rows, StoreError>;
    /// All of these or none; on the disk when it returns.
    fn write(&self, changes: &Changes) -> Result<(), StoreError>;
    /// All of it as of one moment, in a file that is not there yet; on the disk when it returns.
    fn copy_to(&self, path: &Path) -> Result<(), StoreError>;
    /// Each table, with its number of rows.
    fn tables(&self) -> Result<Vec<(String, u64)>, StoreError>;
    /// Lets go of the file and its lock. Reads and writes answer `Closed` from then on.
    fn close(&self) -> Result<(), StoreError>;
}
