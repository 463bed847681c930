//! Back: undo what was done, through the guard's own script where it is ours still, and prove that the router is as it was.

use super::{AFTER_FIRE, LATE, LOOK_PAUSE, LOOK_PAUSE_MAX, PATIENCE, clean, disagree, pause};
use crate::base::events::Event;
use crate::base::fault::{Fault, Kind};
use crate::fleet::Write;
use crate::plan::guard::{FIRE_TAKES, SCRIPTS};
use crate::plan::recheck::told;
use crate::plan::record::{Change, Difference, Intent};
use crate::plan::recover::was_cut_off;
use crate::plan::rows;
use crate::plan::state::{DeviceEvent, DeviceState};
use crate::plan::undo;
use crate::plan::work::Work;
use crate::routeros::{MenuPath, Query, Row};

/// How the error of what was rolled back ends where the router was as before already, so that nothing was undone.
pub(in crate::plan) const UNTOUCHED: &str = "; nothing was changed";

/// Undoes the change and proves it, however long the router takes; it ends `rolled_back` only when every row is as it was.
pub(in crate::plan) async fn roll_back(work: &mut Work, why: &str) -> Result<DeviceState, Fault> {
    tracing::warn!(plan = %work.plan.id, device = %work.device.name, "rolling back: {why}");
    work.core.book.meter().rollback(reason(work, why));
    work.intend_with(Intent::RollBack, |progress| {
        progress.error.get_or_insert_with(|| why.to_owned());
    })
    .await?;
    let began = work.core.clock.mono();
    let mut gap = LOOK_PAUSE;
    // Whether the guard's script was run by us: else it is gone because the router ran it.
    let mut by_us = false;
    loop {
        match attempt(work, &mut by_us).await {
            Ok(state) => return Ok(state),
            Err(fault) if fault.kind == Kind::Storage => return Err(fault),
            Err(fault) => tracing::warn!(device = %work.device.name, plan = %work.plan.id, "not rolled back yet: {}", fault.said),
        }
        let left = work.left().unwrap_or_default();
        if work.core.clock.mono().saturating_sub(began) > PATIENCE && left.is_zero() {
            return lost(work).await;
        }
        if !left.is_zero() && !work.progress.guards.is_empty() {
            // Out of our reach: the router undoes it by itself.
            work.intend(Intent::AwaitFire).await?;
            pause(work, left.min(LOOK_PAUSE_MAX) + AFTER_FIRE).await?;
        } else {
            pause(work, gap).await?;
            gap = (gap * 2).min(LOOK_PAUSE_MAX);
        }
    }
}

/// The word that counts a rollback.
fn reason(work: &Work, why: &str) -> &'static str {
    match work.progress.intent {
        _ if work.progress.undo_asked.is_some() => "asked",
        _ if was_cut_off(why) => "restart",
        _ if why == LATE => "timeout",
        Some(Intent::Apply(_)) => "apply_failed",
        Some(Intent::Verify) => "verify_failed",
        _ => "guard",
    }
}

/// The router cannot be asked for too long. What is known stays written; it is looked at again at each start and sweep.
pub(in crate::plan) async fn lost(work: &mut Work) -> Result<DeviceState, Fault> {
    if work.progress.state != DeviceState::Unknown {
        work.core.book.meter().rollback_failed();
        let why = format!("{}; and the router does not answer since", work.progress.error.clone().unwrap_or_default());
        work.reach_with(DeviceEvent::LoseAnswer, |progress| {
            progress.error = Some(why.clone());
            progress.intent = Some(Intent::RollBack);
        })
        .await?;
    }
    Ok(work.progress.state)
}

/// A command whose answer was lost, or at which we died, in words: it leaves no row that could tell.
fn maybe_ran(work: &Work) -> Option<String> {
    let Change::Run { command, .. } = &work.draft.steps.get(work.progress.steps_done as usize)?.change else { return None };
    let menu = &work.draft.steps[work.progress.steps_done as usize].menu;
    let cut_off = work.progress.error.as_deref().is_some_and(was_cut_off) && has_started(work);
    (cut_off || work.progress.state == DeviceState::Unknown).then(|| format!("whether {command} of {menu} ran is not known"))
}

