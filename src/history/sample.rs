//! One look at a router's vitals, as it is kept and judged.

use crate::base::clock::Wall;
use serde::{Deserialize, Serialize};

/// One look at a router. What was not read, or does not exist there, is absent.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// When.
    pub at: Wall,
    /// Whether it answered; the rest is absent when it did not.
    pub reachable: bool,
    /// Processor load, percent.
    pub cpu_percent: Option<u8>,
    /// Memory in use, percent.
    pub memory_percent: Option<u8>,
    /// Storage in use, percent.
    pub disk_percent: Option<u8>,
    /// Blocks of flash that failed, percent, rounded up.
    pub bad_blocks_percent: Option<u8>,
    /// Hottest sensor, degrees Celsius.
    pub celsius: Option<i16>,
    /// Supply, tenths of a volt.
    pub decivolts: Option<u16>,
    /// Power supplies and fans that report a fault, a bit each: see [`part`].
    pub failed_parts: Option<u8>,
    /// Its clock less ours, seconds.
    pub clock_offset_seconds: Option<i64>,
    /// Whether its NTP client is synchronized; absent where the client is off. Not kept: only the newest look tells anything.
    pub ntp_synchronized: Option<bool>,
    /// How often its interfaces lost their link since its last start, all together.
    pub link_downs: Option<u32>,
    /// Since its last start, seconds.
    pub uptime_seconds: Option<u64>,
    /// How long it took to answer, milliseconds.
    pub answer_ms: Option<u32>,
}

impl Sample {
    /// A router that did not answer.
    pub fn silent(at: Wall) -> Self {
        Sample {
            at,
            reachable: false,
            cpu_percent: None,
            memory_percent: None,
            disk_percent: None,
            bad_blocks_percent: None,
            celsius: None,
            decivolts: None,
            failed_parts: None,
            clock_offset_seconds: None,
            ntp_synchronized: None,
            link_downs: None,
            uptime_seconds: None,
            answer_ms: None,
        }
    }

    /// When the router started, seconds since 1970 on our clock.
    pub fn started(&self) -> Option<i64> {
        Some(self.at.0.div_euclid(1_000) - i64::try_from(self.uptime_seconds?).ok()?)
    }
}

/// The name of a bit of [`Sample::failed_parts`].
pub fn part(bit: u8) -> &'static str {
    ["power supply 1", "power supply 2", "power supply 3", "power supply 4", "fan 1", "fan 2", "fan 3", "fan 4"][usize::from(bit % 8)]
}
