//! A plan's life and a device's life in it: two enums, each with one pure `step`. What is not listed cannot happen.

use serde::{Deserialize, Serialize};

/// A plan's life. New ones go at the end: records hold the position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanState {
    /// Worked out, nothing done; may need an approval.
    Draft,
    /// As many persons as it needs said yes.
    Approved,
    /// A job works on its devices.
    Executing,
    /// Every device holds the change for good.
    Confirmed,
    /// No device holds it.
    RolledBack,
    /// Some devices hold it, the others are as before.
    PartlyConfirmed,
    /// It ended without touching any router.
    Failed,
    /// At least one router is in a state that a person has to look at.
    NeedsAttention,
    /// A person said no.
    Refused,
    /// Its author or an operator took it back before it ran.
    Cancelled,
    /// Nobody ran it in time.
    Expired,
}

/// What happens to a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PlanEvent {
    /// The last approval it needs was given.
    Approve,
    /// What it was approved for is void: its approvals ran out or the state they are bound to is gone.
    Void,
    /// Its job starts. Plans that need no approval start from draft.
    Start,
    /// Its job ended so.
    End(Ending),
    /// A person said no.
    Refuse,
    /// Taken back.
    Cancel,
    /// Nobody ran it in time.
    Expire,
    /// A person looked at what needed attention and settled it by hand.
    Settle(Ending),
}

/// How a job ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ending {
    /// On every device.
    Confirmed,
    /// On none, and all are as before.
    RolledBack,
    /// On some.
    Partly,
    /// Nothing was touched.
    Failed,
    /// A device needs a person.
    NeedsAttention,
}

/// A step that cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{from} cannot {event}")]
pub struct Refused {
    /// The state it is in.
    pub from: &'static str,
    /// What was asked of it.
    pub event: &'static str,
}

impl PlanState {
    /// All of them, for tables.
    pub const ALL: [PlanState; 11] = [
        PlanState::Draft,
        PlanState::Approved,
        PlanState::Executing,
        PlanState::Confirmed,
        PlanState::RolledBack,
        PlanState::PartlyConfirmed,
        PlanState::Failed,
        PlanState::NeedsAttention,
        PlanState::Refused,
        PlanState::Cancelled,
        PlanState::Expired,
    ];

    /// The word used in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            PlanState::Draft => "draft",
            PlanState::Approved => "approved",
            PlanState::Executing => "executing",
            PlanState::Confirmed => "confirmed",
            PlanState::RolledBack => "rolled_back",
            PlanState::PartlyConfirmed => "partly_confirmed",
            PlanState::Failed => "failed",
            PlanState::NeedsAttention => "needs_attention",
            PlanState::Refused => "refused",
            PlanState::Cancelled => "cancelled",
            PlanState::Expired => "expired",
        }
    }

    /// Nothing more happens to it by itself.
    pub fn is_final(self) -> bool {
        !matches!(self, PlanState::Draft | PlanState::Approved | PlanState::Executing)
    }

    /// What becomes of it.
    ///
    /// # Errors
    /// [`Refused`] for what cannot happen in this state.
    pub fn step(self, event: PlanEvent) -> Result<PlanState, Refused> {
        use {PlanEvent as E, PlanState as P};
        Ok(match (self, event) {
            (P::Draft, E::Approve) => P::Approved,
            (P::Approved, E::Void) => P::Draft,
            (P::Draft | P::Approved, E::Start) => P::Executing,
            (P::Executing, E::End(ending)) | (P::NeedsAttention, E::Settle(ending)) => ending.state(),
            (P::Draft | P::Approved, E::Refuse) => P::Refused,
            (P::Draft | P::Approved, E::Cancel) => P::Cancelled,
            (P::Draft | P::Approved, E::Expire) => P::Expired,
            (from, event) => return Err(Refused { from: from.as_str(), event: event.verb() }),
        })
    }
}

impl Ending {
    fn state(self) -> PlanState {
        match self {
            Ending::Confirmed => PlanState::Confirmed,
            Ending::RolledBack => PlanState::RolledBack,
            Ending::Partly => PlanState::PartlyConfirmed,
            Ending::Failed => PlanState::Failed,
            Ending::NeedsAttention => PlanState::NeedsAttention,
        }
    }

