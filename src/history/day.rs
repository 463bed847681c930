//! A day at a glance: the lowest score of each half hour.
//!
//! Judging a day of one router takes a thousand and more verdicts, each over the hour before; a page shows fifty routers. So what a
//! half hour was is kept once it is over, and only the present one is judged again. The cache belongs to the process and to its
//! thresholds.

use crate::base::clock::Wall;
use crate::base::ids::DeviceId;
use crate::history::health::{RECENT_MS, Thresholds, judge_after};
use crate::history::sample::Sample;
use crate::history::series::History;
use crate::store::StoreError;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Length of a slot.
const SLOT_MS: i64 = 1_800_000;
/// Slots of a day.
pub const SLOTS: usize = 48;

/// What is kept of every device that was asked for.
#[derive(Default)]
pub(super) struct Days(Mutex<HashMap<DeviceId, Day>>);

/// One device's.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Day {
    /// Lowest scores by slot; those before `judged` are final.
    lowest: BTreeMap<i64, u8>,
    judged: i64,
}

impl Days {
    /// Forgets a device.
    pub(super) fn forget(&self, device: &DeviceId) {
        self.held().remove(device);
    }

    fn held(&self) -> MutexGuard<'_, HashMap<DeviceId, Day>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl History {
    /// The lowest score of each half hour of the day until now, oldest first; none where nothing is known.
    pub fn day(&self, device: &DeviceId, now: Wall, limits: &Thresholds) -> Result<[Option<u8>; SLOTS], StoreError> {
        let slot = now.0.div_euclid(SLOT_MS);
        let first = slot - SLOTS as i64 + 1;
        let days = self.days();
        let known = days.held().get(device).cloned();
        // A clock that was set back makes everything anew.
        let mut day = known.filter(|day| day.judged <= slot).unwrap_or_default();
        let from = day.judged.max(first);
        let samples = self.since(device, Wall(from * SLOT_MS - RECENT_MS))?;
        day.judge(&samples, from, limits);
        day.judged = slot;
        day.lowest.retain(|slot, _| *slot >= first);
        let mut shown = [None; SLOTS];
        for (slot, lowest) in &day.lowest {
            if let Some(place) = usize::try_from(slot - first).ok().and_then(|at| shown.get_mut(at)) {
                *place = Some(*lowest);
            }
        }
        days.held().insert(device.clone(), day);
        Ok(shown)
    }
}

impl Day {
    /// Judges the samples of the slots from this one on, each against the hour before it.
    fn judge(&mut self, samples: &[Sample], from: i64, limits: &Thresholds) {
        self.lowest.retain(|slot, _| *slot < from);
        let mut oldest = 0;
        for (at, sample) in samples.iter().enumerate() {
            let slot = sample.at.0.div_euclid(SLOT_MS);
            if slot < from {
                continue;
            }
            while sample.at.0 - samples[oldest].at.0 >= RECENT_MS {
                oldest += 1;
            }
            let score = judge_after(&samples[oldest..at], sample, limits).score;
            let lowest = self.lowest.entry(slot).or_insert(score);
            *lowest = score.min(*lowest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Options, Store};

    const MINUTE: i64 = 60_000;
    const NOW: i64 = 1_790_000_000_000 / SLOT_MS * SLOT_MS;

    fn sample(at: i64) -> Sample {
        let cpu = if at.div_euclid(MINUTE) % 97 == 0 { 95 } else { 10 };
        let reachable = at.div_euclid(MINUTE) % 331 != 0;
        Sample {
            reachable,
            cpu_percent: reachable.then_some(cpu),
            uptime_seconds: reachable.then_some(((at - NOW) / 1_000 + 9_000_000) as u64),
            ..Sample::silent(Wall(at))
        }
    }

    async fn filled(until: i64) -> (tempfile::TempDir, History, DeviceId) {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(Options { volatile_ok: true, ..Options::at(dir.path().join("s.redb")) }).unwrap();
        let (history, device) = (History::new(store), DeviceId("dev_1".into()));
        for minute in 0..30 * 60 {
            history.add(&device, sample(until - (30 * 60 - minute) * MINUTE)).await.unwrap();
        }
        (dir, history, device)
    }

    #[tokio::test]
    async fn what_is_kept_is_what_would_be_judged_anew() {
        let (_dir, history, device) = filled(NOW).await;
        let limits = Thresholds::default();
        for minute in 0..150 {
            let at = NOW + minute * MINUTE;
            history.add(&device, sample(at)).await.unwrap();
            if minute % 7 == 0 {
                let kept = history.day(&device, Wall(at), &limits).unwrap();
                history.days().forget(&device);
                assert_eq!(kept, history.day(&device, Wall(at), &limits).unwrap(), "after {minute} minutes");
                assert!(kept.iter().all(Option::is_some) && kept.contains(&Some(0)) && kept.contains(&Some(60)), "{kept:?}");
            }
        }
    }

    #[tokio::test]
    async fn a_day_without_looks_is_empty_and_a_clock_set_back_shows_what_was_then() {
        let (_dir, history, device) = filled(NOW).await;
        let limits = Thresholds::default();
        let later = history.day(&device, Wall(NOW + 40 * 3_600_000), &limits).unwrap();
        assert_eq!(later, [None; SLOTS]);
        let then = history.day(&device, Wall(NOW), &limits).unwrap();
        assert_eq!(then.iter().flatten().count(), SLOTS - 1, "all but the half hour that only begins");
        assert_eq!(history.day(&DeviceId("dev_2".into()), Wall(NOW), &limits).unwrap(), [None; SLOTS]);
    }
}
