//! Settle: keep the change and take the guard away, or undo it and prove that the router is as it was.
//!
//! Confirming takes the timer first, then the script, then the job, and reads back that all are gone and that none ran meanwhile.
//! Near the fire nothing is confirmed any more: the fire is awaited instead. Undoing is the guard's script, run by us where we can
//! reach the router and by the router where we cannot; either way the rows are compared with those the draft saw.

use crate::base::fault::{Fault, Kind};
use crate::fleet::Write;
use crate::plan::guard::{self, FIRE_TAKES, JOBS, SCRIPTS, TIMERS, TOO_CLOSE};
use crate::plan::record::{Change, Difference, GuardKind, Intent};
use crate::plan::recover::RESTARTED;
use crate::plan::rows::{self, fits, one};
use crate::plan::state::{DeviceEvent, DeviceState};
use crate::plan::undo;
use crate::plan::work::Work;
use crate::routeros::{MenuPath, Query, Row};
use std::time::Duration;

/// Between looks at a router that does not answer or is not done.
const LOOK_PAUSE: Duration = Duration::from_secs(5);
/// The longest of these pauses; they grow.
const LOOK_PAUSE_MAX: Duration = Duration::from_secs(60);
/// A router that does not come back for so long after its guard should have fired needs a person.
pub(super) const PATIENCE: Duration = Duration::from_secs(15 * 60);
/// Rounds of removing and looking again.
const ROUNDS: u32 = 3;
/// After a fire, before the first look.
const AFTER_FIRE: Duration = Duration::from_secs(2);

/// Why what nobody kept is undone.
pub(super) const LATE: &str = "it was not confirmed in time";

/// Whether a change may still be confirmed.
enum Standing {
    /// The guard stands as it was armed.
    Stands,
    /// The script is not there any more: it ran, or somebody took it.
    Gone,
    /// Somebody changed the script.
    Altered(Option<String>),
}

/// Keeps the change. Where it cannot be kept, the device ends otherwise.
pub(super) async fn confirm(work: &mut Work) -> Result<DeviceState, Fault> {
    work.progress = work.core.book.progress(&work.plan.id, &work.draft.device)?;
    if let Some(why) = work.progress.undo_asked.clone() {
        return roll_back(work, &why).await;
    }
    if work.progress.guards.is_empty() {
        work.intend(Intent::Confirm).await?;
        return match work.progress.undo_asked.clone() {
            Some(why) => roll_back(work, &why).await,
            None => kept(work).await,
        };
    }
    if work.left().is_none_or(|left| left <= TOO_CLOSE) {
        return too_late(work).await;
    }
    match standing(work).await {
        Ok(Standing::Stands) => {}
        Ok(Standing::Gone) => return roll_back(work, "the guard was gone before the change was confirmed").await,
        Ok(Standing::Altered(source)) => return altered_or_undone(work, source).await,
        Err(fault) => return roll_back(work, &format!("the guard could not be read before confirming: {}", fault.said)).await,
    }
    work.intend(Intent::Confirm).await?;
    // From here on the word is given; one that came before the record was written counts.
    match work.progress.undo_asked.clone() {
        Some(why) => roll_back(work, &why).await,
        None => disarm(work).await,
    }
}

/// Goes on with a confirmation that a crash interrupted: the word was given, unless the router undid the change meanwhile.
pub(super) async fn confirm_on(work: &mut Work) -> Result<DeviceState, Fault> {
    if work.progress.guards.is_empty() {
        return kept(work).await;
    }
    match standing(work).await? {
        Standing::Altered(source) => return altered_or_undone(work, source).await,
        Standing::Stands if work.left().is_none_or(|left| left <= TOO_CLOSE) => return too_late(work).await,
        Standing::Stands | Standing::Gone => {}
    }
    let short = rows::short_of(&work.draft, &work.draft.steps, &work.read().await?);
    if short.is_empty() { disarm(work).await } else { roll_back(work, "the router undid it before it was confirmed").await }
}

async fn too_late(work: &mut Work) -> Result<DeviceState, Fault> {
    work.intend(Intent::AwaitFire).await?;
    if let Some(left) = work.left() {
        pause(work, left + AFTER_FIRE).await?;
    }
    roll_back(work, LATE).await
}

