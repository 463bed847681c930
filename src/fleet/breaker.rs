//! When to leave a router alone: a circuit breaker as a pure state machine.
//!
//! It counts failures of the network and of the router itself, never a router's *no* to one request. Three in a row
//! open it: requests are then refused at once, for 2 s at first and up to 30 s. After that one request may try
//! (half-open) while others wait for its outcome.

use std::time::Duration;

/// Failures in a row that open it.
const TRIPS_AFTER: u32 = 3;
/// How long it stays open the first time; short, because a rebooting service comes back in seconds.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
/// The longest it stays open without trying.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The state, with the moments (monotonic) it depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Closed { failures: u32 },
    Open { until: Duration, pause: Duration },
    HalfOpen { pause: Duration },
}

/// What a request may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// Go ahead.
    Go,
    /// Another request is finding out whether the router is back; wait for its outcome.
    Wait,
    /// Not now; worth trying again after this long.
    Refused {
        /// Until the next try is allowed.
        retry_in: Duration,
    },
}

/// What came of a request, as far as the breaker cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The router answered, be it with a no.
    Answered,
    /// Network or router failed.
    Failed,
    /// The request never left (cancelled, not configured): says nothing about the router.
    NotTried,
}

/// One router's breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Breaker(State);

impl Default for Breaker {
    fn default() -> Self {
        Breaker(State::Closed { failures: 0 })
    }
}

impl Breaker {
    /// May a request go at `now`? After `Go`, `settle` must follow.
    pub fn admit(&mut self, now: Duration) -> Admission {
        match self.0 {
            State::Closed { .. } => Admission::Go,
            State::Open { until, .. } if now < until => Admission::Refused { retry_in: until - now },
            State::Open { pause, .. } => {
                self.0 = State::HalfOpen { pause };
                Admission::Go
            }
            State::HalfOpen { .. } => Admission::Wait,
        }
    }

    /// Takes the outcome of a request that was let go.
    pub fn settle(&mut self, outcome: Outcome, now: Duration) {
        self.0 = match (self.0, outcome) {
            (_, Outcome::Answered) => State::Closed { failures: 0 },
            (State::Closed { failures }, Outcome::Failed) if failures + 1 < TRIPS_AFTER => State::Closed { failures: failures + 1 },
            (State::Closed { .. }, Outcome::Failed) => State::Open { until: now + FIRST_PAUSE, pause: FIRST_PAUSE },
            (State::HalfOpen { pause }, Outcome::Failed) => {
                let pause = (pause * 2).min(LONGEST_PAUSE);
                State::Open { until: now + pause, pause }
            }
            // A straggler from before it opened: the pause already runs.
            (open @ State::Open { .. }, Outcome::Failed) => open,
            (State::HalfOpen { pause }, Outcome::NotTried) => State::Open { until: now, pause },
            (same, Outcome::NotTried) => same,
        };
    }

    /// Whether nothing has failed since the last answer: only then is repeating a request worth the wait.
    pub fn is_calm(&self) -> bool {
        self.0 == State::Closed { failures: 0 }
    }

    /// Whether requests pass.
    pub fn is_closed(&self) -> bool {
        matches!(self.0, State::Closed { .. })
    }

    /// Lets the next request try at once: somebody asked for a look.
    pub fn allow_a_try(&mut self, now: Duration) {
        if let State::Open { pause, .. } = self.0 {
            self.0 = State::Open { until: now, pause };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    fn tripped() -> Breaker {
        let mut breaker = Breaker::default();
        for _ in 0..TRIPS_AFTER {
            assert_eq!(breaker.admit(s(0)), Admission::Go);
            breaker.settle(Outcome::Failed, s(0));
        }
        breaker
    }

    #[test]
    fn answers_never_trip_it_and_wipe_earlier_failures() {
        let mut breaker = Breaker::default();
        for _ in 0..10 {
            breaker.settle(Outcome::Failed, s(0));
            breaker.settle(Outcome::Failed, s(0));
            breaker.settle(Outcome::Answered, s(0));
            assert_eq!(breaker.admit(s(0)), Admission::Go);
        }
    }

    #[test]
    fn opens_after_three_and_lets_one_try_when_the_pause_is_over() {
        let mut breaker = tripped();
        assert_eq!(breaker.admit(s(1)), Admission::Refused { retry_in: s(1) });
        assert_eq!(breaker.admit(s(2)), Admission::Go);
        assert_eq!(breaker.admit(s(2)), Admission::Wait);
        breaker.settle(Outcome::Answered, s(2));
        assert!(breaker.is_calm());
    }

    #[test]
    fn a_failed_try_doubles_the_pause_up_to_a_bound() {
        let mut breaker = tripped();
        let mut now = s(2);
        for pause in [4, 8, 16, 30, 30] {
            assert_eq!(breaker.admit(now), Admission::Go);
            breaker.settle(Outcome::Failed, now);
            assert_eq!(breaker.admit(now), Admission::Refused { retry_in: s(pause) });
            now += s(pause);
        }
    }

    #[test]
    fn a_try_that_never_left_does_not_keep_the_others_waiting() {
        let mut breaker = tripped();
        assert_eq!(breaker.admit(s(2)), Admission::Go);
        breaker.settle(Outcome::NotTried, s(2));
        assert_eq!(breaker.admit(s(2)), Admission::Go);
    }

    #[test]
    fn a_straggler_does_not_lengthen_the_pause_and_a_person_may_shorten_it() {
        let mut breaker = tripped();
        breaker.settle(Outcome::Failed, s(1));
        assert_eq!(breaker.admit(s(1)), Admission::Refused { retry_in: s(1) });
        breaker.allow_a_try(s(1));
        assert_eq!(breaker.admit(s(1)), Admission::Go);
    }
}
