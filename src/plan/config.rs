//! What safe change is told at start: `[plan]` of the configuration.

use std::time::Duration;

/// Limits and times of plans.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// How long an approval holds; 15 min unless set.
    pub approval_timeout: Duration,
    /// How long a router waits for a manual confirm; 10 min unless set.
    pub confirm_timeout: Duration,
    /// How long it waits for plans that confirm themselves; 90 s unless set.
    pub guard_timeout: Duration,
    /// A lone operator may approve own plans in lab; off unless set.
    pub self_approval: bool,
    /// Extreme edits can be planned at all; off unless set.
    pub allow_extreme: bool,
    /// Devices in one plan, 1 to 50; 50 unless set.
    pub max_devices: usize,
    /// Devices changed side by side, 1 to 50; 5 unless set.
    pub batch_size: u32,
    /// Pause between batches; 60 s unless set.
    pub batch_pause: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            approval_timeout: Duration::from_secs(900),
            confirm_timeout: Duration::from_secs(600),
            guard_timeout: Duration::from_secs(90),
            self_approval: false,
            allow_extreme: false,
            max_devices: 50,
            batch_size: 5,
            batch_pause: Duration::from_secs(60),
        }
    }
}

/// A draft is worth nothing after this long.
pub const DRAFT_LIFE: Duration = Duration::from_secs(24 * 3_600);
/// What a router may be told to wait for a manual confirm, extensions included.
pub const CONFIRM_MAX: Duration = Duration::from_secs(3_600);
/// The shortest of it.
pub const CONFIRM_MIN: Duration = Duration::from_secs(30);
/// The guard of a manual plan fires so long after the time a person was given: their last second still counts.
pub const CONFIRM_GRACE: Duration = Duration::from_secs(30);