    /// How a job ends whose devices ended so.
    pub fn of(devices: impl IntoIterator<Item = DeviceState>) -> Ending {
        let (mut kept, mut undone, mut untouched, mut odd) = (0_u32, 0_u32, 0_u32, 0_u32);
        for device in devices {
            match device {
                DeviceState::Confirmed => kept += 1,
                DeviceState::RolledBack => undone += 1,
                DeviceState::Skipped | DeviceState::Pending => untouched += 1,
                _ => odd += 1,
            }
        }
        match (odd, kept, undone, untouched) {
            (1.., ..) => Ending::NeedsAttention,
            (0, 1.., 0, 0) => Ending::Confirmed,
            (0, 1.., ..) => Ending::Partly,
            (0, 0, 1.., _) => Ending::RolledBack,
            (0, 0, 0, _) => Ending::Failed,
        }
    }
}

impl PlanEvent {
    fn verb(self) -> &'static str {
        match self {
            PlanEvent::Approve => "be approved",
            PlanEvent::Void => "lose its approval",
            PlanEvent::Start => "be applied",
            PlanEvent::End(_) => "end",
            PlanEvent::Refuse => "be refused",
            PlanEvent::Cancel => "be cancelled",
            PlanEvent::Expire => "expire",
            PlanEvent::Settle(_) => "be settled",
        }
    }
}

/// A device's life in a plan. New ones go at the end: records hold the position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceState {
    /// Nothing was done to its router.
    #[default]
    Pending,
    /// The router holds the undo and its timer.
    Armed,
    /// The change is on the router, or part of it.
    Applied,
    /// It does what it should and we can still reach it.
    Verified,
    /// It stays; the router holds nothing of ours any more.
    Confirmed,
    /// The router is as it was, compared row by row.
    RolledBack,
    /// Left out: its rows moved since the draft, it was in no state to be changed, or what was to be sent never left.
    Skipped,
    /// An answer was lost and the router cannot be asked.
    Unknown,
    /// A person has to look; the difference stands in the record.
    NeedsAttention,
}

/// What happens to a device in a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeviceEvent {
    /// The guard was read back.
    Arm,
    /// Left out, untouched.
    Skip,
    /// The first wire operation is about to be sent.
    Apply,
    /// Everything was proven.
    Verify,
    /// It stays.
    Confirm,
    /// It is as it was.
    RollBack,
    /// An answer was lost.
    LoseAnswer,
    /// The router is neither as planned nor as it was.
    Disagree,
    /// Its job was halted and another plan took it back.
    TakeBack,
    /// Its job was halted, and it could not be taken back.
    Strand,
}

impl DeviceState {
    /// All of them, for tables.
    pub const ALL: [DeviceState; 9] = [
        DeviceState::Pending,
        DeviceState::Armed,
        DeviceState::Applied,
        DeviceState::Verified,
        DeviceState::Confirmed,
        DeviceState::RolledBack,
        DeviceState::Skipped,
        DeviceState::Unknown,
        DeviceState::NeedsAttention,
    ];

    /// The word used in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            DeviceState::Pending => "pending",
            DeviceState::Armed => "armed",
            DeviceState::Applied => "applied",
            DeviceState::Verified => "verified",
            DeviceState::Confirmed => "confirmed",
            DeviceState::RolledBack => "rolled_back",
            DeviceState::Skipped => "skipped",
            DeviceState::Unknown => "unknown",
            DeviceState::NeedsAttention => "needs_attention",
        }
    }

    /// Something of ours is, or may be, on the router and not settled.
    pub fn is_live(self) -> bool {
        matches!(self, DeviceState::Armed | DeviceState::Applied | DeviceState::Verified | DeviceState::Unknown)
    }

    /// Nothing more happens to it by itself.
    pub fn is_final(self) -> bool {
        !self.is_live() && self != DeviceState::Pending
    }

    /// Whether nobody has to come back to it once its plan is over.
    pub fn leaves_nothing_open(self) -> bool {
        matches!(self, DeviceState::Pending | DeviceState::Confirmed | DeviceState::RolledBack | DeviceState::Skipped)
    }

    /// What becomes of it.
    ///
    /// # Errors
    /// [`Refused`] for what cannot happen in this state.
    pub fn step(self, event: DeviceEvent) -> Result<DeviceState, Refused> {
        use {DeviceEvent as E, DeviceState as D};
        Ok(match (self, event) {
            (D::Pending, E::Arm) => D::Armed,
            // The first wire operation was about to be sent, and could not be.
            (D::Pending | D::Applied, E::Skip) => D::Skipped,
            (D::Pending | D::Armed, E::Apply) => D::Applied,
            (D::Applied, E::Verify) => D::Verified,
            (D::Verified, E::Confirm) => D::Confirmed,
            (D::Armed | D::Applied | D::Verified | D::Unknown, E::RollBack) => D::RolledBack,
            (D::Armed | D::Applied | D::Verified, E::LoseAnswer) => D::Unknown,
            (D::Confirmed, E::TakeBack) => D::RolledBack,
            (D::Confirmed, E::Strand) => D::NeedsAttention,
            // What was unknown has been read: it is as planned, and can be verified.
            (D::Unknown, E::Apply) => D::Applied,
            (live, E::Disagree) if live.is_live() => D::NeedsAttention,
            (from, event) => return Err(Refused { from: from.as_str(), event: event.verb() }),
        })
    }
}

