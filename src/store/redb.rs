//! The engine on redb: the only file that knows redb.
//!
//! - Commits are two-phase with quick repair: opening after a power cut does not walk the file, and router-supplied
//!   text cannot be arranged into a valid-looking commit (redb's checksums are not cryptographic).
//! - After an I/O error redb refuses everything that is not in its cache until it is reopened. We reopen and repeat once. Where
//!   the disk takes no writes, opening does not work either; reads then go on over the file as the last commit left it, with
//!   what redb writes while it opens kept in memory (`spare.rs`), and each commit tries again. The old handle's gate is shut
//!   first, so that it can never write into a file the new one owns.
//! - The lock is ours (a lock on the file, held from open to close), not redb's: two handles of this process
//!   overlap while reopening.

use crate::store::disk::{Disk, sync_parent};
use crate::store::engine::{Changes, Engine, Rows};
use crate::store::error::StoreError;
use crate::store::spare::Spare;
use redb::backends::FileBackend;
use redb::{
    Database, ReadTransaction, ReadableDatabase, ReadableTable, ReadableTableMetadata, StorageBackend, TableDefinition, TableError,
    TableHandle,
};
use std::fs::{File, OpenOptions};
use std::io;
use std::ops::Bound;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

fn definition(table: &'static str) -> TableDefinition<'static, &'static str, &'static [u8]> {
    TableDefinition::new(table)
}

/// redb over a disk that can be opened again.
pub(crate) struct Redb {
    disk: Box<dyn Disk>,
    cache_bytes: usize,
    slot: RwLock<Option<Handle>>,
}

struct Handle {
    database: Database,
    /// The way to the file; shut when it is only read from.
    gate: Arc<Gate>,
}

impl Redb {
    /// Opens the file, or makes an empty one. A file of at most `check_up_to` bytes is checked page by page first: redb
    /// trusts a file that was closed well, and panics on one that was damaged afterwards.
    pub(crate) fn open(disk: Box<dyn Disk>, cache_bytes: usize, check_up_to: u64) -> Result<Self, StoreError> {
        let handle = match open_handle(&*disk, cache_bytes, check_up_to) {
            // Opening writes a little, and some file systems find no room for what overwrites. It is read until there is some.
            Err(error) if error.is_for_want_of_room() => {
                let inner = disk.open().map_err(|e| StoreError::io("opening the file", e))?;
                let gate = Arc::new(Gate { inner, shut: AtomicBool::new(true) });
                open_to_read(gate, cache_bytes, check_up_to).map_err(|_| error)?
            }
            opened => opened?,
        };
        Ok(Redb { disk, cache_bytes, slot: RwLock::new(Some(handle)) })
    }

    /// Whether the file holds no table at all.
    pub(crate) fn is_new(&self) -> Result<bool, StoreError> {
        let slot = self.read_slot();
        let read = live(&slot)?.database.begin_read().map_err(failed("reading"))?;
        Ok(read.list_tables().map_err(failed("reading"))?.next().is_none())
    }

    fn attempt(&self, changes: &Changes, durability: redb::Durability) -> Result<(), StoreError> {
        let slot = self.read_slot();
        let handle = live(&slot)?;
        handle.gate.open().map_err(|e| StoreError::io("committing", e))?;
        let mut write = handle.database.begin_write().map_err(failed("committing"))?;
        if matches!(durability, redb::Durability::None) {
            write.set_durability(durability).map_err(|e| StoreError::damaged(format!("committing: {e}")))?;
        } else {
            write.set_two_phase_commit(true);
            write.set_quick_repair(true);
        }
        // A failure on the way drops the transaction, which undoes it.
        let mut changes = changes.iter().peekable();
        while let Some(((name, _), _)) = changes.peek() {
            let name = *name;
            let mut table = write.open_table(definition(name)).map_err(failed("committing"))?;
            while let Some(((_, key), value)) = changes.next_if(|((table, _), _)| *table == name) {
                match value {
                    Some(value) => table.insert(key.as_str(), value.as_slice()).map_err(failed("committing"))?,
                    None => table.remove(key.as_str()).map_err(failed("committing"))?,
                };
            }
        }
        write.commit().map_err(failed("committing"))
    }

    /// As `write`, but on the disk only with the next one: for a copy that nobody relies on yet.
    pub(crate) fn write_soon(&self, changes: &Changes) -> Result<(), StoreError> {
        self.attempt(changes, redb::Durability::None)
    }

    fn reopen(&self) -> Result<(), StoreError> {
        let mut slot = self.write_slot();
        let gate = live(&slot)?.gate.clone();
        gate.shut();
        match open_handle(&*self.disk, self.cache_bytes, 0) {
            Ok(handle) => *slot = Some(handle),
            Err(error) => {
                // Where not even that can be read, the old handle has its cache.
                if let Ok(handle) = open_to_read(gate, self.cache_bytes, 0) {
                    *slot = Some(handle);
                }
                return Err(error);
            }
        }
        Ok(())
    }

    /// Reads; after an I/O error once more over the file as it is now.
    fn reading<T>(&self, read: impl Fn(&Handle) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let first = read(live(&self.read_slot())?);
        match first {
            Err(error) if error.is_io() => {
                tracing::warn!(%error, cause = ?std::error::Error::source(&error), "reopening the store after an I/O error");
                let reopened = self.reopen();
                read(live(&self.read_slot())?).map_err(|again| reopened.err().unwrap_or(again))
            }
            done => done,
        }
    }

    fn read_slot(&self) -> RwLockReadGuard<'_, Option<Handle>> {
        self.slot.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_slot(&self) -> RwLockWriteGuard<'_, Option<Handle>> {
        self.slot.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Engine for Redb {
    fn get(&self, table: &'static str, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.reading(|handle| {
            let read = handle.database.begin_read().map_err(failed("reading"))?;
            match read.open_table(definition(table)) {
                Ok(table) => Ok(table.get(key).map_err(failed("reading"))?.map(|value| value.value().to_vec())),
                Err(TableError::TableDoesNotExist(_)) => Ok(None),
                Err(error) => Err(failed("reading")(error)),
            }
        })
    }

    fn scan(&self, table: &'static str, from: Bound<&str>, limit: usize) -> Result<Rows, StoreError> {
        self.reading(|handle| {
            let read = handle.database.begin_read().map_err(failed("reading"))?;
            let table = match read.open_table(definition(table)) {
                Ok(table) => table,
                Err(TableError::TableDoesNotExist(_)) => return Ok(Vec::new()),
                Err(error) => return Err(failed("reading")(error)),
            };
            let range = ReadableTable::range::<&str>(&table, (from, Bound::Unbounded)).map_err(failed("reading"))?;
            range
                .take(limit)
                .map(|row| row.map(|(key, value)| (key.value().to_owned(), value.value().to_vec())).map_err(failed("reading")))
                .collect()
        })
    }

    fn write(&self, changes: &Changes) -> Result<(), StoreError> {
        match self.attempt(changes, redb::Durability::Immediate) {
            // The failed commit may have reached the disk after all; writing the same values again is harmless.
            Err(error) if error.is_io() => {
                tracing::warn!(%error, cause = ?std::error::Error::source(&error), "reopening the store after an I/O error");
                self.reopen()?;
                self.attempt(changes, redb::Durability::Immediate)
            }
            done => done,
        }
    }

    fn copy_to(&self, path: &Path) -> Result<(), StoreError> {
        let slot = self.read_slot();
        let read = live(&slot)?.database.begin_read().map_err(failed(COPYING))?;
        let copied = (|| {
            let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path);
            let file = file.map_err(|e| StoreError::io(COPYING, e))?;
            let mut builder = Database::builder();
            let backend = FileBackend::new(file).map_err(failed(COPYING))?;
            let copy = builder.set_cache_size(self.cache_bytes).create_with_backend(backend).map_err(failed(COPYING))?;
            for table in read.list_tables().map_err(failed(COPYING))? {
                copy_table(&read, &copy, table.name())?;
            }
            // The one flush: until here nobody relies on the file.
            let last = copy.begin_write().map_err(failed(COPYING))?;
            last.commit().map_err(failed(COPYING))?;
            copy.close().map_err(failed(COPYING))?;
            let flushed = File::open(path).and_then(|file| file.sync_all()).and_then(|()| sync_parent(path));
            flushed.map_err(|e| StoreError::io(COPYING, e))
        })();
        if copied.is_err() {
            // Half a copy is none.
            let _ = std::fs::remove_file(path);
        }
        copied
    }

    fn tables(&self) -> Result<Vec<(String, u64)>, StoreError> {
        let slot = self.read_slot();
        let read = live(&slot)?.database.begin_read().map_err(failed("reading"))?;
        let tables = read.list_tables().map_err(failed("reading"))?;
        let count = |name: &str| {
            let table = read.open_table(TableDefinition::<&str, &[u8]>::new(name)).map_err(failed("reading"))?;
            table.len().map_err(failed("reading"))
        };
        tables.map(|table| Ok((table.name().to_owned(), count(table.name())?))).collect()
    }

    fn close(&self) -> Result<(), StoreError> {
        let Some(handle) = self.write_slot().take() else { return Err(StoreError::Closed) };
        let closed = handle.database.close().map_err(failed("closing"));
        self.disk.release();
        closed
    }
}