/// One whole try: reach the router, undo, compare, clean up.
async fn attempt(work: &mut Work, by_us: &mut bool) -> Result<DeviceState, Fault> {
    work.renew().await?;
    work.resource().await?;
    let name = work.guard_name();
    let script = work.rows(SCRIPTS, Query::new().eq("name", name)).await?.into_iter().next();
    // Looked at before anything is undone: a step that was refused has often done nothing. Where the guard is gone, it may have run.
    let maybe_ran = maybe_ran(work);
    let is_untouched = work.progress.steps_done == 0
        && maybe_ran.is_none()
        && !*by_us
        && (script.is_some() || work.progress.guards.is_empty())
        && not_as_it_was(work).await?.is_empty();
    let mut altered_source = None;
    match script {
        Some(script) if script.get("source") == Some(work.draft.inverse.as_str()) => {
            // The script cannot compare every kind of value, nor places. Where somebody changed something since, we can, and leave it.
            let is_whole = work.progress.steps_done as usize == work.draft.steps.len();
            let is_touched = is_whole && !rows::short_of(&work.draft, &work.draft.steps, &work.read().await?).is_empty();
            *by_us = true;
            if is_touched {
                clean(work).await?;
            } else {
                run_script(work, &script).await?;
            }
        }
        Some(script) => {
            // Not ours any more: disarmed first, so that it does not run while we undo.
            altered_source = script.get("source").map(str::to_owned);
            *by_us = true;
            clean(work).await?;
            undo::undo(work).await?;
        }
        None if !*by_us && !work.progress.guards.is_empty() && work.left().is_none_or(|left| left.is_zero()) => {
            work.core.fleet.bus().tell(Event::Fired(work.plan.id.to_string()));
        }
        None => {}
    }
    let mut differences = not_as_it_was(work).await?;
    if !differences.is_empty() && has_started(work) {
        if let Err(fault) = undo::undo(work).await {
            tracing::warn!(device = %work.device.name, "a step could not be taken back: {}", fault.said);
        }
        differences = not_as_it_was(work).await?;
    }
    clean(work).await?;
    if altered_source.is_some() && differences.is_empty() {
        let error = format!("{}; the guard's script had been changed and was not used", work.progress.error.clone().unwrap_or_default());
        work.note(|progress| progress.error = Some(error.clone())).await?;
    }
    if let Some(ran) = maybe_ran.filter(|_| differences.is_empty()) {
        let why = format!("{}; {ran}", work.progress.error.clone().unwrap_or_default());
        return disagree(work, &why, &[]).await;
    }
    if differences.is_empty() {
        work.reach_with(DeviceEvent::RollBack, |progress| {
            progress.guards.clear();
            progress.fires_at = None;
            progress.difference.clear();
            if is_untouched {
                progress.error = progress.error.take().map(|error| format!("{error}{UNTOUCHED}"));
            }
        })
        .await?;
        return Ok(work.progress.state);
    }
    let why = format!("{}; it could not be undone whole: {}", work.progress.error.clone().unwrap_or_default(), told(&differences));
    disagree(work, &why, &differences).await
}

/// How the router differs from what the draft saw, rows included that the plan added and somebody changed since: those stay.
pub(super) async fn not_as_it_was(work: &Work) -> Result<Vec<Difference>, Fault> {
    let read = work.read().await?;
    let mut differences = rows::since(&work.draft, &read);
    for (n, id) in &work.progress.added {
        let Some(step) = work.draft.steps.get(*n as usize) else { continue };
        let (Some(known), Change::Add { values, .. }) = (work.draft.known(&step.menu), &step.change) else { continue };
        let row = read.rows(&step.menu).iter().find(|row| row.id() == Some(id.as_str()));
        // After a restart another row may have the number: one that has nothing of ours is not ours.
        let ours = |row: &&Row| values.iter().any(|(name, value)| rows::holds(known, row.get(name), name, value));
        if let Some(row) = row.filter(ours) {
            let found = rows::content(known, row);
            // The draft may have found it by its own means.
            if differences.iter().any(|other| other.found.as_ref() == Some(&found)) {
                continue;
            }
            let shown = work.shown.iter().find(|shown| shown.step == *n as usize).map(|shown| rows::content(known, &shown.row));
            let why = match shown {
                Some(shown) if known.same_content(&shown, &found) => "this plan added it, and it was not taken away",
                Some(_) => "this plan added it, somebody changed it since, and it stays",
                None => "this plan seems to have added it, it is not as it was asked, and it stays",
            };
            let why = why.to_owned();
            differences.push(Difference { menu: step.menu.clone(), key: values.clone(), wanted: None, found: Some(found), why });
        }
    }
    Ok(differences)
}

/// Something of the plan may be on the router.
fn has_started(work: &Work) -> bool {
    work.progress.state != DeviceState::Armed
}

/// Runs the guard's own script and waits until it has removed itself, or long enough.
async fn run_script(work: &mut Work, script: &Row) -> Result<(), Fault> {
    let Some(id) = script.id().map(str::to_owned) else { return Ok(()) };
    let args = vec![(".id".to_owned(), id)];
    let began = work.core.clock.mono();
    let ran = work.write(Write::Command { path: MenuPath::parse(SCRIPTS)?, command: "run".into(), args }).await;
    if let Err(fault) = &ran {
        // It may take a minute; its answer, or the connection, may be lost on the way.
        tracing::debug!(device = %work.device.name, "the undo's answer: {}", fault.chain());
        work.renew().await?;
    }
    let name = work.guard_name();
    loop {
        let still = !work.rows(SCRIPTS, Query::new().eq("name", name.clone())).await?.is_empty();
        // One that has answered and is still there did not get through; the rest is ours to do.
        if !still || ran.is_ok() || work.core.clock.mono().saturating_sub(began) > FIRE_TAKES {
            return Ok(());
        }
        pause(work, LOOK_PAUSE).await?;
    }
}
