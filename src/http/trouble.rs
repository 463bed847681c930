//! What is wrong now, in sentences: what `/health` tells callers with a token beside its own findings.
//!
//! Numbers and not names: a token may be limited to some devices.

use crate::fleet::Status;
use crate::http::Edge;
use crate::plan::state::PlanState;

/// What is said of a clock before its appliance was built.
pub const CLOCK: &str = "the clock does not know the date";

/// What is said of a store that knows less than was done here.
pub const OLDER: &str = "this store is older than what was done with it: it was restored, rolled back or lost. Plans that were being applied need a person, approvals are void";

/// Each thing that somebody has to look at.
pub fn of(edge: &Edge) -> Vec<String> {
    let world = edge.dispatch.world();
    let mut found = Vec::new();
    if world.audit.is_failing() {
        found.push("the audit trail cannot be written: nothing is changed meanwhile".to_owned());
    }
    if !world.clock.wall().is_plausible() {
        found.push(CLOCK.to_owned());
    }
    found.extend(world.alerts.low_disk());
    let devices = world.fleet.list();
    let count = |status: Status| devices.iter().filter(|device| device.status == status).count();
    let of_all = devices.len() - count(Status::Decommissioned);
    match count(Status::Unreachable) {
        0 => {}
        silent => found.push(format!("{silent} of {of_all} routers do not answer")),
    }
    match count(Status::Quarantined) {
        0 => {}
        odd => found.push(format!("{odd} of {of_all} routers show another certificate or host key than the pinned one")),
    }
    match world.plans.list() {
        Ok(plans) => match plans.iter().filter(|plan| plan.state == PlanState::NeedsAttention).count() {
            0 => {}
            open => found.push(format!("{open} plans need a person: a router is not known to be as it was or as planned")),
        },
        Err(fault) => found.push(format!("the plans cannot be read: {}", fault.said)),
    }
    found
}
