//! The store: bytes under `(table, key)` behind three calls — `get`, `scan`, `commit`.
//!
//! - `commit` is all or nothing. With [`Durability::Now`] it is on the disk when the future resolves; concurrent
//!   callers share flushes. With [`Durability::Soon`] it is visible at once and on the disk within the flush interval.
//! - After a disk error, reads go on and commits answer [`StoreError::Io`] until the disk takes writes again; no
//!   restart is needed. A commit refused so is not acknowledged, but may be found stored when the error came late.
//! - One process at a time: the file is locked from open to close.
//!
//! The store knows no domain type: records ([`Record`], [`Table`]) and sealing ([`Seal`]) are given bytes and names.

mod disk;
mod engine;
mod epoch;
mod error;
#[cfg(test)]
pub(crate) mod golden;
mod migrate;
mod options;
pub(crate) mod queue;
mod record;
mod redb;
pub mod reseal;
mod scan;
pub mod seal;
mod spare;
mod table;
pub mod vault;
mod writer;

pub use disk::{Ground, Space};
pub use engine::{Batch, Durability};
pub use epoch::Epoch;
pub use error::StoreError;
pub use migrate::{SCHEMA, forget_kept};
pub use options::{Options, Progress, patience};
pub use record::{Record, body_as, decode, encode};
pub use reseal::{Field, Name};
pub use seal::{Place, Seal};
pub use table::Table;
pub use vault::Vault;

use engine::Engine;
use migrate::Standing;
use queue::Queue;
use redb::Redb;
use std::ops::Bound;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::oneshot;
use writer::{Request, Shared, Writer};

pub(crate) use disk::{Disk, FileDisk, ground, sync_parent};
#[cfg(test)]
pub(crate) use golden::golden;

/// Keys and values of one batch together.
pub const MAX_BATCH_BYTES: usize = 16 << 20;

/// Files up to this size are checked whole when they are opened: about 10 ms of work, half a second on a slow card.
const CHECKED_BYTES: u64 = 8 << 20;

/// How long a commit waits for the disk before it gives up knowing.
const COMMIT_DEADLINE: Duration = Duration::from_secs(30);

/// Puts something between an engine and its file: in tests, faults.
pub(crate) type Over = dyn Fn(FileDisk) -> Box<dyn Disk> + Send + Sync;

/// Nothing between them.
pub(crate) fn plain(disk: FileDisk) -> Box<dyn Disk> {
    Box::new(disk)
}

/// A handle to the open store; clones share it. Dropping the last one flushes and closes, blocking for as long as
/// that takes; prefer [`Store::close`].
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
    closed: Mutex<Option<oneshot::Receiver<Result<(), StoreError>>>>,
    volatile: bool,
}

impl Store {
    /// Opens the file or makes an empty one, and brings its schema up to date. Blocks for milliseconds.
    ///
    /// Errs with `Volatile` on a RAM file system (unless allowed), `Held` while another process has the file, `Newer`
    /// when a newer build wrote it (nothing is changed then), `Step` when a record of an older schema cannot be carried over (nothing
    /// is changed then either), `Damaged` or `Io`. An older schema takes as long as it takes: [`Options::progress`] hears how far it is.
    pub fn open(options: Options) -> Result<Store, StoreError> {
        Store::open_over(options, &plain)
    }

    /// The schema of a file that an `open` would bring up to date; changes nothing.
    ///
    /// Errs as `open`.
    pub fn is_behind(path: &Path) -> Result<Option<u32>, StoreError> {
        let engine = Redb::open(plain(FileDisk::open(path)?), 1 << 20, 0)?;
        let standing = migrate::standing(&engine, migrate::STEPS).map_err(|error| error.with_kept(path));
        engine.close()?;
        Ok(match standing? {
            Standing::Behind(found) => Some(found),
            Standing::Current | Standing::Empty => None,
        })
    }

    /// As `open`, with something between the engine and its file.
    pub(crate) fn open_over(options: Options, over: &Over) -> Result<Store, StoreError> {
        Store::open_by(options, over, migrate::STEPS, &migrate::Real)
    }

    fn open_by(options: Options, over: &Over, steps: &[migrate::Step], hands: &dyn migrate::Hands) -> Result<Store, StoreError> {
        let volatile = match disk::ground(&options.path)? {
            Ground::Volatile(file_system) if !options.volatile_ok => {
                let path = options.path.parent().unwrap_or(&options.path).to_owned();
                return Err(StoreError::Volatile { path, file_system });
            }
            ground => matches!(ground, Ground::Volatile(_)),
        };
        let is_new = !disk::is_made(&options.path);
        if is_new {
            disk::make(&options.path, |disk| {
                let engine = Redb::open(over(disk), options.cache_bytes(), 0)?;
                migrate::up(&engine, steps).and(engine.close())
            })?;
        }
        let open = |check_up_to| Redb::open(over(FileDisk::open(&options.path)?), options.cache_bytes(), check_up_to);
        let mut engine = open(if is_new { 0 } else { CHECKED_BYTES })?;
        if let Standing::Behind(found) = migrate::standing(&engine, steps).map_err(|error| error.with_kept(&options.path))? {
            migrate::climb(&engine, found, &options, steps, hands)?;
            engine.close()?;
            engine = open(0)?;
        }
        Store::over(engine, volatile, &options, steps)
    }

