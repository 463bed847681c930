//! One device from pending to its end: the arrows in their order, each proven before the next.

use crate::base::clock::Wall;
use crate::base::fault::{Fault, Kind};
use crate::base::ids::DeviceId;
use crate::plan::apply::Failed;
use crate::plan::arm::NotArmed;
use crate::plan::config::CONFIRM_GRACE;
use crate::plan::edit::Confirm;
use crate::plan::guard::TOO_CLOSE;
use crate::plan::hold::Core;
use crate::plan::record::PlanId;
use crate::plan::state::{DeviceEvent, DeviceState};
use crate::plan::work::Work;
use crate::plan::{apply, arm, extend, recheck, settle, verify};
use std::sync::Arc;
use std::time::Duration;

/// A wait without an end of its own looks again after this long.
const LOOK_AGAIN: Duration = Duration::from_secs(600);

/// Works one pending device of a plan to its end, and says what that is.
///
/// # Errors
/// When its end could not be written down, or the appliance stops meanwhile; recovery goes on from what is written.
pub(crate) async fn run_device(core: &Arc<Core>, plan: &PlanId, device: &DeviceId) -> Result<DeviceState, Fault> {
    let mut work = Work::open(core, plan, device)?;
    if work.progress.state != DeviceState::Pending {
        return Ok(work.progress.state);
    }
    let now = core.clock.wall();
    work.note(|progress| progress.began_at = Some(now)).await?;
    if core.stop.is_cancelled() {
        return Err(settle::stopping());
    }
    if !work.is_light() {
        work.witnesses = verify::witnesses(&work).await;
    }
    if let Err(fault) = recheck::recheck(&mut work).await {
        return skip(&mut work, fault).await;
    }
    if work.draft.is_done_already() {
        return already(&mut work).await;
    }
    if work.draft.wants_guard()
        && let Err(why) = arm::arm(&mut work).await
        && let Some(ended) = unarmed(&mut work, why).await?
    {
        return Ok(ended);
    }
    match apply::apply(&mut work).await {
        Ok(()) => prove(&mut work).await,
        Err(failed) => unapplied(&mut work, failed).await,
    }
}

/// No guard stands: how the device ends, or nothing where the change goes on without one.
async fn unarmed(work: &mut Work, why: NotArmed) -> Result<Option<DeviceState>, Fault> {
    match why {
        NotArmed::Unclear(fault) => stuck(work, fault).await.map(Some),
        // An approver saw that it may run without one.
        NotArmed::NoGuard(fault) if work.plan.unguarded => {
            tracing::warn!(plan = %work.plan.id, device = %work.device.name, "applied without a guard, as approved: {}", fault.said);
            work.note(|progress| {
                progress.guards.clear();
                progress.fires_at = None;
                progress.armed_at = None;
            })
            .await?;
            Ok(None)
        }
        NotArmed::NoGuard(fault) | NotArmed::Refused(fault) => skip(work, fault).await.map(Some),
    }
}

/// It did not get through its steps, and is undone.
async fn unapplied(work: &mut Work, failed: Failed) -> Result<DeviceState, Fault> {
    let (is_unsent, is_lost) = (matches!(failed, Failed::Unsent(_)), matches!(failed, Failed::Lost(_)));
    let fault = failed.fault();
    if fault.kind == Kind::Storage {
        return Err(fault);
    }
    // Without a guard there is nothing to take away either. While the appliance stops, recovery goes on with it instead.
    if is_unsent && work.progress.guards.is_empty() && !work.core.stop.is_cancelled() {
        return skip(work, fault).await;
    }
    if is_lost {
        work.reach_with(DeviceEvent::LoseAnswer, |progress| progress.error = Some(fault.said.clone())).await?;
    }
    settle::roll_back(work, &told(&fault)).await
}

/// A refusal with what may be done about it: the router's own words often say nothing of the right that is missing.
fn told(fault: &Fault) -> String {
    let is_answer = matches!(fault.kind, Kind::Rejected | Kind::RouterDenied | Kind::NotFound);
    match fault.hint.as_ref().filter(|_| is_answer) {
        Some(hint) => format!("{}; {hint}", fault.said),
        None => fault.said.clone(),
    }
}

