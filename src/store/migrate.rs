//! The store's schema: which tables there are and how their keys are made. Records have versions of their own.
//!
//! A store of an older schema is brought up to date when it is opened, step by step, on a copy beside it (`….migrating`) that
//! takes its place in one rename: a power cut, a kill or a step that fails leaves the old store, whole and untouched, and the
//! next start begins anew. The old one is kept as `….schema-N` until the new version has proved itself (`update`) or the next
//! migration. A newer schema is refused before anything is written.

use crate::store::disk::{Disk, FileDisk, remove_if_there, sync_parent};
use crate::store::engine::{Changes, Engine};
use crate::store::error::StoreError;
use crate::store::options::{Options, Progress};
use crate::store::record::{Record, decode, encode};
use crate::store::redb::Redb;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io;
use std::ops::Bound;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The schema of the first release.
const FIRST: u32 = 1;

/// All steps of the product, in order. A new one goes at the end, and its schema gets a file in `tests/data/store/`.
pub(crate) const STEPS: &[Step] = &[];

/// The schema this build writes. Each has a file in `tests/data/store/`; `scripts/package` reads the number here.
pub const SCHEMA: u32 = 1;
const _: () = assert!(SCHEMA == known(STEPS), "a step more is a schema more");

/// The schema that steps lead to.
pub(crate) const fn known(steps: &[Step]) -> u32 {
    FIRST + steps.len() as u32
}

/// From one schema to the next.
#[derive(Clone, Copy)]
pub(crate) struct Step {
    /// For the log: `devices are kept by id`.
    pub(crate) about: &'static str,
    /// Tables whose rows it goes through, in key order. What it writes under a later key of the same table it meets again.
    pub(crate) tables: &'static [&'static str],
    /// Adds what is to be changed for a row; nothing: the row stays. Errs with why it cannot, in words.
    pub(crate) row: fn(&Row<'_>, &mut Changes) -> Result<(), String>,
}

/// A row as the schema before has it.
#[cfg_attr(not(test), allow(dead_code, reason = "read by steps, and the product has none yet"))]
pub(crate) struct Row<'a> {
    pub(crate) table: &'static str,
    pub(crate) key: &'a str,
    pub(crate) value: &'a [u8],
}

/// Rows read and written at once: what stands in memory meanwhile.
const ROWS: usize = 64;

/// Batches between two that are whole commits.
const SETTLED: u64 = 64;

/// The store's word about itself.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Meta {
    pub(crate) schema: u32,
    /// The build that wrote the schema, for people.
    pub(crate) written_by: String,
}

impl Record for Meta {
    const TABLE: &'static str = "meta";
    const VERSION: u8 = 1;
}

#[cfg(test)]
crate::store::golden!(Meta);

/// The only key of [`Meta`].
pub(crate) const KEY: &str = "schema";

/// What an open file is, as these steps see it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Of today's schema.
    Current,
    /// Nothing is in it yet.
    Empty,
    /// Of this older one.
    Behind(u32),
}

/// Looks at the schema of an open file. Errs with `Newer` or `Damaged`.
pub(crate) fn standing(engine: &Redb, steps: &[Step]) -> Result<Standing, StoreError> {
    match engine.get(Meta::TABLE, KEY)? {
        Some(bytes) => {
            let Meta { schema: found, written_by } = decode(&bytes)?;
            match found {
                found if found == known(steps) => Ok(Standing::Current),
                found if found > known(steps) => Err(StoreError::Newer { found, known: known(steps), written_by, kept: None }),
                0 => Err(StoreError::damaged("its schema is 0")),
                found => Ok(Standing::Behind(found)),
            }
        }
        None if engine.is_new()? => Ok(Standing::Empty),
        None => Err(StoreError::damaged("it has tables but no schema")),
    }
}

/// Checks the schema of an open file; stamps a new one. Errs for one that has to be brought up to date first.
pub(crate) fn up(engine: &Redb, steps: &[Step]) -> Result<(), StoreError> {
    match standing(engine, steps)? {
        Standing::Current => Ok(()),
        Standing::Empty => stamp(engine, known(steps)),
        Standing::Behind(found) => Err(StoreError::damaged(format!("its schema is {found} still"))),
    }
}

fn stamp(engine: &Redb, schema: u32) -> Result<(), StoreError> {
    let meta = Meta { schema, written_by: env!("CARGO_PKG_VERSION").into() };
    engine.write(&Changes::from([((Meta::TABLE, KEY.to_owned()), Some(encode(&meta)))]))
}

