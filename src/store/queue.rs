//! Group commit: many callers put work in, one thread takes all of it at once.
//!
//! No artificial wait: whatever arrives while the thread flushes forms the next group, so a lone record goes at once
//! and a hundred share a flush.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Work that may wait; further callers are held back until there is room.
const ROOM: usize = 1024;

/// A bounded queue between async callers and one thread.
pub(crate) struct Queue<T> {
    state: Mutex<State<T>>,
    wake: Condvar,
    room: Arc<Semaphore>,
}

struct State<T> {
    waiting: VecDeque<(T, OwnedSemaphorePermit)>,
    closed: bool,
}

/// What the thread woke up for.
pub(crate) enum Taken<T> {
    /// All that waited, oldest first; never empty.
    Work(Vec<T>),
    /// The deadline passed.
    Due,
    /// Closed, and nothing is left.
    Closed,
}

impl<T> Queue<T> {
    /// An empty one.
    pub(crate) fn new() -> Self {
        let state = State { waiting: VecDeque::new(), closed: false };
        Queue { state: Mutex::new(state), wake: Condvar::new(), room: Arc::new(Semaphore::new(ROOM)) }
    }

    /// Puts work in; gives it back when the queue is closed.
    pub(crate) async fn push(&self, work: T) -> Result<(), T> {
        let Ok(permit) = self.room.clone().acquire_owned().await else { return Err(work) };
        let mut state = self.lock();
        if state.closed {
            return Err(work);
        }
        state.waiting.push_back((work, permit));
        self.wake.notify_one();
        Ok(())
    }

    /// Waits for work, for the deadline if there is one, or for the end.
    pub(crate) fn take(&self, due: Option<Instant>) -> Taken<T> {
        let mut state = self.lock();
        loop {
            if !state.waiting.is_empty() {
                return Taken::Work(state.waiting.drain(..).map(|(work, _permit)| work).collect());
            }
            if state.closed {
                return Taken::Closed;
            }
            state = match due {
                None => self.wake.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(due) => {
                    let left = due.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return Taken::Due;
                    }
                    self.wake.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    /// Takes no more; what waits is still served.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.room.close();
        self.wake.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn takes_all_that_waits_and_then_the_end() {
        let queue = Queue::new();
        for n in 0..3 {
            queue.push(n).await.unwrap();
        }
        queue.close();
        assert!(matches!(queue.take(None), Taken::Work(all) if all == [0, 1, 2]));
        assert!(matches!(queue.take(None), Taken::Closed));
        assert_eq!(queue.push(4).await, Err(4));
    }

    #[test]
    fn wakes_at_the_deadline() {
        let queue = Queue::<()>::new();
        assert!(matches!(queue.take(Some(Instant::now())), Taken::Due));
    }
}
