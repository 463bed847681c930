//! Why the fleet did not do something, before or beside what a router says.

use crate::base::fault::{Fault, Kind};
use crate::base::tier::Environment;
use std::time::Duration;

/// What goes wrong around routers; what goes wrong *with* them is a `RouterError`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FleetError {
    /// Nothing of that id or name.
    #[error("no device \"{wanted}\"")]
    NoDevice {
        /// What was asked for.
        wanted: String,
        /// Names like it.
        nearest: Vec<String>,
    },
    /// Another device has the name.
    #[error("there is a device \"{name}\" already")]
    NameTaken {
        /// The name, as the other device spells it.
        name: String,
    },
    /// Somebody else changed the record meanwhile.
    #[error("device \"{name}\" was changed by somebody else meanwhile")]
    Changed {
        /// The device.
        name: String,
    },
    /// It presents another key than the pinned one.
    #[error("device \"{name}\" is quarantined: {why}")]
    Quarantined {
        /// The device.
        name: String,
        /// What differs.
        why: String,
    },
    /// Retired.
    #[error("device \"{name}\" is decommissioned")]
    Decommissioned {
        /// The device.
        name: String,
    },
    /// It belongs to another appliance's environment.
    #[error("device \"{name}\" belongs to {theirs}, this appliance to {ours}", theirs = theirs.as_str(), ours = ours.as_str())]
    OtherEnvironment {
        /// The device.
        name: String,
        /// Its environment.
        theirs: Environment,
        /// The appliance's.
        ours: Environment,
    },
    /// Too many requests wait for this router.
    #[error("device \"{name}\": {waiting} requests are waiting for it already")]
    QueueFull {
        /// The device.
        name: String,
        /// How many wait.
        waiting: usize,
    },
    /// A request waited too long for its turn.
    #[error("device \"{name}\": busy, no turn within {} s", after.as_secs())]
    NoTurn {
        /// The device.
        name: String,
        /// How long it waited.
        after: Duration,
    },
    /// The circuit is open: it failed repeatedly and is left alone for a moment.
    #[error("device \"{name}\": did not answer lately{}", because(last_error))]
    Resting {
        /// The device.
        name: String,
        /// Until the next try.
        retry_in: Duration,
        /// What failed last.
        last_error: Option<String>,
    },
    /// No password is kept for it.
    #[error("device \"{name}\": no password is stored for it")]
    NoCredential {
        /// The device.
        name: String,
    },
    /// A fingerprint is not the expected one.
    #[error("{what} fingerprint differs: expected {expected}, presented {presented}")]
    Fingerprint {
        /// `TLS` or `SSH`.
        what: &'static str,
        /// What was expected.
        expected: String,
        /// What the peer shows.
        presented: String,
    },
    /// The appliance is shutting down.
    #[error("the appliance is shutting down")]
    Closing,
}

fn because(last_error: &Option<String>) -> String {
    last_error.as_ref().map(|error| format!(" ({error})")).unwrap_or_default()
}

impl FleetError {
    fn kind(&self) -> Kind {
        use FleetError as E;
        match self {
            E::NoDevice { .. } => Kind::NotFound,
            E::NameTaken { .. } | E::Changed { .. } | E::Decommissioned { .. } => Kind::Conflict,
            E::Quarantined { .. } | E::Fingerprint { .. } => Kind::Untrusted,
            E::OtherEnvironment { .. } => Kind::Denied,
            E::QueueFull { .. } | E::NoTurn { .. } | E::Closing => Kind::Busy,
            E::Resting { .. } => Kind::Unreachable,
            E::NoCredential { .. } => Kind::RouterDenied,
        }
    }

    fn hint(&self) -> String {
        use FleetError as E;
        match self {
            E::NoDevice { nearest, .. } if nearest.is_empty() => "device.list shows the devices you may use".into(),
            E::NoDevice { nearest, .. } => {
                format!("did you mean {}?", nearest.iter().map(|n| format!("\"{n}\"")).collect::<Vec<_>>().join(" or "))
            }
            E::NameTaken { .. } => "choose another name, or change that device with device update".into(),
            E::Changed { .. } => "look at it again and repeat".into(),
            E::Quarantined { name, .. } => {
                format!("no credentials are sent to it; check the router, and if the change was meant: routeros-mcp device pin {name}")
            }
            E::Decommissioned { .. } => "it is kept for the records only; add the router anew to use it".into(),
            E::OtherEnvironment { .. } => "use the appliance of that environment".into(),
            E::QueueFull { .. } | E::NoTurn { .. } => "try again in a few seconds, with fewer calls at once".into(),
            E::Resting { retry_in, .. } => format!(
                "check that the router is up and reachable (device.check_connectivity); the next try is allowed in {} s",
                retry_in.as_secs_f64().ceil()
            ),
            E::NoCredential { name } => format!("give it one: routeros-mcp device update {name} --password-file FILE"),
            E::Fingerprint { .. } => {
                "nothing was stored and no credential was sent; compare with the fingerprint on the router itself before trusting it".into()
            }
            E::Closing => "try again when it is back".into(),
        }
    }
}

impl From<FleetError> for Fault {
    fn from(error: FleetError) -> Self {
        Fault::new(error.kind(), error.to_string()).hint(error.hint())
    }
}

/// Beside the fault of a change: nothing of it left us, so the router cannot have done it.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("nothing was sent")]
struct Unsent;

/// Marks the fault of a change that was not sent.
pub(super) fn unsent(mut fault: Fault) -> Fault {
    fault.cause.get_or_insert_with(|| Unsent.into());
    fault
}

/// Whether a change that failed so is known never to have been sent. One that is not may have been.
pub fn is_unsent(fault: &Fault) -> bool {
    fault.cause.as_ref().is_some_and(|cause| cause.is::<Unsent>())
}

/// The same fault for another reader: all who waited for one request get its answer.
pub(crate) fn copy(fault: &Fault) -> Fault {
    let mut copy = Fault::new(fault.kind, fault.said.clone());
    copy.hint = fault.hint.clone();
    copy.cause = fault.cause.as_ref().map(|cause| cause.to_string().into());
    if is_unsent(fault) {
        copy.cause = Some(Unsent.into());
    }
    copy
}

/// Says which device a router's fault is about.
pub(crate) fn about(name: &str, mut fault: Fault) -> Fault {
    fault.said = format!("device \"{name}\": {}", fault.said);
    fault
}