/// What changes files; in tests something that is cut off.
pub(crate) trait Hands {
    /// The copy, to be worked on. Nobody relies on it, so nothing of it is flushed before [`flush`](Hands::flush).
    fn open(&self, copy: &Path) -> Result<Box<dyn Disk>, StoreError> {
        Ok(Box::new(FileDisk::open(copy)?.without_flushing()))
    }
    /// All of it is on the disk when it returns.
    fn flush(&self, copy: &Path) -> io::Result<()> {
        File::open(copy)?.sync_all()
    }
    /// Gives a file a second name, for good when it returns.
    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        match std::fs::hard_link(from, to) {
            Ok(()) => sync_parent(to),
            // File systems without hard links.
            Err(_) => std::fs::copy(from, to).and_then(|_| self.flush(to)).and_then(|()| sync_parent(to)),
        }
    }
    /// Puts it in the other's place, for good when it returns.
    fn replace(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to).and_then(|()| sync_parent(to))
    }
}

/// The real ones.
pub(crate) struct Real;

impl Hands for Real {}

/// Where the store of an older schema is kept.
pub(crate) fn kept(store: &Path, schema: u32) -> PathBuf {
    beside(store, &format!(".schema-{schema}"))
}

/// The file itself: an operator may have put it elsewhere, behind a link.
fn resolved(store: &Path) -> PathBuf {
    std::fs::canonicalize(store).unwrap_or_else(|_| store.to_owned())
}

fn beside(store: &Path, end: &str) -> PathBuf {
    let mut name = resolved(store).into_os_string();
    name.push(end);
    PathBuf::from(name)
}

/// Removes stores of older schemas that are kept beside this one: nobody goes back any more.
pub fn forget_kept(store: &Path) -> io::Result<()> {
    forget_below(store, SCHEMA)
}

pub(crate) fn forget_below(store: &Path, schema: u32) -> io::Result<()> {
    for older in FIRST..schema {
        remove_if_there(&kept(store, older))?;
    }
    Ok(())
}

/// Brings the store up to date: when it returns, the new one is in its place. The caller holds the old one's lock by `engine`.
///
/// Errs with `Step` where a record cannot be carried over, and with `Io`; the store is as it was then.
pub(crate) fn climb(engine: &Redb, found: u32, options: &Options, steps: &[Step], hands: &dyn Hands) -> Result<(), StoreError> {
    const MIGRATING: &str = "bringing the store up to date";
    let failed = |error| StoreError::io(MIGRATING, error);
    let copy = beside(&options.path, ".migrating");
    // What a power cut left of an earlier try.
    remove_if_there(&copy).map_err(failed)?;
    let rows = engine.tables()?.iter().map(|(_, rows)| rows).sum();
    options.progress.begin(known(steps), rows);
    tracing::info!(from = found, to = known(steps), rows, "bringing the store up to date on a copy beside it");
    let done = (|| {
        engine.copy_to(&copy)?;
        // Whoever runs us: it stays the store of whose it is.
        let old = std::fs::metadata(&options.path).map_err(failed)?;
        std::os::unix::fs::chown(&copy, Some(old.uid()), Some(old.gid())).map_err(failed)?;
        let work = Redb::open(hands.open(&copy)?, options.cache_bytes(), 0)?;
        let walked = walk(&work, found, steps, &options.progress);
        walked.and(work.close())?;
        hands.flush(&copy).map_err(failed)?;
        let kept = kept(&options.path, found);
        let _ = std::fs::remove_file(&kept);
        let place = resolved(&options.path);
        hands.link(&place, &kept).map_err(failed)?;
        hands.replace(&copy, &place).map_err(failed)?;
        // Of several changes of shape without an update of ours to commit them, the last one can be gone back on.
        let _ = forget_below(&options.path, found);
        Ok(())
    })();
    if done.is_err() {
        // Half a store is none. Where the very rename failed late, there is nothing left to remove.
        let _ = std::fs::remove_file(&copy);
    }
    done
}

fn walk(engine: &Redb, found: u32, steps: &[Step], progress: &Progress) -> Result<(), StoreError> {
    for (to, step) in (FIRST + 1..).zip(steps).filter(|(to, _)| *to > found) {
        tracing::info!(to, "the store: {}", step.about);
        for table in step.tables {
            let (mut last, mut batches): (Option<String>, u64) = (None, 0);
            loop {
                let from = last.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
                let rows = engine.scan(table, from, ROWS)?;
                let mut changes = Changes::new();
                for (key, value) in &rows {
                    let why = (step.row)(&Row { table, key, value }, &mut changes);
                    why.map_err(|why| StoreError::Step { to, table, key: key.clone(), why })?;
                }
                progress.add(rows.len() as u64);
                let Some((key, _)) = rows.into_iter().next_back() else { break };
                last = Some(key);
                batches += 1;
                // One in many gives the room of replaced pages back.
                if u64::is_multiple_of(batches, SETTLED) { engine.write(&changes)? } else { engine.write_soon(&changes)? }
            }
        }
        stamp(engine, to)?;
    }
    Ok(())
}