const COPYING: &str = "copying the store";

/// Bytes of rows between two commits of a copy: what stands in memory meanwhile.
const COPY_BYTES: usize = 1 << 20;

/// One table into the copy, a transaction for each [`COPY_BYTES`].
fn copy_table(read: &ReadTransaction, copy: &Database, name: &str) -> Result<(), StoreError> {
    let definition = TableDefinition::<&str, &[u8]>::new(name);
    let from = read.open_table(definition).map_err(failed(COPYING))?;
    let mut rows = from.range::<&str>(..).map_err(failed(COPYING))?.peekable();
    loop {
        let mut write = copy.begin_write().map_err(failed(COPYING))?;
        write.set_durability(redb::Durability::None).map_err(|e| StoreError::damaged(format!("{COPYING}: {e}")))?;
        let mut to = write.open_table(definition).map_err(failed(COPYING))?;
        let mut bytes = 0;
        while let Some(row) = rows.next_if(|_| bytes < COPY_BYTES) {
            let (key, value) = row.map_err(failed(COPYING))?;
            bytes += key.value().len() + value.value().len();
            to.insert(key.value(), value.value()).map_err(failed(COPYING))?;
        }
        drop(to);
        write.commit().map_err(failed(COPYING))?;
        if rows.peek().is_none() {
            return Ok(());
        }
    }
}

