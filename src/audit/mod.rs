//! The audit trail: an append-only chain of records in segment files of its own.
//!
//! - Each record carries the hash of the one before; [`verify`] names the first that was changed, removed or moved.
//! - It is neither migrated nor rolled back with the store.
//! - Segments older than the operator keeps are archived beside it; the trail says so itself.
//! - One thread writes; callers that come together share a flush. With [`Durability::Now`] a record is on the disk when
//!   the future resolves; with `Soon` it is in the file at once and flushed within the interval or 100 records.
//! - Whoever gets an [`AuditError`] from [`Audit::append`] must not touch a router: no audit, no change.

mod archive;
mod chain;
mod cut;
mod error;
mod export;
mod index;
mod mark;
mod medium;
mod read;
mod record;
mod segment;
pub mod sign;
mod tail;
mod verify;
mod writer;

pub use archive::{Label, place as archive_dir, size as archive_size, verify_archive};
pub use chain::{Hash, Head};
pub use cut::Age;
pub use error::AuditError;
pub use export::{Format, export, export_archive, export_if, json};
pub use mark::{reaches, reaches_by_its_head};
pub use read::{Filter, Page};
pub use record::{ClientInfo, MAX_ARGUMENTS_BYTES, MAX_TEXT_BYTES, Phase, Record, Stored, Who};
#[cfg(all(test, feature = "sim"))]
pub(crate) use verify::with_ends;
pub use verify::{Checked, Reach, Report, verify, verify_all};

pub(crate) use medium::{Medium, Open, file};

use crate::base::clock::Clock;
use crate::base::ids::random;
use crate::host::files;
use crate::host::metrics::Meter;
use crate::store::queue::Queue;
use crate::store::{Durability, sync_parent};
use index::{Index, Marks};
use mark::Mark;
use segment::SavedHead;
use std::fs::{DirBuilder, File, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::oneshot;
use writer::{Request, Setup, Shared, Writer};

/// How the trail is kept.
#[derive(Debug, Clone)]
pub struct Options {
    /// A segment that has reached this size is followed by a new one. 4 MiB unless set.
    pub segment_bytes: u64,
    /// How long records that may wait stay unflushed; 5 s unless set.
    pub flush_interval: Duration,
    /// Counts records.
    pub meter: Meter,
    /// Where to note how far it reaches, beside its directory; `None`: nowhere.
    pub mark: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Options { segment_bytes: 4 << 20, flush_interval: Duration::from_secs(5), meter: Meter::off(), mark: None }
    }
}

/// How long a caller waits for the disk before it gives up knowing.
const APPEND_DEADLINE: Duration = Duration::from_secs(30);

/// A handle to the open trail; clones share it. Dropping the last one flushes and closes; prefer [`Audit::close`].
#[derive(Clone)]
pub struct Audit(Arc<Inner>);

struct Inner {
    shared: Arc<Shared>,
    dir: PathBuf,
    mark: Option<PathBuf>,
    checked: tokio::sync::Mutex<Option<Checked>>,
    older: Mutex<Marks>,
    cutting: tokio::sync::Mutex<()>,
    thread: Mutex<Option<JoinHandle<()>>>,
    closed: Mutex<Option<oneshot::Receiver<Result<(), AuditError>>>>,
}

impl Audit {
    /// Opens the trail in a directory (made if need be, mode 0700), mends what a crash tore and goes on with the chain.
    ///
    /// Errs with `Held` while another process has it open, or `Io`.
    pub fn open(dir: &Path, clock: Clock, options: Options) -> Result<Audit, AuditError> {
        Audit::open_on(dir, clock, options, Box::new(file))
    }