    /// On another disk than a file; of today's schema, or empty.
    #[cfg(test)]
    fn on(disk: Box<dyn Disk>, volatile: bool, options: &Options, check_up_to: u64) -> Result<Store, StoreError> {
        Store::over(Redb::open(disk, options.cache_bytes(), check_up_to)?, volatile, options, migrate::STEPS)
    }

    fn over(engine: Redb, volatile: bool, options: &Options, steps: &[migrate::Step]) -> Result<Store, StoreError> {
        migrate::up(&engine, steps)?;
        let shared = Arc::new(Shared { engine: Box::new(engine), waiting: RwLock::default(), queue: Queue::new() });
        let writer = Writer::new(shared.clone(), options);
        let (done, closed) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name("store".into())
            .spawn(move || {
                let result = writer.run();
                let _ = done.send(result);
            })
            .map_err(|e| StoreError::io("starting the writer", e))?;
        let (thread, closed) = (Mutex::new(Some(thread)), Mutex::new(Some(closed)));
        Ok(Store(Arc::new(Inner { shared, thread, closed, volatile })))
    }

    /// The value of a key. Reads from memory or the page cache; never waits for a commit.
    pub fn get(&self, table: &'static str, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.0.shared.get(table, key)
    }

    /// At most `limit` rows from a key on, in key order. To go on, pass `Bound::Excluded` of the last key.
    pub fn scan(&self, table: &'static str, from: Bound<&str>, limit: usize) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        self.0.shared.scan(table, from, limit)
    }

    /// Changes the store, all or nothing. A caller that stops waiting does not stop the commit.
    ///
    /// Errs with `Expectation` when an [`expect`](Batch::expect) does not hold (other callers' batches are unharmed),
    /// `Io` when the disk refuses, `Stalled` when it does not answer within 30 s (the outcome is unknown then).
    pub async fn commit(&self, batch: Batch, durability: Durability) -> Result<(), StoreError> {
        let bytes = batch.bytes();
        if bytes > MAX_BATCH_BYTES {
            return Err(StoreError::TooLarge { bytes });
        }
        let (answer, result) = oneshot::channel();
        let asked = async {
            let request = Request { batch, durability, answer };
            self.0.shared.queue.push(request).await.map_err(|_| StoreError::Closed)?;
            result.await.map_err(|_| StoreError::Closed)?
        };
        let stalled = || StoreError::Stalled { seconds: COMMIT_DEADLINE.as_secs() };
        tokio::time::timeout(COMMIT_DEADLINE, asked).await.map_err(|_| stalled())?
    }

    /// Copies all of it, as of one moment, into a file that is not there yet (mode 0600). Commits go on meanwhile.
    pub async fn copy_to(&self, path: &Path) -> Result<(), StoreError> {
        // What waits in memory belongs to that moment too.
        self.commit(Batch::new(), Durability::Now).await?;
        let (shared, path) = (self.0.shared.clone(), path.to_owned());
        let copied = tokio::task::spawn_blocking(move || shared.engine.copy_to(&path)).await;
        copied.unwrap_or(Err(StoreError::Closed))
    }

    /// Each table, with its number of rows on the disk.
    pub fn tables(&self) -> Result<Vec<(String, u64)>, StoreError> {
        self.0.shared.engine.tables()
    }

    /// Whether the store is on a RAM file system: then no credentials may be kept in it.
    pub fn is_volatile(&self) -> bool {
        self.0.volatile
    }

    /// Flushes what waits, closes the file and releases its lock. Other clones answer `Closed` from then on.
    pub async fn close(self) -> Result<(), StoreError> {
        self.0.shared.queue.close();
        let closed = self.0.closed.lock().unwrap_or_else(PoisonError::into_inner).take();
        match closed {
            Some(closed) => {
                let stalled = |_| StoreError::Stalled { seconds: COMMIT_DEADLINE.as_secs() };
                tokio::time::timeout(COMMIT_DEADLINE, closed).await.map_err(stalled)?.unwrap_or(Err(StoreError::Closed))
            }
            None => Err(StoreError::Closed),
        }
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Store")
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.shared.queue.close();
        if let Some(thread) = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod migrate_tests;
#[cfg(test)]
mod power_tests;
#[cfg(test)]
mod refusal_tests;
#[cfg(test)]
mod seal_tests;
#[cfg(test)]
mod tests;
