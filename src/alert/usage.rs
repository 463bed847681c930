//! Who does far more than usual: writes and denials of each caller in an hour against the busiest hours before. Pure.
//!
//! A token that was taken, or a model that runs wild, shows first in how much it does. The past is one number a caller and sort: its
//! busiest hour, fading by a hundredth an hour (half of it is gone after three days). One wild hour raises it only so far, so that
//! the next one is told as well.

use crate::alert::message::{NAME, tidy};
use crate::store::Record;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// Callers remembered; the one that was seen longest ago makes room.
const MOST: usize = 1_000;
/// Fewer in an hour are never unusual: writes and denials.
const FLOORS: [f64; 2] = [60.0, 30.0];
/// What is left of the past after an hour.
const FADE: f64 = 0.99;
/// One hour makes the past so many times what it was, at most.
const RISE: f64 = 2.0;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// Something was changed, or asked to be.
    Write,
    /// Something was denied.
    Denial,
}

/// One caller.
#[derive(Debug, Clone, Default)]
struct Caller {
    name: String,
    /// Of this hour.
    counts: [u32; 2],
    /// The busiest hour, faded.
    peaks: [f64; 2],
    seen: i64,
    unusual: bool,
}

/// All callers.
#[derive(Debug)]
pub struct Usage {
    factor: f64,
    hour: i64,
    callers: HashMap<String, Caller>,
}

/// What is stored of them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Peaks {
    callers: Vec<(String, String, [f64; 2])>,
}

impl Record for Peaks {
    const TABLE: &'static str = "alert_usage";
    const VERSION: u8 = 1;
}

#[cfg(test)]
crate::store::golden!(Peaks);

/// A caller that just began to do too much, or does so no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// Its id.
    pub id: String,
    /// For people.
    pub name: String,
    /// How much, against what; none when it is as usual again.
    pub why: Option<String>,
}

impl Usage {
    /// With what was usual before; more than `factor` times that is unusual.
    pub fn new(factor: f64, before: Peaks) -> Usage {
        let caller = |(id, name, peaks)| (id, Caller { name, peaks, seen: -1, ..Caller::default() });
        Usage { factor, hour: 0, callers: before.callers.into_iter().take(MOST).map(caller).collect() }
    }

    /// An earlier process told so of this caller, and not that it was over.
    pub fn was_unusual(&mut self, id: &str, name: &str) {
        let caller = self.callers.entry(id.to_owned()).or_insert_with(|| Caller { name: tidy(name, NAME), seen: -1, ..Caller::default() });
        caller.unusual = true;
    }

    /// Counts one act. `hour` never goes back.
    pub fn count(&mut self, id: &str, name: &str, what: Use, hour: i64) -> Option<Turn> {
        if !self.callers.contains_key(id) && self.callers.len() >= MOST {
            let oldest = self.callers.iter().filter(|(_, caller)| !caller.unusual).min_by_key(|(_, caller)| caller.seen);
            let oldest = oldest.map(|(id, _)| id.clone())?;
            self.callers.remove(&oldest);
        }
        let factor = self.factor;
        let caller = self.callers.entry(id.to_owned()).or_default();
        caller.seen = hour;
        if caller.name != name {
            caller.name = tidy(name, NAME);
        }
        let slot = what as usize;
        caller.counts[slot] = caller.counts[slot].saturating_add(1);
        if caller.unusual || !caller.is_over(slot, factor) {
            return None;
        }
        caller.unusual = true;
        let words = ["writes", "denials"][slot];
        let why =
            format!("more than {} {words} within an hour; {:.0} in its busiest one before", caller.counts[slot] - 1, caller.peaks[slot]);
        Some(Turn { id: id.to_owned(), name: caller.name.clone(), why: Some(why) })
    }

    /// A new hour, if it is one: what was is the past now. Answers who is as usual again, and whether there is something to store.
    pub fn roll(&mut self, hour: i64) -> (Vec<Turn>, bool) {
        let passed = hour - self.hour;
        if passed <= 0 {
            return (Vec::new(), false);
        }
        self.hour = hour;
        let (mut over, mut is_news) = (Vec::new(), false);
        for (id, caller) in &mut self.callers {
            let was_over = (0..2).any(|slot| caller.is_over(slot, self.factor));
            is_news |= caller.counts != [0, 0];
            for (slot, floor) in FLOORS.iter().enumerate() {
                let most = caller.peaks[slot].max(*floor) * RISE;
                let last = (caller.peaks[slot] * FADE).max(f64::from(caller.counts[slot]).min(most));
                caller.peaks[slot] = last * FADE.powi(i32::try_from(passed - 1).unwrap_or(i32::MAX));
            }
            caller.counts = [0, 0];
            if caller.unusual && !was_over {
                caller.unusual = false;
                over.push(Turn { id: id.clone(), name: caller.name.clone(), why: None });
            }
        }
        (over, is_news)
    }