async fn standing(work: &mut Work) -> Result<Standing, Fault> {
    let name = work.guard_name();
    let scripts = work.proof(SCRIPTS, Query::new().eq("name", name)).await?;
    let Some(script) = scripts.first() else { return Ok(Standing::Gone) };
    work.ids.script = script.id().map(str::to_owned);
    let is_same = guard::script_is_wrong(script, &work.draft.inverse, &guard::policies(&work.draft)).is_none();
    Ok(if is_same { Standing::Stands } else { Standing::Altered(script.get("source").map(str::to_owned)) })
}

/// Timer, script, job: away, read back, and none of them ran meanwhile.
async fn disarm(work: &mut Work) -> Result<DeviceState, Fault> {
    if let Err(fault) = clean(work).await {
        // What cannot be taken away will fire.
        let why = format!("the guard could not be taken away: {}", fault.said);
        return roll_back(work, &why).await;
    }
    match ran(work).await {
        Ok(false) => kept(work).await,
        Ok(true) => roll_back(work, "the router's undo ran while the change was being confirmed").await,
        Err(fault) => roll_back(work, &format!("whether the undo ran could not be read: {}", fault.said)).await,
    }
}

/// Whether the router's undo ran: it says so in the log. A restart empties the log; then the rows tell.
async fn ran(work: &mut Work) -> Result<bool, Fault> {
    let name = work.guard_name();
    let log = work.rows("/log", Query::new().columns(["message"])).await?;
    if log.iter().any(|row| row.get("message").is_some_and(|message| message.starts_with(&name))) {
        return Ok(true);
    }
    let uptime = work.resource().await?.uptime_s;
    if work.progress.uptime_at_arm_s.is_none_or(|armed| uptime >= armed) {
        return Ok(false);
    }
    Ok(!rows::short_of(&work.draft, &work.draft.steps, &work.read().await?).is_empty())
}

/// It stays. Rows that were only put out of use for the sake of the undo go now.
async fn kept(work: &mut Work) -> Result<DeviceState, Fault> {
    let rest = work.draft.steps.iter().any(|step| matches!(step.change, Change::Remove { by_disabling: true, .. }));
    work.reach_with(DeviceEvent::Confirm, |progress| {
        progress.guards.clear();
        progress.fires_at = None;
        progress.error = None;
        progress.difference.clear();
        progress.intent = rest.then_some(Intent::Clean);
    })
    .await?;
    if rest {
        remove_for_good(work).await?;
    }
    Ok(work.progress.state)
}

/// Removes what was only put out of use, as soon as the router can be asked. One that stays away too long is left with it, told.
pub(super) async fn remove_for_good(work: &mut Work) -> Result<(), Fault> {
    let began = work.core.clock.mono();
    loop {
        let Err(fault) = finish_removals(work).await else { return Ok(()) };
        if is_for_recovery(work, &fault) {
            return Err(fault);
        }
        tracing::warn!(plan = %work.plan.id, device = %work.device.name, "rows put out of use are still there: {}", fault.said);
        if work.core.clock.mono().saturating_sub(began) > PATIENCE {
            let left = format!("rows that were to be removed are there, out of use: {}; remove them by another plan", fault.said);
            return work
                .note(|progress| {
                    progress.intent = None;
                    progress.error = Some(left.clone());
                })
                .await;
        }
        pause(work, LOOK_PAUSE).await?;
        if let Err(fault) = work.renew().await {
            tracing::debug!(device = %work.device.name, "no new connection: {}", fault.chain());
        }
    }
}

/// Removes for good what a confirmed plan disabled. Errs when the router cannot be asked; asked again, it goes on.
async fn finish_removals(work: &mut Work) -> Result<(), Fault> {
    let mut left: Option<String> = None;
    for step in &work.draft.steps {
        let Change::Remove { find, by_disabling: true, .. } = &step.change else { continue };
        let Some(known) = work.draft.known(&step.menu) else { continue };
        let rows = work.rows(&step.menu, Query::new()).await?;
        let Ok((_, row)) = one(known, &rows, find) else { continue };
        // Somebody who put it back into use since wants it.
        if !fits(known, row, &crate::plan::record::disabled()) {
            left = Some(format!("a row of {} was put back into use and stays", step.menu));
            continue;
        }
        let Some(id) = row.id() else { continue };
        if let Err(fault) = work.write(Write::Remove { path: MenuPath::parse(&step.menu)?, id: id.to_owned() }).await {
            let rows = work.rows(&step.menu, Query::new()).await?;
            if one(known, &rows, find).is_ok() {
                left = Some(format!("a row of {} stays, out of use: {}", step.menu, fault.said));
            }
        }
    }
    work.note(|progress| {
        progress.intent = None;
        progress.error.clone_from(&left);
    })
    .await
}