/// From applied on: verified, then kept, or undone.
async fn prove(work: &mut Work) -> Result<DeviceState, Fault> {
    if let Err(fault) = verify::verify(work).await {
        if fault.kind == Kind::Storage {
            return Err(fault);
        }
        return settle::roll_back(work, &fault.said).await;
    }
    match work.plan.confirm {
        Confirm::Auto => settle::confirm(work).await,
        Confirm::Manual => await_word(work).await,
    }
}

/// Waits until somebody says keep or undo, or the time is over.
pub(super) async fn await_word(work: &mut Work) -> Result<DeviceState, Fault> {
    if work.progress.guards.is_empty() {
        open_window(work).await?;
    }
    loop {
        let core = work.core.clone();
        let moved = core.book.moved().notified();
        tokio::pin!(moved);
        // Listen before looking, or a word in between is missed.
        moved.as_mut().enable();
        work.progress = core.book.progress(&work.plan.id, &work.draft.device)?;
        if let Some(why) = work.progress.undo_asked.clone() {
            return settle::roll_back(work, &why).await;
        }
        let left = work.left().map_or(LOOK_AGAIN, |left| left.saturating_sub(TOO_CLOSE));
        if left.is_zero() {
            return late(work).await;
        }
        if work.progress.keep_asked {
            return keep(work).await;
        }
        if extend::is_wanted(work)
            && let Err(fault) = extend::extend(work).await
        {
            // Nobody is told a time that the router does not keep.
            tracing::warn!(plan = %work.plan.id, device = %work.device.name, "no more time: {}", fault.said);
            let granted = work.wait().as_secs().saturating_sub(CONFIRM_GRACE.as_secs()) as u32;
            work.note(|progress| {
                progress.granted_s = granted;
                progress.error = Some(fault.said.clone());
            })
            .await?;
            continue;
        }
        tokio::select! {
            biased;
            () = core.stop.cancelled() => return Err(settle::stopping()),
            () = &mut moved => {}
            () = core.clock.sleep(left) => {}
        }
    }
}

/// Without a guard the time is ours to keep.
async fn open_window(work: &mut Work) -> Result<(), Fault> {
    let window = Duration::from_secs(work.plan.confirm_timeout_s.into()) + CONFIRM_GRACE;
    if work.fires.is_none() {
        work.fires = Some(work.core.clock.mono() + window);
        let (now, granted) = (work.core.clock.wall(), work.plan.confirm_timeout_s);
        work.note(|progress| {
            progress.armed_at = Some(now);
            progress.fires_at = Some(Wall(now.0 + window.as_millis() as i64));
            progress.granted_s = granted;
        })
        .await?;
    }
    Ok(())
}

/// Time is over. With a guard its fire is awaited, so that two do not undo at once.
async fn late(work: &mut Work) -> Result<DeviceState, Fault> {
    if work.progress.guards.is_empty() {
        return settle::roll_back(work, settle::LATE).await;
    }
    settle::confirm(work).await
}

/// The word was given: everything is proven once more, since hours may have passed.
async fn keep(work: &mut Work) -> Result<DeviceState, Fault> {
    if let Err(fault) = verify::holds(work).await {
        if fault.kind == Kind::Storage {
            return Err(fault);
        }
        return settle::roll_back(work, &fault.said).await;
    }
    settle::confirm(work).await
}

async fn skip(work: &mut Work, fault: Fault) -> Result<DeviceState, Fault> {
    if fault.kind == Kind::Storage {
        return Err(fault);
    }
    let said = match &fault.hint {
        Some(hint) => format!("{}; {hint}", fault.said),
        None => fault.said,
    };
    work.reach_with(DeviceEvent::Skip, |progress| {
        progress.error = Some(said.clone());
        progress.guards.clear();
        progress.fires_at = None;
    })
    .await?;
    Ok(work.progress.state)
}

/// Nothing was applied, but whether the router still holds a guard is not known: it may fire, which changes nothing.
async fn stuck(work: &mut Work, fault: Fault) -> Result<DeviceState, Fault> {
    work.reach_with(DeviceEvent::Arm, |progress| progress.error = Some(fault.said.clone())).await?;
    settle::roll_back(work, &fault.said).await
}

/// The router is as asked already: nothing is sent.
async fn already(work: &mut Work) -> Result<DeviceState, Fault> {
    for event in [DeviceEvent::Apply, DeviceEvent::Verify, DeviceEvent::Confirm] {
        work.reach(event).await?;
    }
    Ok(work.progress.state)
}
