//! One alert's life: pure, the time is an argument.
//!
//! What lasts is *held* until it has lasted long enough, then told, and told to be over when it is. Within the cooldown after it was
//! told it is not told again, however often it comes and goes; what still lasts when the cooldown is over is told then. What only
//! happens is told at once, and what happens again within the cooldown is told as a number when that is over.

use crate::alert::kind::Rule;
use std::time::Duration;

/// Milliseconds of the clock that never jumps. Below zero: before this process began.
pub type Ms = i64;

/// Where an alert stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// It lasts, and was not told yet.
    Held {
        /// Since then.
        since: Ms,
    },
    /// It lasts, and was told.
    Told,
    /// It is over, and remembered until its cooldown is.
    Over,
    /// It happened, and is remembered as long.
    Happened,
}

/// An alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Life {
    /// Where it stands.
    pub phase: Phase,
    /// When it was last told to be there.
    pub told: Option<Ms>,
    /// How often it came again since, without being told.
    pub repeats: u32,
}

/// What is seen of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// It is so.
    Is,
    /// It is not so.
    IsNot,
    /// It happened; there is nothing that lasts.
    Happens,
    /// Time passed.
    Time,
}

/// What is told of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tell {
    /// It is there.
    Begins {
        /// How often it came since it was last told, beyond this once.
        repeats: u32,
    },
    /// It is over.
    Ends,
}

/// What becomes of an alert, and what is told. `None` is one that nobody knows of.
pub fn step(life: Option<Life>, seen: Seen, now: Ms, rule: Rule) -> (Option<Life>, Option<Tell>) {
    let Some(life) = life else {
        let new = |phase| Life { phase, told: None, repeats: 0 };
        return match seen {
            Seen::Is => held(new(Phase::Held { since: now }), now, rule),
            Seen::Happens => begun(new(Phase::Happened), Phase::Happened, now),
            Seen::IsNot | Seen::Time => (None, None),
        };
    };
    let again = life.repeats.saturating_add(1);
    match (life.phase, seen) {
        (Phase::Held { .. }, Seen::Is | Seen::Time) => held(life, now, rule),
        (Phase::Held { .. }, Seen::IsNot) => kept(Life { phase: Phase::Over, ..life }, now, rule),
        (Phase::Told, Seen::IsNot) => (Some(Life { phase: Phase::Over, ..life }), Some(Tell::Ends)),
        (Phase::Over, Seen::Is) => held(Life { phase: Phase::Held { since: now }, repeats: again, ..life }, now, rule),
        (Phase::Over, Seen::Time | Seen::IsNot) => kept(life, now, rule),
        (Phase::Happened, Seen::Happens) if is_cool(&life, now, rule) => begun(life, Phase::Happened, now),
        (_, Seen::Happens) => (Some(Life { repeats: again, ..life }), None),
        // What happened again meanwhile is told now, once.
        (Phase::Happened, _) if is_cool(&life, now, rule) && life.repeats > 0 => {
            begun(Life { repeats: life.repeats - 1, ..life }, Phase::Happened, now)
        }
        (Phase::Happened, _) => kept(life, now, rule),
        (Phase::Told, Seen::Is | Seen::Time) => (Some(life), None),
    }
}

/// When [`Seen::Time`] would change something.
pub fn due(life: &Life, rule: Rule) -> Option<Ms> {
    let cool = life.told.map_or(Ms::MIN, |told| told.saturating_add(ms(rule.cooldown)));
    match life.phase {
        Phase::Held { since } => Some(since.saturating_add(ms(rule.hold)).max(cool)),
        Phase::Told => None,
        Phase::Over | Phase::Happened => Some(cool),
    }
}

fn held(life: Life, now: Ms, rule: Rule) -> (Option<Life>, Option<Tell>) {
    if due(&life, rule).is_some_and(|due| due <= now) { begun(life, Phase::Told, now) } else { (Some(life), None) }
}

fn begun(life: Life, phase: Phase, now: Ms) -> (Option<Life>, Option<Tell>) {
    (Some(Life { phase, told: Some(now), repeats: 0 }), Some(Tell::Begins { repeats: life.repeats }))
}

/// Remembered until the cooldown is over.
fn kept(life: Life, now: Ms, rule: Rule) -> (Option<Life>, Option<Tell>) {
    ((!is_cool(&life, now, rule)).then_some(life), None)
}

fn is_cool(life: &Life, now: Ms, rule: Rule) -> bool {
    life.told.is_none_or(|told| told.saturating_add(ms(rule.cooldown)) <= now)
}

