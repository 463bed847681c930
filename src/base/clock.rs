//! Time as an argument: nothing else in the program reads clocks.
//!
//! Boxes boot in 1970 and step when NTP answers, so order comes from monotonic time and sequence
//! numbers; wall time is for people and for expiry.

use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Milliseconds since 1970-01-01 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Wall(pub i64);

impl Wall {
    /// RFC 3339 in UTC with milliseconds: `2026-11-25T02:53:14.000Z`.
    pub fn rfc3339(self) -> String {
        match chrono::DateTime::from_timestamp_millis(self.0) {
            Some(time) => time.to_rfc3339_opts(chrono::SecondsFormat::Millis, true),
            None => format!("{} ms", self.0),
        }
    }

    /// Reads RFC 3339, or a date (`2026-11-25`, midnight UTC).
    pub fn parse(text: &str) -> Option<Self> {
        if let Ok(time) = chrono::DateTime::parse_from_rfc3339(text) {
            return Some(Wall(time.timestamp_millis()));
        }
        let date = chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
        Some(Wall(date.and_hms_opt(0, 0, 0)?.and_utc().timestamp_millis()))
    }
}

/// Where a part gets its time from.
#[derive(Debug, Clone)]
pub struct Clock(Source);

#[derive(Debug, Clone)]
enum Source {
    System { start: Instant },
    Hand(Arc<Hand>),
}

/// A clock that a test moves.
#[derive(Debug, Default)]
pub struct Hand {
    mono_ms: AtomicU64,
    wall_ms: AtomicI64,
}

impl Hand {
    /// Lets time pass: both clocks move.
    pub fn advance(&self, by: Duration) {
        let ms = by.as_millis() as u64;
        self.mono_ms.fetch_add(ms, Ordering::SeqCst);
        self.wall_ms.fetch_add(ms as i64, Ordering::SeqCst);
    }

    /// Steps the wall clock alone, as NTP does.
    pub fn step_wall(&self, to: Wall) {
        self.wall_ms.store(to.0, Ordering::SeqCst);
    }
}

impl Clock {
    /// The machine's clocks.
    pub fn system() -> Self {
        Clock(Source::System { start: Instant::now() })
    }

    /// A clock that stands until `Hand` moves it.
    pub fn by_hand(wall: Wall) -> (Self, Arc<Hand>) {
        let hand = Arc::new(Hand { mono_ms: AtomicU64::new(0), wall_ms: AtomicI64::new(wall.0) });
        (Clock(Source::Hand(hand.clone())), hand)
    }

    /// Time since this clock was made; never goes back.
    pub fn mono(&self) -> Duration {
        match &self.0 {
            Source::System { start } => start.elapsed(),
            Source::Hand(hand) => Duration::from_millis(hand.mono_ms.load(Ordering::SeqCst)),
        }
    }

    /// The date and time people read.
    pub fn wall(&self) -> Wall {
        match &self.0 {
            Source::System { .. } => Wall(system_wall_ms()),
            Source::Hand(hand) => Wall(hand.wall_ms.load(Ordering::SeqCst)),
        }
    }
}

#[allow(clippy::disallowed_methods, reason = "the one place that reads the system's wall clock")]
fn system_wall_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    since.as_millis() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wall_time_reads_back_what_it_prints() {
        let t = Wall(1_790_000_000_123);
        assert_eq!(Wall::parse(&t.rfc3339()), Some(t));
        assert_eq!(Wall::parse("1970-01-02"), Some(Wall(86_400_000)));
        assert_eq!(Wall::parse("yesterday"), None);
    }

    #[test]
    fn a_wall_step_leaves_monotonic_time_alone() {
        let (clock, hand) = Clock::by_hand(Wall(0));
        hand.advance(Duration::from_secs(2));
        hand.step_wall(Wall(5));
        assert_eq!((clock.mono(), clock.wall()), (Duration::from_secs(2), Wall(5)));
    }
}