/// Somebody changed the script: it is not run, nothing stays armed, the change is taken back by us, and a person has to look.
async fn altered(work: &mut Work, source: Option<String>) -> Result<DeviceState, Fault> {
    let why = "the guard's script was changed on the router";
    work.core.book.meter().rollback("guard");
    work.intend_with(Intent::RollBack, |progress| progress.error = Some(why.into())).await?;
    let name = work.guard_name();
    let pairs = |source: String| vec![("name".to_owned(), name.clone()), ("source".to_owned(), source)];
    let difference = Difference {
        menu: SCRIPTS.into(),
        key: vec![("name".into(), name.clone())],
        wanted: Some(pairs(work.draft.inverse.clone())),
        found: source.map(pairs),
        why: "its source was changed".into(),
    };
    clean(work).await?;
    let undone = undo::undo(work).await;
    let mut differences = not_as_it_was(work).await?;
    differences.push(difference);
    let said = match undone {
        Ok(()) if differences.len() == 1 => format!("{why}; the change was taken back"),
        _ => format!("{why}; the change could not be taken back whole"),
    };
    disagree(work, &said, &differences).await
}

/// As `altered`; a router that cannot be asked in the middle of it is undone as any other.
async fn altered_or_undone(work: &mut Work, source: Option<String>) -> Result<DeviceState, Fault> {
    match altered(work, source).await {
        Err(fault) if !is_for_recovery(work, &fault) => roll_back(work, &fault.said).await,
        ended => ended,
    }
}

/// Nothing can be written down, or the appliance stops: what is on the disk is gone on from at the next start. Everything else that
/// goes wrong is the device's, and must not end the job of the others.
pub(super) fn is_for_recovery(work: &Work, fault: &Fault) -> bool {
    fault.kind == Kind::Storage || work.core.stop.is_cancelled()
}

async fn disagree(work: &mut Work, why: &str, differences: &[Difference]) -> Result<DeviceState, Fault> {
    work.core.book.meter().rollback_failed();
    work.reach_with(DeviceEvent::Disagree, |progress| {
        progress.guards.clear();
        progress.fires_at = None;
        progress.error = Some(why.to_owned());
        progress.difference = differences.to_vec();
    })
    .await?;
    Ok(work.progress.state)
}

