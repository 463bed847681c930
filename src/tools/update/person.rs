//! Who may change the version: a person who proves it, who is an administrator.

use crate::access::proof::is_fresh;
use crate::access::role::Role;
use crate::base::fault::{Fault, Kind};
use crate::base::secret::Secret;
use crate::plan::state::PlanState;
use crate::tools::context::Cx;
use crate::tools::voice;

/// The person's name. Where plans of a lab take the operator's own word, this does too.
pub(super) async fn of(cx: &Cx, user: Option<String>, password: Option<Secret>, verb: &str) -> Result<String, Fault> {
    let voice = voice::of(cx, user, password).await?;
    let now = cx.world.clock.wall();
    let is_proven = voice.proven_at.is_some_and(|at| is_fresh(at, now));
    if !is_proven && !cx.world.plans.settings().self_approval {
        return Err(Fault::denied(format!("to {verb} an update takes a person: a local user and their password"))
            .hint("--user NAME, and the password at the prompt or by --password-file"));
    }
    if voice.role != Role::Admin {
        return Err(Fault::denied(format!("to {verb} an update takes an administrator")));
    }
    Ok(voice.actor.name)
}

/// Errs while a router is between two steps of a plan: whoever armed it has to be there when it waits for a word.
pub(super) fn no_plan_runs(cx: &Cx) -> Result<(), Fault> {
    let Some(plan) = cx.world.plans.list()?.into_iter().find(|plan| plan.state == PlanState::Executing) else { return Ok(()) };
    Err(Fault::new(Kind::Conflict, format!("{} is being applied, or waits for a confirmation", plan.id))
        .hint("confirm it or roll it back first"))
}