fn live(slot: &Option<Handle>) -> Result<&Handle, StoreError> {
    slot.as_ref().ok_or(StoreError::Closed)
}

fn open_handle(disk: &dyn Disk, cache_bytes: usize, check_up_to: u64) -> Result<Handle, StoreError> {
    let failed_io = |e| StoreError::io("opening the file", e);
    let inner = disk.open().map_err(failed_io)?;
    let check = (1..=check_up_to).contains(&inner.len().map_err(failed_io)?);
    let gate = Arc::new(Gate { inner, shut: AtomicBool::new(false) });
    let mut builder = Database::builder();
    builder.set_cache_size(cache_bytes).set_check_integrity_on_open(check);
    let database = builder.create_with_backend(Gated(gate.clone())).map_err(failed("opening the file"))?;
    Ok(Handle { database, gate })
}

/// The file as the last commit left it, to be read only.
fn open_to_read(gate: Arc<Gate>, cache_bytes: usize, check_up_to: u64) -> Result<Handle, StoreError> {
    let failed_io = |e| StoreError::io("opening the file", e);
    let check = (1..=check_up_to).contains(&gate.inner.len().map_err(failed_io)?);
    let mut builder = Database::builder();
    let spare = Spare::over(Gated(gate.clone())).map_err(failed_io)?;
    let database = builder
        .set_cache_size(cache_bytes)
        .set_check_integrity_on_open(check)
        .create_with_backend(spare)
        .map_err(failed("opening the file"))?;
    Ok(Handle { database, gate })
}

/// Turns any of redb's errors into ours.
fn failed<E: Into<redb::Error>>(doing: &'static str) -> impl Fn(E) -> StoreError {
    move |error| match error.into() {
        // redb says so when the file does not start as a redb file does.
        redb::Error::Io(e) if e.kind() == io::ErrorKind::InvalidData => StoreError::damaged(format!("{doing}: {e}")),
        redb::Error::Io(e) => StoreError::io(doing, e),
        redb::Error::PreviousIo => StoreError::io(doing, io::Error::other("an earlier write failed")),
        redb::Error::DatabaseClosed => StoreError::Closed,
        redb::Error::ValueTooLarge(bytes) => StoreError::TooLarge { bytes },
        other => StoreError::damaged(format!("{doing}: {other}")),
    }
}

/// A backend that can be cut off from writing while it still reads.
#[derive(Debug)]
struct Gate {
    inner: Box<dyn StorageBackend>,
    shut: AtomicBool,
}

impl Gate {
    fn shut(&self) {
        self.shut.store(true, Ordering::SeqCst);
    }

    fn open(&self) -> io::Result<&dyn StorageBackend> {
        if self.shut.load(Ordering::SeqCst) { Err(io::Error::other("this handle was replaced")) } else { Ok(&*self.inner) }
    }
}

#[derive(Debug)]
struct Gated(Arc<Gate>);

impl StorageBackend for Gated {
    fn len(&self) -> io::Result<u64> {
        self.0.inner.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.inner.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.open()?.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.open()?.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.open()?.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
        self.0.inner.close()
    }
}
