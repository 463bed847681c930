//! Wrong passwords, and the pause after too many: pure, over times given.
//!
//! Names that nobody has are counted like others, or a lock-out would tell which names exist.

use crate::base::clock::Wall;
use crate::store::Record;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// When a name is locked, and for how long: `auth.lockout_attempts` and `auth.lockout_window`.
#[derive(Debug, Clone, Copy)]
pub struct Lockout {
    /// Wrong passwords until a lock-out.
    pub attempts: u32,
    /// Time in which they count, and length of the lock-out.
    pub window: Duration,
}

impl Default for Lockout {
    fn default() -> Self {
        Lockout { attempts: 5, window: Duration::from_secs(15 * 60) }
    }
}

/// What went wrong lately under one name.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Failures {
    /// Wrong passwords since the last right one or lock-out, oldest first.
    at: Vec<Wall>,
    /// When the last lock-out began.
    locked_at: Option<Wall>,
    /// Whether somebody has this name. Others are the first to be forgotten.
    pub known: bool,
}

impl Record for Failures {
    const TABLE: &'static str = "sign_in_failures";
    const VERSION: u8 = 1;
}

#[cfg(test)]
crate::store::golden!(Failures);

impl Failures {
    /// How much longer nobody may try.
    pub fn locked_for(&self, now: Wall, rules: Lockout) -> Option<Duration> {
        let since = apart(self.locked_at?, now);
        rules.window.checked_sub(since).filter(|left| !left.is_zero())
    }

    /// One more.
    pub fn add(&mut self, now: Wall, rules: Lockout) {
        self.at.retain(|at| apart(*at, now) < rules.window);
        self.at.push(now);
        if self.at.len() >= rules.attempts as usize {
            self.at.clear();
            self.locked_at = Some(now);
        }
    }

    /// Whether all of it is too long ago to matter.
    pub fn is_over(&self, now: Wall, rules: Lockout) -> bool {
        self.locked_for(now, rules).is_none() && self.at.iter().all(|at| apart(*at, now) >= rules.window)
    }

    /// The last time anything went wrong.
    pub fn last(&self) -> Option<Wall> {
        self.at.iter().chain(&self.locked_at).max().copied()
    }
}

/// In either direction: a clock that was years ahead must lock nobody out for years.
fn apart(one: Wall, other: Wall) -> Duration {
    Duration::from_millis(one.0.abs_diff(other.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: Lockout = Lockout { attempts: 3, window: Duration::from_secs(60) };

    fn after(failures: &[i64]) -> Failures {
        let mut seen = Failures::default();
        failures.iter().for_each(|second| seen.add(Wall(second * 1_000), RULES));
        seen
    }

    fn left(seen: &Failures, second: i64) -> Option<u64> {
        seen.locked_for(Wall(second * 1_000), RULES).map(|left| left.as_secs())
    }

    #[test]
    fn a_lock_begins_with_the_last_attempt_and_lasts_the_window() {
        for (failures, now, expected) in [
            (&[0, 1][..], 2, None),
            (&[0, 1, 2], 2, Some(60)),
            (&[0, 1, 2], 61, Some(1)),
            (&[0, 1, 2], 62, None),
            (&[0, 59, 61], 61, None),
            (&[0, 59, 61, 62], 62, Some(60)),
            // After a lock-out counting begins anew.
            (&[0, 1, 2, 63, 64], 64, None),
            (&[0, 1, 2, 63, 64, 65], 65, Some(60)),
        ] {
            assert_eq!(left(&after(failures), now), expected, "{failures:?} at {now}");
        }
    }

    #[test]
    fn a_clock_that_steps_locks_nobody_for_longer_than_the_window() {
        let year = 365 * 86_400;
        assert_eq!(left(&after(&[year, year + 1, year + 2]), 0), None, "the clock was ahead");
        assert_eq!(left(&after(&[100, 101, 102]), 50), Some(8), "a small step back");
        assert_eq!(left(&after(&[0, 1, 2]), year), None);
    }

    #[test]
    fn what_is_over_can_be_forgotten() {
        assert!(Failures::default().is_over(Wall(0), RULES));
        assert!(!after(&[10]).is_over(Wall(60_000), RULES));
        assert!(after(&[10]).is_over(Wall(70_000), RULES));
        assert!(!after(&[0, 1, 2]).is_over(Wall(61_000), RULES));
        assert!(after(&[0, 1, 2]).is_over(Wall(62_000), RULES));
        assert_eq!(after(&[0, 1, 2]).last(), Some(Wall(2_000)));
    }
}
