//! How far one device of a plan came: its state, what is on the router, what was found different.

use crate::base::clock::Wall;
use crate::base::ids::DeviceId;
use crate::plan::form::Pairs;
use crate::plan::record::PlanId;
use crate::plan::state::DeviceState;
use crate::store::Record;
use serde::{Deserialize, Serialize};

/// A guard on a router.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guard {
    /// What kind.
    pub kind: GuardKind,
    /// The name of its script and entry on the router.
    pub name: String,
    /// The `.id` of its job, for `execute`.
    pub job: Option<String>,
    /// It was read back and is as it should be.
    pub proven: bool,
}

/// The kinds of guard. New ones go at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GuardKind {
    /// A script and a scheduler entry; survives a reboot.
    Scheduler,
    /// A job that waits; gone with a reboot.
    Execute,
}

impl GuardKind {
    /// The word used in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            GuardKind::Scheduler => "scheduler",
            GuardKind::Execute => "execute",
        }
    }
}

/// What is about to be done; whoever finds it after a crash knows what may have happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Intent {
    /// Putting the guard up.
    Arm,
    /// Sending this step.
    Apply(u32),
    /// Looking whether it holds.
    Verify,
    /// Taking the guard away because the change stays: from here on it is not undone any more.
    Confirm,
    /// Undoing it ourselves.
    RollBack,
    /// Waiting for the router's own undo.
    AwaitFire,
    /// Removing what is left of the guard.
    Clean,
}

/// A row that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// Its menu.
    pub menu: String,
    /// Which row, for people.
    pub key: Pairs,
    /// As it should be; `None`: not there.
    pub wanted: Option<Pairs>,
    /// As it is.
    pub found: Option<Pairs>,
    /// In a sentence.
    pub why: String,
}

/// How far one device came.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Whose.
    pub plan: PlanId,
    /// Where.
    pub device: DeviceId,
    /// Its life.
    pub state: DeviceState,
    /// What is being done.
    pub intent: Option<Intent>,
    /// Steps whose outcome is known to be there.
    pub steps_done: u32,
    /// Rows its steps added: step and `.id`. No identity, but evidence: a row that somebody changed since cannot be found by what it
    /// held.
    pub added: Vec<(u32, String)>,
    /// Guards on the router.
    pub guards: Vec<Guard>,
    /// When the guard fires, by our wall clock.
    pub fires_at: Option<Wall>,
    /// When it was armed.
    pub armed_at: Option<Wall>,
    /// The router's uptime at that time, seconds: a smaller one later means it restarted.
    pub uptime_at_arm_s: Option<u64>,
    /// The whole time a manual confirmation was given, seconds; at most one hour.
    pub granted_s: u32,
    /// A person or caller asked that it stay (manual plans).
    pub keep_asked: bool,
    /// Somebody asked that it be taken back, and why.
    pub undo_asked: Option<String>,
    /// Why it did not go as planned.
    pub error: Option<String>,
    /// What a person has to look at.
    pub difference: Vec<Difference>,
    /// When it was begun.
    pub began_at: Option<Wall>,
    /// When it last changed.
    pub updated_at: Wall,
    /// The plan that takes it back, after its job was halted.
    pub taken_back_by: Option<PlanId>,
}

impl Progress {
    /// Nothing done yet.
    pub fn new(plan: PlanId, device: DeviceId, now: Wall) -> Progress {
        Progress {
            plan,
            device,
            state: DeviceState::Pending,
            intent: None,
            steps_done: 0,
            added: Vec::new(),
            guards: Vec::new(),
            fires_at: None,
            armed_at: None,
            uptime_at_arm_s: None,
            granted_s: 0,
            keep_asked: false,
            undo_asked: None,
            error: None,
            difference: Vec::new(),
            began_at: None,
            updated_at: now,
            taken_back_by: None,
        }
    }
}

impl Record for Progress {
    const TABLE: &'static str = "plan_progress";
    const VERSION: u8 = 1;
}

#[cfg(test)]
crate::store::golden!(Progress);
