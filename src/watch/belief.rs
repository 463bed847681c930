//! Whether the clock can be believed before anything is removed because it is old.
//!
//! A box without a battery stands in 1970, and a bad time server may say 2036: either must not empty the appliance. A clock is
//! believed while it goes on from where it was believed last. One that leapt, either way, is believed once it has said so at
//! looks on seven days: an appliance that lay in a drawer for a year starts to remove old things a week later.

use crate::base::clock::Wall;
use crate::store::Record;
use serde::{Deserialize, Serialize};

const DAY_MS: u64 = 86_400_000;
/// From one look to the next the clock may go on by so much: longer than a box used once a month is switched off.
const LEAP_MS: u64 = 45 * DAY_MS;
/// A clock that leapt is doubted for so long,
const DOUBTED_MS: u64 = 7 * DAY_MS;
/// and at so many looks.
const LOOKS: u32 = 7;

/// What the clock said when it was believed, and since then.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Belief {
    /// The last time it was believed.
    at: Option<Wall>,
    doubt: Option<Doubt>,
}

/// It leapt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Doubt {
    since: Wall,
    last: Wall,
    looks: u32,
}

/// The only key.
pub(super) const KEY: &str = "retention";

impl Record for Belief {
    const TABLE: &'static str = "clock";
    const VERSION: u8 = 1;
}

#[cfg(test)]
crate::store::golden!(Belief);

impl Belief {
    /// Whether no clock was ever believed.
    pub fn is_new(&self) -> bool {
        self.at.is_none()
    }

    /// A look at the clock, once a day. Answers whether it is believed.
    pub fn look(&mut self, now: Wall) -> bool {
        if !now.is_plausible() {
            return false;
        }
        let goes_on = self.at.is_some_and(|at| now.0.abs_diff(at.0) <= LEAP_MS);
        if goes_on || self.has_said_so_for_long(now) {
            *self = Belief { at: Some(now), doubt: None };
            return true;
        }
        false
    }

    fn has_said_so_for_long(&mut self, now: Wall) -> bool {
        let first = Doubt { since: now, last: now, looks: 1 };
        let doubt = match self.doubt.take() {
            Some(doubt) if now > doubt.last && now.0.abs_diff(doubt.last.0) <= LEAP_MS => {
                Doubt { last: now, looks: doubt.looks.saturating_add(1), ..doubt }
            }
            _ => first,
        };
        let is_enough = doubt.looks >= LOOKS && now.0.abs_diff(doubt.since.0) >= DOUBTED_MS;
        self.doubt = Some(doubt);
        is_enough
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = DAY_MS as i64;
    const NOW: Wall = Wall(1_795_000_000_000);

    fn on(day: i64) -> Wall {
        Wall(NOW.0 + day * DAY)
    }

    /// One that is believed on day 0.
    fn believed() -> Belief {
        let mut belief = Belief::default();
        assert_eq!((-7..=0).map(|day| belief.look(on(day))).collect::<Vec<_>>(), [[false; 7].as_slice(), &[true]].concat());
        belief
    }

    #[test]
    fn a_clock_that_goes_on_is_believed_each_day_and_after_a_month_off() {
        let mut belief = believed();
        for day in [1, 2, 3, 33, 77, 78, 70] {
            assert!(belief.look(on(day)), "day {day}");
        }
    }

    #[test]
    fn the_year_1970_is_never_believed_and_what_was_known_stays() {
        let mut belief = believed();
        let known = belief.clone();
        for day in 0..20 {
            assert!(!belief.look(Wall(day * DAY)));
        }
        assert_eq!(belief, known);
        assert!(belief.look(on(20)));
    }

    #[test]
    fn a_clock_that_leapt_is_believed_after_seven_days_and_not_after_seven_starts() {
        for leap in [400, 3_650] {
            let mut belief = believed();
            for start in 0..50 {
                assert!(!belief.look(Wall(on(leap).0 + start)), "start {start}");
            }
            for day in 1..7 {
                assert!(!belief.look(on(leap + day)), "day {day}");
            }
            assert!(belief.look(on(leap + 7)));
            assert!(belief.look(on(leap + 8)));
            // And back again, when somebody sets it right.
            assert!(!belief.look(on(9)));
            assert!(belief.look(on(leap + 9)), "unless that was the slip");
        }
    }

    #[test]
    fn a_clock_that_leaps_again_is_doubted_anew() {
        let mut belief = believed();
        for day in 0..30 {
            assert!(!belief.look(on(400 + day * 400)), "leap {day}");
        }
        assert!(!belief.look(on(1_000)), "back");
        for day in 1..7 {
            assert!(!belief.look(on(1_000 + day)));
        }
        assert!(belief.look(on(1_007)));
    }
}
