//! The one thread that writes the trail.
//!
//! It takes all that waits, appends it in one write, flushes once, then answers everybody. Records that may wait
//! (`Soon`) are written at once too, so a killed process loses none; only their flush waits. After a disk error
//! the segment is cut back to what is known good before anything else is appended. What comes first then is a record of how
//! many could not be written; it is tried again and again, so that the trail finds out by itself that the disk is well.

use crate::audit::chain::{Frame, Head};
use crate::audit::error::AuditError;
use crate::audit::index::Index;
use crate::audit::mark::Mark;
use crate::audit::medium::{Medium, Open};
use crate::audit::record::{self, Record};
use crate::audit::segment::{self, HEADER_BYTES, Header};
use crate::audit::tail::Tail;
use crate::base::clock::Clock;
use crate::host::metrics::Meter;
use crate::store::queue::{Queue, Taken};
use crate::store::{Durability, sync_parent};
use std::fs::File;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// Records that may be unflushed before a flush is due in any case.
const WAITING_RECORDS: usize = 100;
/// How long a disk that failed is left alone before pending records are flushed again, when nobody else writes.
const RETRY: Duration = Duration::from_secs(1);

/// One caller's record and where its answer goes.
pub(crate) struct Request {
    pub(crate) record: Record,
    pub(crate) durability: Durability,
    pub(crate) answer: oneshot::Sender<Result<u64, AuditError>>,
}

/// What the thread shares with readers and callers.
pub(crate) struct Shared {
    pub(crate) queue: Queue<Request>,
    pub(crate) index: RwLock<Index>,
    /// The last try to write failed.
    pub(crate) failing: AtomicBool,
}

/// What the thread is given.
pub(crate) struct Setup {
    pub(crate) dir: PathBuf,
    pub(crate) clock: Clock,
    pub(crate) boot: [u8; 16],
    pub(crate) segment_bytes: u64,
    pub(crate) flush_interval: Duration,
    pub(crate) open: Open,
    pub(crate) head_file: Box<dyn Medium>,
    /// Kept for as long as we write: the same file, locked by us.
    pub(crate) _lock: File,
    pub(crate) meter: Meter,
    /// Where to note how far the trail reaches.
    pub(crate) mark: Option<PathBuf>,
}

pub(crate) struct Writer {
    setup: Setup,
    shared: Arc<Shared>,
    number: u64,
    /// The present segment; `None` after a failure (or before the first record): `ready` mends it.
    file: Option<Box<dyn Medium>>,
    /// Whether the present segment has a header on the disk.
    begun: bool,
    /// How far the present segment is flushed.
    flushed: u64,
    /// Written after that, not flushed yet; kept to be written again after a failure.
    pending: Vec<u8>,
    pending_records: usize,
    head: Head,
    due: Option<Instant>,
    failing: bool,
    /// Records that were refused since the last one that was not.
    lost: u64,
    /// The segment that the mark was last written in.
    marked: Option<u64>,
}

impl Writer {
    pub(crate) fn new(setup: Setup, shared: Arc<Shared>, tail: &Tail) -> Self {
        let (number, flushed) = match tail.end {
            Some(end) => (tail.number, end),
            None => (tail.number + 1, HEADER_BYTES),
        };
        Writer {
            setup,
            shared,
            number,
            file: None,
            begun: tail.end.is_some(),
            flushed,
            pending: Vec::new(),
            pending_records: 0,
            head: tail.head,
            due: None,
            failing: false,
            lost: 0,
            marked: None,
        }
    }

    /// Serves until the queue is closed, then flushes.
    pub(crate) fn run(mut self) -> Result<(), AuditError> {
        loop {
            match self.shared.queue.take(self.due) {
                Taken::Work(group) => self.serve(group),
                Taken::Due => self.flush_due(),
                Taken::Closed => break,
            }
        }
        self.ready_if_pending().and_then(|()| self.flush())?;
        if self.lost > 0 {
            self.write(std::iter::empty(), true)?;
        }
        self.note();
        self.setup.head_file.sync().map_err(AuditError::io("flushing the head"))
    }

    /// Notes beside the trail how far it reaches.
    fn note(&mut self) {
        if let Some(file) = self.setup.mark.as_ref().filter(|_| self.head.seq > 0 && self.pending_records == 0) {
            Mark { reached: self.head.seq, is_missing: false }.write(file);
            self.marked = Some(self.number);
        }
    }

    fn serve(&mut self, group: Vec<Request>) {
        let now = self.failing || group.iter().any(|request| request.durability == Durability::Now);
        let result = self.write(group.iter().map(|request| request.record.clone()), now);
        match &result {
            Ok(_) => group.iter().for_each(|request| self.setup.meter.audit(&request.record.outcome)),
            Err(_) => {
                self.setup.meter.audit_unwritten(group.len());
                self.lost += group.len() as u64;
            }
        }
        for (n, request) in (0..).zip(group) {
            // A caller that left does not want to know; its record stands all the same.
            let _ = request.answer.send(result.clone().map(|first| first + n));
        }
    }