    /// What is to be stored.
    pub fn peaks(&self) -> Peaks {
        let mut callers: Vec<_> = self.callers.iter().map(|(id, caller)| (id.clone(), caller.name.clone(), caller.peaks)).collect();
        callers.sort_by(|a, b| a.0.cmp(&b.0));
        Peaks { callers }
    }
}

impl Caller {
    fn is_over(&self, slot: usize, factor: f64) -> bool {
        f64::from(self.counts[slot]) > (self.peaks[slot] * factor).max(FLOORS[slot])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So many writes in that hour, and what came of them.
    fn writes(usage: &mut Usage, many: usize, hour: i64) -> Vec<Turn> {
        let (mut turns, _) = usage.roll(hour);
        turns.extend((0..many).filter_map(|_| usage.count("a", "anna", Use::Write, hour)));
        turns
    }

    fn fresh() -> Usage {
        Usage::new(5.0, Peaks::default())
    }

    #[test]
    fn a_new_caller_may_do_what_anybody_may() {
        assert!(writes(&mut fresh(), 60, 0).is_empty());
        let turns = writes(&mut fresh(), 200, 0);
        assert_eq!(turns.len(), 1, "told once an hour at most: {turns:?}");
        assert_eq!(turns[0].why.as_deref(), Some("more than 60 writes within an hour; 0 in its busiest one before"));
        let mut usage = fresh();
        let denied = (0..31).filter_map(|_| usage.count("a", "anna", Use::Denial, 0)).count();
        assert_eq!(denied, 1, "denials are rarer");
    }

    #[test]
    fn whoever_always_does_much_may_do_much() {
        let mut usage = fresh();
        for hour in 0..48 {
            assert!(writes(&mut usage, 50, hour).is_empty(), "{hour}");
        }
        assert!(writes(&mut usage, 249, 48).is_empty(), "five times as much is the edge");
        let mut usage = Usage::new(5.0, usage.peaks());
        usage.hour = 48;
        assert_eq!(writes(&mut usage, 600, 49).len(), 1, "and after a restart it is still known");
    }

    #[test]
    fn it_is_over_after_an_hour_that_was_not_and_not_in_the_middle() {
        let mut usage = fresh();
        assert_eq!(writes(&mut usage, 100, 0).len(), 1);
        assert!(writes(&mut usage, 5, 1).is_empty(), "the hour before was the one");
        let turns = writes(&mut usage, 5, 2);
        assert_eq!(turns, [Turn { id: "a".into(), name: "anna".into(), why: None }]);
    }

    #[test]
    fn who_was_unusual_before_a_restart_becomes_usual_again() {
        let mut usage = fresh();
        usage.was_unusual("a", "anna");
        let (mut turns, _) = usage.roll(1);
        turns.extend(usage.roll(2).0);
        assert_eq!(turns, [Turn { id: "a".into(), name: "anna".into(), why: None }]);
    }

    #[test]
    fn one_wild_hour_does_not_make_the_next_one_usual() {
        let mut usage = fresh();
        assert_eq!(writes(&mut usage, 100_000, 0).len(), 1);
        for hour in 1..4 {
            writes(&mut usage, 0, hour);
        }
        assert_eq!(writes(&mut usage, 100_000, 4).len(), 1);
    }

    #[test]
    fn a_past_long_ago_counts_less() {
        let mut usage = fresh();
        for hour in 0..5 {
            writes(&mut usage, 100, hour);
        }
        assert!(writes(&mut usage, 400, 5).is_empty());
        assert_eq!(writes(&mut usage, 400, 1_000).iter().filter(|turn| turn.why.is_some()).count(), 1);
    }

    #[test]
    fn made_up_callers_take_no_more_than_their_room() {
        let mut usage = fresh();
        for n in 0..MOST + 100 {
            usage.count(&format!("c{n}"), "x", Use::Denial, 0);
        }
        assert_eq!(usage.callers.len(), MOST);
        assert!(usage.peaks().callers.iter().all(|(_, name, _)| name == "x"));
    }
}