impl DeviceEvent {
    fn verb(self) -> &'static str {
        match self {
            DeviceEvent::Arm => "be armed",
            DeviceEvent::Skip => "be skipped",
            DeviceEvent::Apply => "be applied",
            DeviceEvent::Verify => "be verified",
            DeviceEvent::Confirm => "be confirmed",
            DeviceEvent::RollBack => "be rolled back",
            DeviceEvent::LoseAnswer => "lose an answer",
            DeviceEvent::Disagree => "disagree",
            DeviceEvent::TakeBack => "be taken back",
            DeviceEvent::Strand => "be left with the change",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_verified_only_after_it_was_applied_and_confirmed_only_after_that() {
        use {DeviceEvent as E, DeviceState as D};
        let ways = [E::Arm, E::Apply, E::Verify, E::Confirm].iter().try_fold(D::Pending, |state, event| state.step(*event));
        assert_eq!(ways, Ok(D::Confirmed));
        for from in D::ALL {
            assert_eq!(from.step(E::Confirm).is_ok(), from == D::Verified, "{from:?}");
            assert_eq!(from.step(E::Verify).is_ok(), from == D::Applied, "{from:?}");
            assert_eq!(from.step(E::Skip).is_ok(), matches!(from, D::Pending | D::Applied), "{from:?}");
            assert_eq!(from.step(E::Disagree).is_ok(), from.is_live(), "{from:?}");
            assert_eq!(from.step(E::TakeBack).is_ok(), from == D::Confirmed, "{from:?}");
            assert_eq!(from.step(E::Strand).is_ok(), from == D::Confirmed, "{from:?}");
        }
    }

    #[test]
    fn what_is_final_stays_so() {
        let events = [PlanEvent::Approve, PlanEvent::Start, PlanEvent::Refuse, PlanEvent::Cancel, PlanEvent::Expire, PlanEvent::Void];
        for state in PlanState::ALL.into_iter().filter(|state| state.is_final()) {
            for event in events {
                assert!(state.step(event).is_err(), "{state:?} {event:?}");
            }
            assert!(state.step(PlanEvent::End(Ending::Confirmed)).is_err());
            assert_eq!(state.step(PlanEvent::Settle(Ending::RolledBack)).is_ok(), state == PlanState::NeedsAttention);
        }
    }

    #[test]
    fn a_job_ends_as_its_devices_did() {
        use DeviceState as D;
        for (devices, ending) in [
            (vec![D::Confirmed, D::Confirmed], Ending::Confirmed),
            (vec![D::Confirmed, D::Skipped], Ending::Partly),
            (vec![D::Confirmed, D::RolledBack, D::Pending], Ending::Partly),
            (vec![D::RolledBack, D::Pending], Ending::RolledBack),
            (vec![D::Skipped, D::Pending], Ending::Failed),
            (vec![D::Confirmed, D::NeedsAttention], Ending::NeedsAttention),
            (vec![D::Unknown], Ending::NeedsAttention),
        ] {
            assert_eq!(Ending::of(devices.iter().copied()), ending, "{devices:?}");
        }
    }
}