    /// As `open`, with another way to the disk.
    pub(crate) fn open_on(dir: &Path, clock: Clock, options: Options, open: Open) -> Result<Audit, AuditError> {
        DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(AuditError::io("making the directory"))?;
        let lock = lock(dir)?;
        let mut head_file = open(&dir.join(segment::HEAD)).map_err(AuditError::io("opening the head"))?;
        let tail = tail::recover(dir)?;
        if !matches!(segment::saved_head(dir)?, SavedHead::At(_)) {
            begin_head(dir, &mut *head_file, tail.head).map_err(AuditError::io("making the head"))?;
        }
        let shared = Arc::new(Shared { queue: Queue::new(), index: RwLock::new(Index::new(dir, &tail)?), failing: AtomicBool::new(false) });
        let Options { segment_bytes, flush_interval, meter, mark } = options;
        let noted = mark.as_deref().map(Mark::read).unwrap_or_default();
        if !noted.is_missing && noted.reached > tail.head.seq {
            let (here, known) = (tail.head.seq, noted.reached);
            tracing::error!(
                "the audit trail ends at record {here}, and it had {known}: its files were removed, or another's were put in their place"
            );
            if let Some(file) = &mark {
                Mark { is_missing: true, ..noted }.write(file);
            }
        }
        // What was missing once is not forgotten when there are as many records again.
        let noting = mark.clone().filter(|_| noted.reached <= tail.head.seq && !noted.is_missing);
        let setup = Setup {
            dir: dir.to_owned(),
            clock,
            boot: boot_id(),
            segment_bytes,
            flush_interval,
            open,
            head_file,
            _lock: lock,
            meter,
            mark: noting,
        };
        let writer = Writer::new(setup, shared.clone(), &tail);
        let (done, closed) = oneshot::channel();
        let run = move || {
            let result = writer.run();
            let _ = done.send(result);
        };
        let thread = std::thread::Builder::new().name("audit".into()).spawn(run).map_err(AuditError::io("starting the writer"))?;
        let (thread, closed) = (Mutex::new(Some(thread)), Mutex::new(Some(closed)));
        let (older, checked, cutting) = (Mutex::default(), tokio::sync::Mutex::default(), tokio::sync::Mutex::default());
        Ok(Audit(Arc::new(Inner { shared, dir: dir.to_owned(), mark, checked, older, cutting, thread, closed })))
    }

    /// Adds a record and says its sequence number. A caller that stops waiting does not stop the record.
    ///
    /// Errs with `Io` when the disk refuses (the record is then not in the trail), `Stalled` when it does not answer
    /// within 30 s, `Closed` after [`close`](Audit::close).
    pub async fn append(&self, record: Record, durability: Durability) -> Result<u64, AuditError> {
        let (answer, result) = oneshot::channel();
        let asked = async {
            let request = Request { record, durability, answer };
            self.0.shared.queue.push(request).await.map_err(|_| AuditError::Closed)?;
            result.await.map_err(|_| AuditError::Closed)?
        };
        let stalled = |_| AuditError::Stalled { seconds: APPEND_DEADLINE.as_secs() };
        tokio::time::timeout(APPEND_DEADLINE, asked).await.map_err(stalled)?
    }

    /// Whether the last try to write failed.
    pub fn is_failing(&self) -> bool {
        self.shared().failing.load(Ordering::Relaxed)
    }

    /// Flushes and lets go of the trail. Other clones answer `Closed` from then on.
    pub async fn close(self) -> Result<(), AuditError> {
        self.0.shared.queue.close();
        let closed = self.0.closed.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(closed) = closed else { return Err(AuditError::Closed) };
        let stalled = |_| AuditError::Stalled { seconds: APPEND_DEADLINE.as_secs() };
        tokio::time::timeout(APPEND_DEADLINE, closed).await.map_err(stalled)?.unwrap_or(Err(AuditError::Closed))
    }

    /// Where its segments are.
    pub fn dir(&self) -> PathBuf {
        self.0.dir.clone()
    }

    fn mark(&self) -> Option<PathBuf> {
        self.0.mark.clone()
    }

    fn checked(&self) -> &tokio::sync::Mutex<Option<Checked>> {
        &self.0.checked
    }

    fn shared(&self) -> &Shared {
        &self.0.shared
    }

    fn older(&self) -> MutexGuard<'_, Marks> {
        self.0.older.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How far the trail in a directory reaches at least, as its head file says; nothing is opened or locked for it.
pub fn reach(dir: &Path) -> Result<Head, AuditError> {
    Ok(segment::saved_head(dir)?.reached())
}

impl std::fmt::Debug for Audit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Audit")
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

/// The head file is also the lock.
fn lock(dir: &Path) -> Result<File, AuditError> {
    let mut options = files::unlinked();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    let file = options.open(dir.join(segment::HEAD)).map_err(AuditError::io("opening the head"))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(AuditError::Held { path: dir.to_owned() }),
        Err(TryLockError::Error(e)) => Err(AuditError::io("locking the head")(e)),
    }
}

fn begin_head(dir: &Path, file: &mut dyn Medium, head: Head) -> io::Result<()> {
    file.cut(0)?;
    file.write_at(segment::head_line(head).as_bytes(), 0)?;
    file.sync()?;
    sync_parent(&dir.join(segment::HEAD))?;
    sync_parent(dir)
}

/// The kernel's id for this boot, or a random one where it tells none.
fn boot_id() -> [u8; 16] {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
    let bytes = data_encoding::HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).unwrap_or_default();
    bytes.try_into().unwrap_or_else(|_| random())
}

#[cfg(test)]
mod archive_tests;
#[cfg(test)]
mod crash_tests;
#[cfg(test)]
mod disk_tests;
#[cfg(test)]
mod tests;
