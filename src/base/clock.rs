//! Time as an argument: nothing else in the program reads clocks.
//!
//! Boxes boot in 1970 and step when NTP answers, so order comes from monotonic time and sequence
//! numbers; wall time is for people and for expiry.

use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// Milliseconds since 1970-01-01 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Wall(pub i64);

impl Wall {
    /// Whether it can be the date: boxes without a battery boot in 1970, and this program was not written before 2026.
    pub fn is_plausible(self) -> bool {
        self >= Wall::FLOOR
    }

    /// 2026-01-01, before which this program was not written.
    pub const FLOOR: Wall = Wall(1_767_225_600_000);

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
    Paced(Arc<Tempo>),
}

/// A clock that a test moves.
#[derive(Debug, Default)]
pub struct Hand {
    mono_ms: AtomicU64,
    wall_ms: AtomicI64,
    moved: Notify,
    by_itself: AtomicBool,
}

impl Hand {
    /// Lets time pass: both clocks move.
    pub fn advance(&self, by: Duration) {
        let ms = by.as_millis() as u64;
        self.mono_ms.fetch_add(ms, Ordering::SeqCst);
        self.wall_ms.fetch_add(ms as i64, Ordering::SeqCst);
        self.moved.notify_waiters();
    }

    /// From now on whoever sleeps moves time on by as much and goes on at once: hours pass in no time, in order, as long as one
    /// sleeper at a time is what a test is about.
    pub fn move_by_itself(&self) {
        self.by_itself.store(true, Ordering::SeqCst);
        self.moved.notify_waiters();
    }

    /// From now on it stands again until somebody moves it.
    pub fn stand(&self) {
        self.by_itself.store(false, Ordering::SeqCst);
    }

    /// Steps the wall clock alone, as NTP does.
    pub fn step_wall(&self, to: Wall) {
        self.wall_ms.store(to.0, Ordering::SeqCst);
    }
}

/// How fast a paced clock goes: for a demonstration that cannot take minutes.
#[derive(Debug)]
pub struct Tempo {
    leg: Mutex<Leg>,
    changed: Notify,
}

/// Time since the tempo last changed.
#[derive(Debug, Clone, Copy)]
struct Leg {
    began: Instant,
    mono: Duration,
    wall_ms: i64,
    times: u32,
}

impl Leg {
    fn passed(&self) -> Duration {
        self.began.elapsed() * self.times
    }
}

impl Tempo {
    /// From now on time goes so many times as fast as the machine's; 1 is real time.
    pub fn set(&self, times: u32) {
        let mut leg = self.leg();
        let (began, passed) = (Instant::now(), leg.passed());
        *leg = Leg { began, mono: leg.mono + passed, wall_ms: leg.wall_ms + passed.as_millis() as i64, times: times.max(1) };
        drop(leg);
        self.changed.notify_waiters();
    }

