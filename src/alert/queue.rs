//! Messages on their way through one channel: in memory, and in the store, so that a restart loses none.
//!
//! In order, for nobody should hear that a router is back before hearing that it was gone. Bounded: when a receiver is away for so
//! long that it is full, the oldest goes. A store that cannot be written stops nothing: a full disk is what alerts are for.

use crate::alert::message::Message;
use crate::alert::record::Queued;
use crate::base::clock::Wall;
use crate::store::{Batch, Store, StoreError, Table};
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// Messages of one channel: a day of one every two minutes, some 500 kB.
pub const MOST: usize = 500;

/// The queue of one channel.
pub struct Queue {
    channel: &'static str,
    table: Table<Queued>,
    waiting: Mutex<Waiting>,
    /// Fires when something came.
    pub came: Notify,
}

#[derive(Default)]
struct Waiting {
    next: u64,
    entries: VecDeque<(u64, Queued)>,
}

impl Queue {
    /// With what an earlier process left.
    pub fn open(channel: &'static str, store: &Store) -> Result<Queue, StoreError> {
        let table = Table::<Queued>::new(store.clone());
        let mut waiting = Waiting::default();
        for (key, queued) in table.all()? {
            let seq = key.strip_prefix(channel).and_then(|rest| rest.strip_prefix('/')).and_then(|seq| u64::from_str_radix(seq, 16).ok());
            if let Some(seq) = seq {
                waiting.entries.push_back((seq, queued));
                waiting.next = seq + 1;
            }
        }
        Ok(Queue { channel, table, waiting: Mutex::new(waiting), came: Notify::new() })
    }

    /// One more, and what the store has to hear of it; says how many went for it.
    pub fn push(&self, message: &Message, now: Wall, batch: Batch) -> (Batch, usize) {
        let mut waiting = self.waiting();
        let queued = Queued { message: message.clone(), since: now };
        let seq = waiting.next;
        waiting.next += 1;
        let mut batch = self.table.put_into(batch, &self.key(seq), &queued);
        waiting.entries.push_back((seq, queued));
        let mut gone = 0;
        while waiting.entries.len() > MOST
            && let Some((oldest, _)) = waiting.entries.pop_front()
        {
            batch = self.table.delete_into(batch, &self.key(oldest));
            gone += 1;
        }
        (batch, gone)
    }

    /// The oldest.
    pub fn front(&self) -> Option<(u64, Queued)> {
        self.waiting().entries.front().cloned()
    }

    /// It is off our hands; what the store has to hear of it.
    pub fn done(&self, seq: u64) -> Batch {
        self.waiting().entries.retain(|(known, _)| *known != seq);
        self.table.delete_into(Batch::new(), &self.key(seq))
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.waiting().entries.len()
    }

    fn key(&self, seq: u64) -> String {
        format!("{}/{seq:016x}", self.channel)
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Durability, Options};

    fn message(n: usize) -> Message {
        Message { summary: format!("message {n}"), ..Message::test(Wall(0)) }
    }

    #[tokio::test]
    async fn what_waits_is_there_after_a_restart_in_its_order_and_no_channel_sees_anothers() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(Options { volatile_ok: true, ..Options::at(dir.path().join("s.redb")) }).unwrap();
        let (ours, other) = (Queue::open("webhook", &store).unwrap(), Queue::open("syslog", &store).unwrap());
        for n in 0..20 {
            let (batch, gone) = ours.push(&message(n), Wall(5), Batch::new());
            assert_eq!(gone, 0);
            store.commit(batch, Durability::Now).await.unwrap();
        }
        let first = ours.front().unwrap();
        assert_eq!((first.1.message.summary.as_str(), first.1.since, other.front()), ("message 0", Wall(5), None));
        store.commit(ours.done(first.0), Durability::Now).await.unwrap();
        let again = Queue::open("webhook", &store).unwrap();
        assert_eq!((again.len(), again.front().unwrap().1.message.summary.as_str()), (19, "message 1"));
        let (batch, _) = again.push(&message(99), Wall(6), Batch::new());
        store.commit(batch, Durability::Now).await.unwrap();
        let last = Queue::open("webhook", &store).unwrap();
        assert_eq!((last.len(), last.waiting().entries.back().unwrap().1.message.summary.as_str()), (20, "message 99"));
        assert_eq!(Queue::open("syslog", &store).unwrap().len(), 0);
    }

    #[tokio::test]
    async fn a_full_queue_loses_its_oldest_in_memory_and_on_the_disk() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(Options { volatile_ok: true, ..Options::at(dir.path().join("s.redb")) }).unwrap();
        let queue = Queue::open("webhook", &store).unwrap();
        let (mut batch, mut lost) = (Batch::new(), 0);
        for n in 0..MOST + 7 {
            let (after, gone) = queue.push(&message(n), Wall(0), batch);
            (batch, lost) = (after, lost + gone);
        }
        store.commit(batch, Durability::Now).await.unwrap();
        let again = Queue::open("webhook", &store).unwrap();
        assert_eq!((lost, queue.len(), again.len(), again.front().unwrap().1.message.summary.as_str()), (7, MOST, MOST, "message 7"));
    }
}
