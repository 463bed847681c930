//! The router's two clocks. The monotonic one only a test moves; the wall clock steps, is lost in a power cut, and NTP corrects it.

use crate::base::clock::Wall;
use crate::sim::agenda::timers;
use crate::sim::live;
use crate::sim::world::World;
use std::time::Duration;

/// What a board's wall clock does without power.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BoardClock {
    /// It has a battery.
    Kept,
    /// It starts at the date its software was built, until NTP answers that long after boot, or never.
    BuildDate {
        /// Time from boot to NTP's answer.
        ntp_after: Option<Duration>,
    },
}

impl World {
    /// The router's monotonic clock: while it catches up, the time of what happens.
    pub(in crate::sim) fn mono(&self) -> Duration {
        self.moment.unwrap_or_else(|| self.clock.mono())
    }

    /// The router's wall clock.
    pub fn now(&self) -> Wall {
        Wall(self.wall_at(self.mono()))
    }

    /// The wall clock at that moment, if it is not stepped before.
    pub(in crate::sim) fn wall_at(&self, moment: Duration) -> i64 {
        self.epoch.saturating_add(moment.as_millis() as i64).saturating_add(self.step_ms)
    }

    /// When the wall clock will show that time; at once if it is past.
    pub(in crate::sim) fn moment_of(&self, wall: i64) -> Duration {
        let ms = wall.saturating_sub(self.epoch).saturating_sub(self.step_ms);
        Duration::from_millis(u64::try_from(ms).unwrap_or(0))
    }

    /// Steps the wall clock, as a person or NTP does; monotonic time goes on as it did.
    pub fn step_clock(&mut self, by_ms: i64) {
        timers::sync(self);
        // What a step makes due happens now, not when the clock would have shown it.
        self.settled = self.settled.max(self.mono());
        self.step_ms = self.step_ms.saturating_add(by_ms);
        timers::stepped(self, by_ms < 0);
        if by_ms != 0 {
            let now = live::date_time(self.now());
            self.log("system,clock,info", &format!("system time changed to {now}"));
        }
    }

    /// Cuts and restores the power: what is written survives; jobs, globals, logins and the log are lost.
    pub fn power_cut(&mut self, clock: BoardClock) {
        self.reboot();
        if let BoardClock::BuildDate { ntp_after } = clock {
            let built = live::read_date_time(self.model.build_time).unwrap_or(0);
            self.step_clock(built.saturating_sub(self.now().0));
            self.ntp_at = ntp_after.map(|after| self.mono().saturating_add(after));
        }
        self.log("system,error,critical", "router was rebooted without proper shutdown");
    }

    /// NTP's answer, once its time has come.
    pub(super) fn correct_clock(&mut self) {
        if self.ntp_at.is_some_and(|at| at <= self.mono()) {
            self.ntp_at = None;
            self.step_clock(self.step_ms.saturating_neg());
        }
    }
}