fn ms(span: Duration) -> Ms {
    Ms::try_from(span.as_millis()).unwrap_or(Ms::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Told after 100 ms, again after 1,000 ms.
    const RULE: Rule = Rule { hold: Duration::from_millis(100), cooldown: Duration::from_millis(1_000) };
    const AT_ONCE: Rule = Rule { hold: Duration::ZERO, cooldown: Duration::ZERO };

    /// What is told over a course of `(time, what is seen)`.
    fn course(rule: Rule, seen: &[(Ms, Seen)]) -> (Option<Life>, Vec<(Ms, Tell)>) {
        let (mut life, mut told) = (None, Vec::new());
        for (now, seen) in seen {
            let (after, tell) = step(life, *seen, *now, rule);
            life = after;
            told.extend(tell.map(|tell| (*now, tell)));
        }
        (life, told)
    }

    const BEGINS: Tell = Tell::Begins { repeats: 0 };

    #[test]
    fn what_lasts_is_told_after_its_time_and_when_it_is_over() {
        use Seen::{Is, IsNot, Time};
        type Case<'c> = (&'c str, &'c [(Ms, Seen)], &'c [(Ms, Tell)]);
        let cases: &[Case<'_>] = &[
            ("not long enough", &[(0, Is), (99, Time), (99, IsNot), (200, Time)], &[]),
            ("long enough", &[(0, Is), (100, Time), (150, Is), (160, Time)], &[(100, BEGINS)]),
            ("seen is as good as time", &[(0, Is), (100, Is)], &[(100, BEGINS)]),
            ("and over", &[(0, Is), (100, Time), (300, IsNot), (301, IsNot)], &[(100, BEGINS), (300, Tell::Ends)]),
            ("never there", &[(0, IsNot), (50, Time)], &[]),
            ("a gap starts anew", &[(0, Is), (50, IsNot), (60, Is), (110, Time), (160, Time)], &[(160, BEGINS)]),
        ];
        for (name, seen, told) in cases {
            assert_eq!(course(RULE, seen).1, *told, "{name}");
        }
        assert_eq!(course(AT_ONCE, &[(5, Is), (6, IsNot), (7, Time)]), (None, vec![(5, BEGINS), (6, Tell::Ends)]));
    }

    #[test]
    fn what_comes_and_goes_is_told_once_in_a_cooldown_and_again_if_it_still_lasts_then() {
        use Seen::{Is, IsNot, Time};
        let flaps: Vec<(Ms, Seen)> = (0..8).flat_map(|n| [(n * 120, Is), (n * 120 + 100, Time), (n * 120 + 110, IsNot)]).collect();
        let (life, told) = course(RULE, &flaps);
        assert_eq!(told, [(100, BEGINS), (110, Tell::Ends)], "eight times down, told once");
        assert_eq!(life.map(|life| (life.phase, life.repeats)), Some((Phase::Over, 7)));
        let lasting = [&flaps[..], &[(1_000, Is), (1_099, Time), (1_100, Time)]].concat();
        assert_eq!(course(RULE, &lasting).1.last(), Some(&(1_100, Tell::Begins { repeats: 8 })));
        let quiet = [&flaps[..], &[(1_099, Time), (1_100, Time)]].concat();
        assert_eq!(course(RULE, &quiet).0, None, "forgotten after its cooldown");
    }

    #[test]
    fn what_only_happens_is_told_at_once_and_what_followed_as_a_number() {
        use Seen::{Happens, Time};
        let (life, told) = course(RULE, &[(0, Happens), (10, Happens), (20, Happens), (999, Time), (1_000, Time), (2_000, Time)]);
        assert_eq!(told, [(0, BEGINS), (1_000, Tell::Begins { repeats: 1 })], "three times in all, told as one and two");
        assert_eq!(life, None);
        assert_eq!(course(RULE, &[(0, Happens), (1_000, Happens)]).1, [(0, BEGINS), (1_000, BEGINS)]);
        assert_eq!(course(AT_ONCE, &[(0, Happens), (0, Happens)]).1, [(0, BEGINS), (0, BEGINS)]);
    }

    #[test]
    fn it_is_due_exactly_when_time_changes_something() {
        use Seen::{Happens, Is, IsNot, Time};
        for course_of in [&[(0, Is)][..], &[(0, Is), (100, Time)], &[(0, Is), (100, Time), (120, IsNot)], &[(0, Happens), (7, Happens)]] {
            let (life, _) = course(RULE, course_of);
            let life = life.unwrap();
            match due(&life, RULE) {
                None => assert_eq!(step(Some(life), Time, 9_999_999, RULE), (Some(life), None)),
                Some(due) => {
                    assert_eq!(step(Some(life), Time, due - 1, RULE), (Some(life), None), "{course_of:?}");
                    assert_ne!(step(Some(life), Time, due, RULE).0, Some(life), "{course_of:?}");
                }
            }
        }
    }

    #[test]
    fn times_before_this_process_and_without_end_are_no_trouble() {
        let forever = Rule { hold: Duration::MAX, cooldown: Duration::MAX };
        assert_eq!(course(forever, &[(-5, Seen::Is), (Ms::MAX, Seen::Time)]).1, [(Ms::MAX, BEGINS)]);
        let told = Life { phase: Phase::Over, told: Some(-400), repeats: 0 };
        assert_eq!(step(Some(told), Seen::Time, 599, RULE).0, Some(told));
        assert_eq!(step(Some(told), Seen::Time, 600, RULE).0, None);
    }
}