    fn leg(&self) -> MutexGuard<'_, Leg> {
        self.leg.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock {
    /// The machine's clocks.
    pub fn system() -> Self {
        Clock(Source::System { start: Instant::now() })
    }

    /// A clock that stands until `Hand` moves it.
    pub fn by_hand(wall: Wall) -> (Self, Arc<Hand>) {
        let hand = Arc::new(Hand { wall_ms: AtomicI64::new(wall.0), ..Hand::default() });
        (Clock(Source::Hand(hand.clone())), hand)
    }

    /// The machine's clocks, until `Tempo` makes them go faster.
    pub fn paced() -> (Self, Arc<Tempo>) {
        let leg = Leg { began: Instant::now(), mono: Duration::ZERO, wall_ms: system_wall_ms(), times: 1 };
        let tempo = Arc::new(Tempo { leg: Mutex::new(leg), changed: Notify::new() });
        (Clock(Source::Paced(tempo.clone())), tempo)
    }

    /// Whether it stands until somebody moves it: waiting for it in real time would be waiting for ever.
    pub fn is_by_hand(&self) -> bool {
        matches!(self.0, Source::Hand(_))
    }

    /// Time since this clock was made; never goes back.
    pub fn mono(&self) -> Duration {
        match &self.0 {
            Source::System { start } => start.elapsed(),
            Source::Hand(hand) => Duration::from_millis(hand.mono_ms.load(Ordering::SeqCst)),
            Source::Paced(tempo) => {
                let leg = *tempo.leg();
                leg.mono + leg.passed()
            }
        }
    }

    /// Waits until so much time has passed on this clock.
    pub async fn sleep(&self, span: Duration) {
        match &self.0 {
            Source::System { .. } => tokio::time::sleep(span).await,
            Source::Hand(hand) => self.sleep_by_hand(hand, span).await,
            Source::Paced(tempo) => self.sleep_paced(tempo, span).await,
        }
    }

    async fn sleep_by_hand(&self, hand: &Hand, span: Duration) {
        let until = self.mono().saturating_add(span);
        loop {
            let moved = hand.moved.notified();
            tokio::pin!(moved);
            // Listen before looking, or a move in between is missed.
            moved.as_mut().enable();
            let now = self.mono();
            if now >= until {
                return;
            }
            if hand.by_itself.load(Ordering::SeqCst) {
                hand.advance(until - now);
                // Whoever waits for this very moment goes first.
                tokio::task::yield_now().await;
                return;
            }
            moved.await;
        }
    }

    async fn sleep_paced(&self, tempo: &Tempo, span: Duration) {
        let until = self.mono().saturating_add(span);
        loop {
            let changed = tempo.changed.notified();
            tokio::pin!(changed);
            // Listen before looking, or a change in between is missed.
            changed.as_mut().enable();
            let left = until.saturating_sub(self.mono());
            if left.is_zero() {
                return;
            }
            let times = tempo.leg().times;
            tokio::select! {
                () = tokio::time::sleep(left / times) => {}
                () = changed => {}
            }
        }
    }

    /// The date and time people read.
    pub fn wall(&self) -> Wall {
        match &self.0 {
            Source::System { .. } => Wall(system_wall_ms()),
            Source::Hand(hand) => Wall(hand.wall_ms.load(Ordering::SeqCst)),
            Source::Paced(tempo) => {
                let leg = *tempo.leg();
                Wall(leg.wall_ms + leg.passed().as_millis() as i64)
            }
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

    #[tokio::test]
    async fn a_sleeper_wakes_when_the_hand_has_moved_far_enough() {
        let (clock, hand) = Clock::by_hand(Wall(0));
        let sleeper = clock.clone();
        let mut asleep = std::pin::pin!(sleeper.sleep(Duration::from_secs(5)));
        assert!(futures_util::poll!(&mut asleep).is_pending());
        hand.advance(Duration::from_secs(4));
        assert!(futures_util::poll!(&mut asleep).is_pending());
        hand.advance(Duration::from_secs(1));
        asleep.await;
        hand.move_by_itself();
        clock.sleep(Duration::from_secs(3_600)).await;
        assert_eq!(clock.mono(), Duration::from_secs(3_605));
    }

    #[tokio::test]
    async fn a_sleeper_on_a_faster_clock_wakes_when_that_clock_says_so() {
        let (clock, tempo) = Clock::paced();
        let (began, wall) = (clock.mono(), clock.wall());
        let sleeper = clock.clone();
        let mut asleep = std::pin::pin!(sleeper.sleep(Duration::from_secs(3_600)));
        assert!(futures_util::poll!(&mut asleep).is_pending());
        // It slept at the old tempo already; an hour takes 36 ms from here.
        tempo.set(100_000);
        asleep.await;
        assert!(clock.mono() - began >= Duration::from_secs(3_600));
        assert!(clock.wall().0 - wall.0 >= 3_600_000);
        let before = clock.mono();
        tempo.set(1);
        assert!(clock.mono() >= before, "a change of tempo never takes time back");
    }

    #[test]
    fn a_date_before_this_program_is_none() {
        assert!(Wall::parse("2026-01-01").is_some_and(Wall::is_plausible));
        assert!(!Wall::parse("2025-12-31T23:59:59Z").is_some_and(Wall::is_plausible) && !Wall(0).is_plausible());
    }

    #[test]
    fn a_wall_step_leaves_monotonic_time_alone() {
        let (clock, hand) = Clock::by_hand(Wall(0));
        hand.advance(Duration::from_secs(2));
        hand.step_wall(Wall(5));
        assert_eq!((clock.mono(), clock.wall()), (Duration::from_secs(2), Wall(5)));
    }
}