    /// Adds records, all or none, after one that says how many were lost, if any were. Answers the first one's number.
    fn write(&mut self, records: impl Iterator<Item = Record>, now: bool) -> Result<u64, AuditError> {
        let ready = self.ready();
        let (kept_bytes, kept_records, kept_head) = (self.pending.len(), self.pending_records, self.head);
        let gap = (self.lost > 0).then(|| Record::gap(self.lost));
        let first = kept_head.seq + 1 + u64::from(gap.is_some());
        let result = ready.and_then(|()| self.append(gap.into_iter().chain(records), now));
        self.failing = result.is_err();
        self.shared.failing.store(self.failing, Ordering::Relaxed);
        if result.is_ok() {
            self.lost = 0;
        } else {
            self.pending.truncate(kept_bytes);
            (self.pending_records, self.head, self.file) = (kept_records, kept_head, None);
            self.due = Some(Instant::now() + RETRY);
        }
        result.map(|()| first)
    }

    fn append(&mut self, records: impl Iterator<Item = Record>, now: bool) -> Result<(), AuditError> {
        let time = self.setup.clock.wall();
        let start = self.pending.len();
        let mut marks = Vec::new();
        for record in records {
            let payload = record::encode(time, self.setup.boot, record);
            let frame = Frame { seq: self.head.seq + 1, previous: self.head.hash, payload };
            marks.push((frame.seq, self.flushed + self.pending.len() as u64));
            frame.write(&mut self.pending);
            self.head = Head { seq: frame.seq, hash: frame.hash() };
            self.pending_records += 1;
        }
        let at = self.flushed + start as u64;
        let bytes = &self.pending[start..];
        let file = self.file.as_mut().expect("`ready` opened it before");
        file.write_at(bytes, at).map_err(AuditError::io("writing"))?;
        if now || self.pending_records >= WAITING_RECORDS {
            self.flush()?;
        } else {
            self.due.get_or_insert_with(|| Instant::now() + self.setup.flush_interval);
        }
        let end = self.flushed + self.pending.len() as u64;
        self.shared.index.write().unwrap_or_else(PoisonError::into_inner).grow(&marks, end);
        Ok(())
    }

    /// Makes what is pending durable, then says so in the head file.
    fn flush(&mut self) -> Result<(), AuditError> {
        if self.pending_records == 0 {
            self.due = None;
            return Ok(());
        }
        let file = self.file.as_mut().expect("pending records were written to it");
        file.sync().map_err(AuditError::io("flushing"))?;
        self.flushed += self.pending.len() as u64;
        self.pending.clear();
        (self.pending_records, self.due) = (0, None);
        // Not flushed itself: a head that lags is allowed, and half the writes are saved.
        if let Err(error) = self.setup.head_file.write_at(segment::head_line(self.head).as_bytes(), 0) {
            tracing::warn!(%error, "the head of the audit trail could not be written");
        }
        if self.marked != Some(self.number) {
            self.note();
        }
        Ok(())
    }

    fn flush_due(&mut self) {
        let was_failing = self.failing;
        let mut result = self.ready_if_pending().and_then(|()| self.flush());
        if result.is_ok() && self.lost > 0 {
            result = self.write(std::iter::empty(), true).map(drop);
        }
        self.shared.failing.store(result.is_err(), Ordering::Relaxed);
        if let Err(error) = result {
            // Said once: it may be days until somebody frees room, and the log may lie on the same disk.
            if !was_failing {
                tracing::error!(%error, "audit records could not be flushed; trying again");
            }
            (self.failing, self.file) = (true, None);
            self.due = Some(Instant::now() + RETRY);
        }
    }

    fn ready_if_pending(&mut self) -> Result<(), AuditError> {
        if self.pending_records > 0 { self.ready() } else { Ok(()) }
    }

    /// Sees to it that there is an open segment with room, good up to where we think it is.
    fn ready(&mut self) -> Result<(), AuditError> {
        if self.begun && self.flushed + self.pending.len() as u64 >= self.setup.segment_bytes {
            self.mend()?;
            self.flush()?;
            (self.file, self.begun, self.number, self.flushed) = (None, false, self.number + 1, HEADER_BYTES);
        }
        self.mend()
    }

    fn mend(&mut self) -> Result<(), AuditError> {
        if self.file.is_some() {
            return Ok(());
        }
        let path = segment::path(&self.setup.dir, self.number);
        let mut file = (self.setup.open)(&path).map_err(AuditError::io("opening a segment"))?;
        if self.begun {
            // Written again before what follows is cut off: readers never see the file without them.
            let mended = file.write_at(&self.pending, self.flushed);
            let end = self.flushed + self.pending.len() as u64;
            mended.and_then(|()| file.cut(end)).map_err(AuditError::io("mending a segment"))?;
        } else {
            let header = Header { number: self.number, before: self.head }.bytes();
            let made = file.cut(0).and_then(|()| file.write_at(&header, 0)).and_then(|()| file.sync());
            made.and_then(|()| sync_parent(&path)).map_err(AuditError::io("beginning a segment"))?;
            self.begun = true;
            self.shared.index.write().unwrap_or_else(PoisonError::into_inner).begin(self.number, self.head.seq + 1);
        }
        self.file = Some(file);
        Ok(())
    }
}
