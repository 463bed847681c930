//! Answers kept for a moment: one cache for all devices, bounded by what it weighs.

use crate::base::clock::Wall;
use crate::base::ids::DeviceId;
use crate::fleet::wire::Via;
use crate::routeros::Row;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What all kept answers may weigh together, bytes of text: a table of 5,000 leases is about 1.5 MB.
const WEIGHT_MAX: usize = 4 << 20;
/// How many answers are kept at most.
const ENTRIES_MAX: usize = 1_024;
/// Nothing is kept longer, whatever age a reader would take.
const KEEP: Duration = Duration::from_secs(300);
/// What a row's frame weighs beside its text, bytes.
const ROW_WEIGHT: usize = 48;

/// What a router answered.
#[derive(Debug, Clone)]
pub struct Kept {
    /// Rows as on the wire.
    pub rows: Arc<Vec<Row>>,
    /// The number that `count-only` gave, for counts.
    pub count: Option<u64>,
    /// The text it printed, for exports.
    pub text: Option<Arc<str>>,
    /// The content of a file; never in the cache.
    pub bytes: Option<Arc<[u8]>>,
    /// Which way it came.
    pub via: Via,
    /// When, for people.
    pub read_at: Wall,
    /// When, monotonic.
    pub at: Duration,
    /// What it cost the router.
    pub requests: u32,
}

impl Kept {
    /// How old it is at `now`.
    pub fn age(&self, now: Duration) -> Duration {
        now.saturating_sub(self.at)
    }

    fn weight(&self) -> usize {
        let rows: usize = self.rows.iter().map(|row| ROW_WEIGHT + row.weight()).sum();
        rows + self.text.as_ref().map_or(0, |text| text.len())
    }
}

/// Kept answers of all devices.
#[derive(Debug, Default)]
pub struct Cache(Mutex<Shelf>);

#[derive(Debug, Default)]
struct Shelf {
    kept: HashMap<(DeviceId, Arc<str>), Slot>,
    weight: usize,
    clock: u64,
}

#[derive(Debug)]
struct Slot {
    kept: Kept,
    weight: usize,
    used: u64,
}

impl Cache {
    /// An answer no older than `max_age`.
    pub fn get(&self, device: &DeviceId, key: &Arc<str>, max_age: Duration, now: Duration) -> Option<Kept> {
        let mut shelf = self.shelf();
        shelf.clock += 1;
        let used = shelf.clock;
        let slot = shelf.kept.get_mut(&(device.clone(), key.clone()))?;
        if slot.kept.age(now) > max_age.min(KEEP) || max_age.is_zero() {
            return None;
        }
        slot.used = used;
        Some(slot.kept.clone())
    }

    /// Keeps an answer, and lets go of the least used until all fit. One heavier than half the room is not kept.
    pub fn put(&self, device: &DeviceId, key: &Arc<str>, kept: Kept) {
        let weight = kept.weight();
        let mut shelf = self.shelf();
        shelf.clock += 1;
        let (used, now) = (shelf.clock, kept.at);
        let at = (device.clone(), key.clone());
        shelf.take(&at);
        if weight > WEIGHT_MAX / 2 {
            return;
        }
        if shelf.kept.len() >= ENTRIES_MAX || shelf.weight + weight > WEIGHT_MAX {
            shelf.drop_older_than(now.saturating_sub(KEEP));
        }
        while shelf.kept.len() >= ENTRIES_MAX || shelf.weight + weight > WEIGHT_MAX {
            let Some(oldest) = shelf.kept.iter().min_by_key(|(_, slot)| slot.used).map(|(at, _)| at.clone()) else { break };
            shelf.take(&oldest);
        }
        shelf.weight += weight;
        shelf.kept.insert(at, Slot { kept, weight, used });
    }

    /// Forgets everything about a device: it was changed, or is another router now.
    pub fn forget(&self, device: &DeviceId) {
        let mut shelf = self.shelf();
        let gone: Vec<_> = shelf.kept.keys().filter(|(id, _)| id == device).cloned().collect();
        gone.iter().for_each(|at| shelf.take(at));
    }

    /// Forgets everything. How many answers that were.
    pub fn clear(&self) -> usize {
        let mut shelf = self.shelf();
        shelf.weight = 0;
        std::mem::take(&mut shelf.kept).len()
    }

    /// Lets go of what nobody may be given any more.
    pub fn sweep(&self, now: Duration) {
        self.shelf().drop_older_than(now.saturating_sub(KEEP));
    }

    fn shelf(&self) -> std::sync::MutexGuard<'_, Shelf> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Shelf {
    fn take(&mut self, at: &(DeviceId, Arc<str>)) {
        if let Some(slot) = self.kept.remove(at) {
            self.weight -= slot.weight;
        }
    }

    fn drop_older_than(&mut self, moment: Duration) {
        let old: Vec<_> = self.kept.iter().filter(|(_, slot)| slot.kept.at < moment).map(|(at, _)| at.clone()).collect();
        old.iter().for_each(|at| self.take(at));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(at_s: u64, bytes: usize) -> Kept {
        let json = format!(r#"[{{"comment":"{}"}}]"#, "x".repeat(bytes));
        let rows = crate::routeros::rows(json.into_bytes()).unwrap();
        Kept {
            rows: Arc::new(rows),
            count: None,
            text: None,
            bytes: None,
            via: Via::Rest,
            read_at: Wall(0),
            at: Duration::from_secs(at_s),
            requests: 1,
        }
    }

    fn key(n: usize) -> Arc<str> {
        format!("k{n}").into()
    }

    #[test]
    fn gives_back_what_is_young_enough_and_nothing_for_a_reader_who_wants_it_fresh() {
        let (cache, id) = (Cache::default(), DeviceId("dev_1".into()));
        let s = Duration::from_secs;
        cache.put(&id, &key(1), kept(10, 5));
        assert!(cache.get(&id, &key(1), s(5), s(15)).is_some());
        assert!(cache.get(&id, &key(1), s(5), s(16)).is_none());
        assert!(cache.get(&id, &key(1), s(0), s(10)).is_none());
        assert!(cache.get(&id, &key(1), s(9_999), s(10 + 301)).is_none(), "a bound on every age");
        cache.forget(&id);
        assert!(cache.get(&id, &key(1), s(5), s(10)).is_none());
    }

    #[test]
    fn stays_within_its_weight_and_drops_the_least_used() {
        let (cache, id) = (Cache::default(), DeviceId("dev_1".into()));
        let s = Duration::from_secs;
        let quarter = WEIGHT_MAX / 4;
        for n in 0..3 {
            cache.put(&id, &key(n), kept(1, quarter));
        }
        assert!(cache.get(&id, &key(0), s(9), s(1)).is_some());
        cache.put(&id, &key(3), kept(1, quarter));
        assert!(cache.get(&id, &key(0), s(9), s(1)).is_some(), "used lately");
        assert!(cache.get(&id, &key(1), s(9), s(1)).is_none(), "used least");
        cache.put(&id, &key(9), kept(1, WEIGHT_MAX));
        assert!(cache.get(&id, &key(9), s(9), s(1)).is_none(), "too heavy to keep");
        assert!(cache.shelf().weight <= WEIGHT_MAX);
        cache.sweep(s(9_999));
        assert_eq!(cache.shelf().weight, 0);
    }
}
