//! After a restart, or when the disk takes writes again: what was cut off is finished or undone.
//!
//! Where a confirmation had begun the change stays, unless the router undid it meanwhile. A device that waits for a person goes on
//! waiting. Everything else that is live is undone. In the end a router is exactly as planned and confirmed, or exactly as it was,
//! and holds nothing of ours.

use crate::base::fault::{Fault, Kind};
use crate::base::ids::DeviceId;
use crate::plan::drive::{await_word, run_device};
use crate::plan::edit::Confirm;
use crate::plan::guard::{self, TIMERS};
use crate::plan::hold::Core;
use crate::plan::record::{GuardKind, Intent, PlanId};
use crate::plan::settle;
use crate::plan::state::{DeviceEvent, DeviceState};
use crate::plan::work::Work;
use crate::routeros::Query;
use crate::routeros::value::span_ms;
use std::sync::Arc;
use std::time::Duration;

/// Between looks at a router that does not answer after our restart.
const LOOK_PAUSE: Duration = Duration::from_secs(10);

/// How what a restart of ours undid begins to say why: nothing speaks against the change itself.
pub(super) const RESTARTED: &str = "the appliance restarted";
/// The same for what was undone because its next step could not be written down.
pub(super) const UNWRITTEN: &str = "the disk took no writes";

/// Whether what was undone was undone for our sake.
pub(super) fn was_cut_off(error: &str) -> bool {
    error.starts_with(RESTARTED) || error.starts_with(UNWRITTEN)
}

/// What a device needs after a restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// Nothing: it was not begun, or has ended.
    Nothing,
    /// It was not begun; the job goes on with it.
    Run,
    /// A guard may be there, and nothing else.
    Disarm,
    /// The word was given.
    Confirm,
    /// It waits for a person.
    Wait,
    /// Everything else that is live.
    Undo,
    /// Confirmed, with rows left to remove.
    Remove,
}

/// What a device in this state, with this intent, needs after a restart (pure).
pub(super) fn need(state: DeviceState, intent: Option<Intent>, confirm: Confirm) -> Need {
    match (state, intent) {
        (DeviceState::Pending, None) => Need::Run,
        (DeviceState::Pending, Some(_)) => Need::Disarm,
        (DeviceState::Confirmed, Some(Intent::Clean)) => Need::Remove,
        (DeviceState::Verified, Some(Intent::Confirm)) => Need::Confirm,
        (DeviceState::Verified, None) if confirm == Confirm::Manual => Need::Wait,
        (state, _) if state.is_live() => Need::Undo,
        _ => Need::Nothing,
    }
}

/// Goes on with one device of a plan that was executing when we went down, or could not go on. Errs as [`run_device`].
pub(crate) async fn go_on(core: &Arc<Core>, plan: &PlanId, device: &DeviceId, by: &str) -> Result<DeviceState, Fault> {
    let mut work = Work::open(core, plan, device)?;
    match need(work.progress.state, work.progress.intent, work.plan.confirm) {
        Need::Nothing => Ok(work.progress.state),
        Need::Run => run_device(core, plan, device).await,
        Need::Disarm => disarm(&mut work, by).await,
        Need::Remove => settle::remove_for_good(&mut work).await.map(|()| work.progress.state),
        Need::Undo => {
            take_bearings(&mut work).await;
            settle::roll_back(&mut work, &format!("{by} while it was being applied")).await
        }
        Need::Wait => {
            take_bearings(&mut work).await;
            await_word(&mut work).await
        }
        Need::Confirm => confirm(&mut work).await,
    }
}

async fn confirm(work: &mut Work) -> Result<DeviceState, Fault> {
    let began = work.core.clock.mono();
    loop {
        take_bearings(work).await;
        match settle::confirm_on(work).await {
            Err(fault) if settle::is_for_recovery(work, &fault) => return Err(fault),
            // Not reached, so nothing is known: the router may be slower to start than we are.
            Err(fault) if matches!(fault.kind, Kind::Unreachable | Kind::Busy | Kind::UnknownOutcome) => {
                tracing::warn!(plan = %work.plan.id, device = %work.device.name, "cannot finish confirming yet: {}", fault.said);
                if is_given_up(work, began) {
                    return settle::lost(work).await;
                }
                settle::pause(work, LOOK_PAUSE).await?;
            }
            Err(fault) => return settle::roll_back(work, &format!("it could not be confirmed: {}", fault.said)).await,
            ended => return ended,
        }
    }
}

