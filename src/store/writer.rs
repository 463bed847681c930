//! The one thread that commits.
//!
//! It judges each batch in order of arrival against everything before it, then commits all accepted ones in one
//! transaction. It is the only writer of a file that is locked, so what it reads before the transaction is what the
//! transaction starts from. Records that may wait (`Soon`) stand in memory, in front of the engine, until the next
//! flush; readers look there first.

use crate::host::metrics::Meter;
use crate::store::engine::{Batch, Changes, Durability, Engine};
use crate::store::error::StoreError;
use crate::store::options::Options;
use crate::store::queue::{Queue, Taken};
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// Records that may wait before a flush is due in any case.
const WAITING_RECORDS: usize = 100;
/// How long a disk that failed is left alone before waiting records are tried again, when nobody else writes.
const RETRY: Duration = Duration::from_secs(1);

/// One caller's batch and where its answer goes.
pub(crate) struct Request {
    pub(crate) batch: Batch,
    pub(crate) durability: Durability,
    pub(crate) answer: oneshot::Sender<Result<(), StoreError>>,
}

/// What the thread shares with readers and callers.
pub(crate) struct Shared {
    pub(crate) engine: Box<dyn Engine>,
    pub(crate) waiting: RwLock<Changes>,
    pub(crate) queue: Queue<Request>,
}

pub(crate) struct Writer {
    shared: Arc<Shared>,
    flush_interval: Duration,
    /// When what waits has to be on the disk.
    due: Option<Instant>,
    /// The last flush failed: nothing may wait in memory for a disk that does not take it.
    failing: bool,
    meter: Meter,
    path: PathBuf,
}

impl Writer {
    pub(crate) fn new(shared: Arc<Shared>, options: &Options) -> Self {
        let (path, meter) = (options.path.clone(), options.meter.clone());
        let writer = Writer { shared, flush_interval: options.flush_interval, due: None, failing: false, meter, path };
        writer.measure();
        writer
    }

    /// Tells how large the file is.
    fn measure(&self) {
        if self.meter.is_on()
            && let Ok(file) = std::fs::metadata(&self.path)
        {
            self.meter.store_size(file.len());
        }
    }

    /// Commits, and counts it.
    fn write(&self, changes: &Changes) -> Result<(), StoreError> {
        let began = Instant::now();
        let result = self.shared.engine.write(changes);
        self.meter.commit(result.is_ok(), began.elapsed());
        self.measure();
        result
    }

    /// Serves until the queue is closed; then flushes and closes the engine.
    pub(crate) fn run(mut self) -> Result<(), StoreError> {
        loop {
            match self.shared.queue.take(self.due) {
                Taken::Work(group) => self.serve(group),
                Taken::Due => {
                    if let Err(error) = self.flush(Changes::new()) {
                        tracing::error!(%error, "records that may wait could not be stored; trying again");
                    }
                }
                Taken::Closed => break,
            }
        }
        let flushed = if self.due.is_some() { self.flush(Changes::new()) } else { Ok(()) };
        flushed.and(self.shared.engine.close())
    }

    fn serve(&mut self, group: Vec<Request>) {
        let mut staged = Changes::new();
        let mut accepted = Vec::with_capacity(group.len());
        let mut now = self.failing;
        for request in group {
            match self.judge(&request.batch, &staged) {
                Ok(()) => {
                    now |= request.durability == Durability::Now;
                    staged.extend(request.batch.changes);
                    accepted.push(request.answer);
                }
                Err(error) => answer(request.answer, Err(error)),
            }
        }
        if accepted.is_empty() {
            return;
        }
        let result = if now { self.flush(staged) } else { self.keep(staged) };
        for caller in accepted {
            answer(caller, result.clone());
        }
    }

    /// Whether the batch's expectations hold on top of what was accepted before it.
    fn judge(&self, batch: &Batch, staged: &Changes) -> Result<(), StoreError> {
        for (table, key, expected) in &batch.expects {
            let at = (*table, key.clone());
            let held = match staged.get(&at) {
                Some(value) => value.clone(),
                None => self.shared.get(table, key)?,
            };
            if held != *expected {
                return Err(StoreError::Expectation { table, key: key.clone() });
            }
        }
        Ok(())
    }

    /// Lets changes wait in memory, unless enough wait already.
    fn keep(&mut self, staged: Changes) -> Result<(), StoreError> {
        let waiting = self.shared.waiting.read().unwrap_or_else(PoisonError::into_inner).len();
        if waiting + staged.len() >= WAITING_RECORDS {
            return self.flush(staged);
        }
        if !staged.is_empty() {
            self.shared.waiting.write().unwrap_or_else(PoisonError::into_inner).extend(staged);
            self.due.get_or_insert_with(|| Instant::now() + self.flush_interval);
        }
        Ok(())
    }

    /// Commits these together with all that waits.
    fn flush(&mut self, staged: Changes) -> Result<(), StoreError> {
        let mut all = self.shared.waiting.read().unwrap_or_else(PoisonError::into_inner).clone();
        all.extend(staged);
        let result = if all.is_empty() { Ok(()) } else { self.write(&all) };
        self.failing = result.is_err();
        if result.is_ok() {
            self.shared.waiting.write().unwrap_or_else(PoisonError::into_inner).clear();
            self.due = None;
        } else if self.due.is_some() {
            self.due = Some(Instant::now() + RETRY);
        }
        result
    }
}

impl Shared {
    /// The value readers see: what waits wins over what is stored.
    pub(crate) fn get(&self, table: &'static str, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        // Held across both looks: a flush in between would take the value from one before it shows in the other.
        let waiting = self.waiting.read().unwrap_or_else(PoisonError::into_inner);
        if !waiting.is_empty()
            && let Some(value) = waiting.get(&(table, key.to_owned()))
        {
            return Ok(value.clone());
        }
        self.engine.get(table, key)
    }
}

fn answer(to: oneshot::Sender<Result<(), StoreError>>, result: Result<(), StoreError>) {
    // A caller that left does not want to know; its batch stands all the same.
    let _ = to.send(result);
}