/// Undoes the change and proves it, however long the router takes; it ends `rolled_back` only when every row is as it was.
pub(super) async fn roll_back(work: &mut Work, why: &str) -> Result<DeviceState, Fault> {
    tracing::warn!(plan = %work.plan.id, device = %work.device.name, "rolling back: {why}");
    work.core.book.meter().rollback(reason(work, why));
    work.intend_with(Intent::RollBack, |progress| {
        progress.error.get_or_insert_with(|| why.to_owned());
    })
    .await?;
    let began = work.core.clock.mono();
    let mut gap = LOOK_PAUSE;
    loop {
        match attempt(work).await {
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
        _ if why.starts_with(RESTARTED) => "restart",
        _ if why == LATE => "timeout",
        Some(Intent::Apply(_)) => "apply_failed",
        Some(Intent::Verify) => "verify_failed",
        _ => "guard",
    }
}

/// The router cannot be asked for too long. What is known stays written; it is looked at again at each start and sweep.
pub(super) async fn lost(work: &mut Work) -> Result<DeviceState, Fault> {
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

/// One whole try: reach the router, undo, compare, clean up.
async fn attempt(work: &mut Work) -> Result<DeviceState, Fault> {
    work.renew().await?;
    work.resource().await?;
    let name = work.guard_name();
    let script = work.rows(SCRIPTS, Query::new().eq("name", name)).await?.into_iter().next();
    let mut altered_source = None;
    match script {
        Some(script) if script.get("source") == Some(work.draft.inverse.as_str()) => {
            // The script cannot compare every kind of value, nor places. Where somebody changed something since, we can, and leave it.
            let is_whole = work.progress.steps_done as usize == work.draft.steps.len();
            if is_whole && !rows::short_of(&work.draft, &work.draft.steps, &work.read().await?).is_empty() {
                clean(work).await?;
            } else {
                run_script(work, &script).await?;
            }
        }
        Some(script) => {
            // Not ours any more: disarmed first, so that it does not run while we undo.
            altered_source = script.get("source").map(str::to_owned);
            clean(work).await?;
            undo::undo(work).await?;
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
    if differences.is_empty() {
        work.reach_with(DeviceEvent::RollBack, |progress| {
            progress.guards.clear();
            progress.fires_at = None;
            progress.difference.clear();
        })
        .await?;
        return Ok(work.progress.state);
    }
    let why = format!("{}; undone, but the router is not as it was", work.progress.error.clone().unwrap_or_default());
    disagree(work, &why, &differences).await
}

/// How the router differs from what the draft saw, rows included that the plan added and somebody changed since: those stay.
async fn not_as_it_was(work: &Work) -> Result<Vec<Difference>, Fault> {
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
            let why = "this plan added it, somebody changed it since, and it stays".to_owned();
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

/// Takes timer, script and job away, in this order, and reads back that they are gone.
pub(super) async fn clean(work: &mut Work) -> Result<(), Fault> {
    let name = work.guard_name();
    let job = work.progress.guards.iter().find(|guard| guard.kind == GuardKind::Execute).and_then(|guard| guard.job.clone());
    // Ids are never used twice: those we saw made can be removed without looking them up.
    let known = [(TIMERS, work.ids.timer.clone()), (SCRIPTS, work.ids.script.clone()), (JOBS, job.clone())];
    let mut left: Vec<(&'static str, String)> = known.into_iter().filter_map(|(menu, id)| Some((menu, id?))).collect();
    for round in 0..=ROUNDS {
        for (menu, id) in left {
            let removed = work.write(Write::Remove { path: MenuPath::parse(menu)?, id }).await;
            if let Err(fault) = removed {
                // Gone already, or lost: what is there now is read.
                tracing::debug!(device = %work.device.name, menu, "removing a guard's row: {}", fault.chain());
            }
        }
        left = ours(work, &name, job.as_deref()).await?;
        if left.is_empty() {
            work.ids = crate::plan::work::Ids::default();
            return Ok(());
        }
        if round > 0 {
            pause(work, LOOK_PAUSE).await?;
        }
    }
    if left.iter().all(|(menu, _)| *menu == JOBS) {
        // Without its script a waiting job does nothing when its time comes; it is only waited for.
        let wait = work.left().unwrap_or_default() + LOOK_PAUSE;
        pause(work, wait).await?;
        left = ours(work, &name, job.as_deref()).await?;
    }
    match left.first() {
        None => Ok(()),
        Some((menu, _)) => Err(Fault::new(Kind::Rejected, format!("device \"{}\": a row of {menu} cannot be removed", work.device.name))),
    }
}

/// What of our guard is on the router, in the order it has to go.
async fn ours(work: &Work, name: &str, job: Option<&str>) -> Result<Vec<(&'static str, String)>, Fault> {
    let named = |row: &&Row| {
        row.get("name").is_some_and(|other| other == name || other.strip_prefix(name).is_some_and(|tail| tail.starts_with('-')))
    };
    let mut ours = Vec::new();
    for menu in [TIMERS, SCRIPTS] {
        let rows = work.rows(menu, Query::new().columns(["name"])).await?;
        ours.extend(rows.iter().filter(named).filter_map(|row| Some((menu, row.id()?.to_owned()))));
    }
    if let Some(job) = job {
        let rows = work.rows(JOBS, Query::new()).await?;
        ours.extend(rows.iter().filter(|row| row.id() == Some(job)).map(|_| (JOBS, job.to_owned())));
    }
    Ok(ours)
}

/// Lets time pass; errs with `Busy` when the appliance stops meanwhile. What is written stays, and recovery goes on from it.
pub(super) async fn pause(work: &Work, span: Duration) -> Result<(), Fault> {
    tokio::select! {
        biased;
        () = work.core.stop.cancelled() => Err(stopping()),
        () = work.core.clock.sleep(span) => Ok(()),
    }
}

/// The appliance stops; recovery goes on at the next start.
pub(super) fn stopping() -> Fault {
    Fault::new(Kind::Busy, "the appliance is shutting down").hint("the plan goes on when it is back")
}