/// The router has been away for so long, also beyond its guard, that the job goes on without it; the sweep looks again.
fn is_given_up(work: &Work, began: Duration) -> bool {
    work.core.clock.mono().saturating_sub(began) > settle::PATIENCE && work.left().unwrap_or_default().is_zero()
}

/// When the guard fires, on our clock of now. The router's own uptime tells best: neither clock's steps move it.
async fn take_bearings(work: &mut Work) {
    if work.progress.fires_at.is_none() {
        return;
    }
    let now = work.core.clock.mono();
    let wait = work.wait();
    let by_wall = work.progress.fires_at.map_or(0, |at| at.0.saturating_sub(work.core.clock.wall().0)).max(0) as u64;
    work.fires = Some(now + Duration::from_millis(by_wall).min(wait));
    let Ok(()) = work.renew().await else { return };
    let Ok(resource) = work.resource().await else { return };
    let uptime = Duration::from_secs(resource.uptime_s);
    let Some(armed) = work.progress.uptime_at_arm_s else { return };
    let left = match uptime.checked_sub(Duration::from_secs(armed)) {
        Some(elapsed) => wait.saturating_sub(elapsed),
        // It restarted: its timer began anew with it, and a job is gone.
        None => interval(work).await.unwrap_or(wait).saturating_sub(uptime),
    };
    work.fires = Some(now + left);
}

async fn interval(work: &Work) -> Option<Duration> {
    let timers = work.rows(TIMERS, Query::new().eq("name", work.guard_name())).await.ok()?;
    timers.first()?.get("interval").and_then(span_ms).map(Duration::from_millis)
}

/// A crash while the guard was being put up: nothing was applied. A job whose number was never written down runs a script that is
/// gone by then, and only has to be waited for.
async fn disarm(work: &mut Work, by: &str) -> Result<DeviceState, Fault> {
    take_bearings(work).await;
    let job_known = work.progress.guards.iter().any(|guard| guard.kind == GuardKind::Execute && guard.job.is_some());
    let left = work.left().unwrap_or_default();
    let began = work.core.clock.mono();
    loop {
        let cleaned = match work.renew().await {
            Ok(()) => settle::clean(work).await,
            Err(fault) => Err(fault),
        };
        match cleaned {
            Ok(()) => break,
            Err(fault) if settle::is_for_recovery(work, &fault) => return Err(fault),
            Err(fault) => {
                tracing::warn!(plan = %work.plan.id, device = %work.device.name, "cannot take a guard away yet: {}", fault.said);
                if is_given_up(work, began) {
                    work.reach_with(DeviceEvent::Arm, |progress| progress.error = Some(fault.said.clone())).await?;
                    return settle::lost(work).await;
                }
                settle::pause(work, LOOK_PAUSE).await?;
            }
        }
    }
    if !job_known && !left.is_zero() && work.draft.wants_guard() {
        settle::pause(work, left + guard::TOO_CLOSE).await?;
    }
    work.reach_with(DeviceEvent::Skip, |progress| {
        progress.guards.clear();
        progress.fires_at = None;
        progress.error = Some(format!("{by} before anything was changed"));
    })
    .await?;
    Ok(work.progress.state)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_live_device_is_finished_or_undone_and_no_other_touched() {
        use {DeviceState as D, Intent as I};
        let intents = [I::Arm, I::Apply(0), I::Verify, I::Confirm, I::RollBack, I::AwaitFire, I::Clean].map(Some);
        for state in D::ALL {
            for intent in intents.into_iter().chain([None]) {
                for confirm in [Confirm::Auto, Confirm::Manual] {
                    let needed = need(state, intent, confirm);
                    let expected = match state {
                        D::Pending if intent.is_none() => Need::Run,
                        D::Pending => Need::Disarm,
                        D::Verified if intent == Some(I::Confirm) => Need::Confirm,
                        D::Verified if intent.is_none() && confirm == Confirm::Manual => Need::Wait,
                        D::Armed | D::Applied | D::Verified | D::Unknown => Need::Undo,
                        D::Confirmed if intent == Some(I::Clean) => Need::Remove,
                        _ => Need::Nothing,
                    };
                    assert_eq!(needed, expected, "{state:?} {intent:?} {confirm:?}");
                }
            }
        }
    }
}
