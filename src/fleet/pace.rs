//! How fast one router may be asked: a token bucket, and a governor that slows it.
//!
//! Both are pure: moments come in, waiting times go out.

use std::time::Duration;

/// Requests at an average rate, with a burst after quiet times (GCRA: one moment is the whole state).
#[derive(Debug, Clone, Copy)]
pub struct Bucket {
    /// Time that one request uses up.
    each: Duration,
    /// How far ahead of the average requests may run.
    slack: Duration,
    /// When the average catches up with what was let go.
    due: Duration,
}

impl Bucket {
    /// `per_second` on average, `burst` at once.
    pub fn new(per_second: u32, burst: u32) -> Self {
        let each = Duration::from_secs(1) / per_second.max(1);
        Bucket { each, slack: each * burst.max(1).saturating_sub(1), due: Duration::ZERO }
    }

    /// Takes one request out and says how long it has to wait before it goes; takes nothing and says `None` when that
    /// would be longer than `patience`.
    pub fn take(&mut self, now: Duration, pace: Pace, patience: Duration) -> Option<Duration> {
        let start = self.due.max(now);
        let wait = start.saturating_sub(now + self.slack);
        if wait > patience {
            return None;
        }
        self.due = start + self.each * pace.factor();
        Some(wait)
    }

    /// Nothing goes before `until`: a router that just lost an answer needs a moment (see the lane).
    pub fn hold(&mut self, until: Duration) {
        self.due = self.due.max(until + self.slack);
    }
}

/// How hard a router may be worked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pace {
    /// As configured.
    Full,
    /// Half the rate, one request at a time.
    Eased,
    /// A quarter of the rate, one request at a time.
    Slow,
}

impl Pace {
    /// Intervals between requests and polls are this many times longer.
    pub fn factor(self) -> u32 {
        match self {
            Pace::Full => 1,
            Pace::Eased => 2,
            Pace::Slow => 4,
        }
    }
}

/// Answers slower than this (smoothed) ease the pace, and twice that slows it: an idle router answers in
/// milliseconds, a big table in some hundred.
const SLOW_ANSWER: Duration = Duration::from_millis(1_500);
/// CPU load in percent that eases the pace, and that slows it.
const CPU_EASES: u8 = 80;
const CPU_SLOWS: u8 = 95;
/// How much one answer counts against those before it: 1 in 4.
const SMOOTHING: u32 = 4;

/// Watches how a router copes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Governor {
    answer: Duration,
    cpu_load: u8,
}

impl Governor {
    /// An answer took this long.
    pub fn answered_in(&mut self, took: Duration) {
        self.answer = (self.answer * (SMOOTHING - 1) + took) / SMOOTHING;
    }

    /// The router says how busy its CPU is, percent.
    pub fn cpu_load(&mut self, percent: u8) {
        self.cpu_load = percent;
    }

    /// How hard it may be worked now.
    pub fn pace(&self) -> Pace {
        let by_answer = match self.answer {
            a if a >= SLOW_ANSWER * 2 => Pace::Slow,
            a if a >= SLOW_ANSWER => Pace::Eased,
            _ => Pace::Full,
        };
        let by_cpu = match self.cpu_load {
            CPU_SLOWS.. => Pace::Slow,
            CPU_EASES.. => Pace::Eased,
            _ => Pace::Full,
        };
        by_answer.max(by_cpu)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    #[test]
    fn a_burst_goes_at_once_and_the_rest_at_the_average() {
        let mut bucket = Bucket::new(5, 3);
        let waits: Vec<Duration> = (0..5).map(|_| bucket.take(ms(0), Pace::Full, ms(9_999)).unwrap()).collect();
        assert_eq!(waits, [ms(0), ms(0), ms(0), ms(200), ms(400)]);
        assert_eq!(bucket.take(ms(60_000), Pace::Full, ms(0)), Some(ms(0)), "quiet time fills it again");
    }

    #[test]
    fn a_slow_pace_stretches_the_average() {
        let mut bucket = Bucket::new(10, 1);
        bucket.take(ms(0), Pace::Slow, ms(9_999));
        assert_eq!(bucket.take(ms(0), Pace::Slow, ms(399)), None);
        assert_eq!(bucket.take(ms(0), Pace::Slow, ms(400)), Some(ms(400)), "a refused request used nothing up");
    }

    #[test]
    fn a_hold_delays_even_a_full_bucket() {
        let mut bucket = Bucket::new(5, 10);
        bucket.hold(ms(2_000));
        assert_eq!(bucket.take(ms(500), Pace::Full, ms(9_999)), Some(ms(1_500)));
    }

    #[test]
    fn slow_answers_and_a_busy_cpu_ease_the_pace_and_recovery_restores_it() {
        let mut governor = Governor::default();
        assert_eq!(governor.pace(), Pace::Full);
        (0..8).for_each(|_| governor.answered_in(ms(2_000)));
        assert_eq!(governor.pace(), Pace::Eased);
        (0..20).for_each(|_| governor.answered_in(ms(5)));
        assert_eq!(governor.pace(), Pace::Full);
        governor.cpu_load(97);
        assert_eq!(governor.pace(), Pace::Slow);
        governor.cpu_load(85);
        assert_eq!(governor.pace(), Pace::Eased);
    }
}
