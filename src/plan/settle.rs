//! Settle: keep the change and take the guard away, or undo it and prove that the router is as it was.
//!
//! Confirming takes the timer first, then the script, then the job, and reads back that all are gone and that none ran meanwhile.
//! Near the fire nothing is confirmed any more: the fire is awaited instead. Undoing is the guard's script, run by us where we can
//! reach the router and by the router where we cannot; either way the rows are compared with those the draft saw.

use crate::base::fault::{Fault, Kind};
use crate::fleet::Write;
use crate::plan::guard::{self, SCRIPTS, TOO_CLOSE};
use crate::plan::record::{Change, Difference, Intent, disabled};
use crate::plan::rows::{self, Lost, fits, one};
use crate::plan::state::{DeviceEvent, DeviceState};
use crate::plan::undo;
use crate::plan::work::Work;
use crate::routeros::{MenuPath, Query};
use std::time::Duration;

mod back;
mod clean;

use back::not_as_it_was;
pub(super) use back::{UNTOUCHED, lost, roll_back};
pub(super) use clean::clean;

/// Between looks at a router that does not answer or is not done.
const LOOK_PAUSE: Duration = Duration::from_secs(5);
/// The longest of these pauses; they grow.
const LOOK_PAUSE_MAX: Duration = Duration::from_secs(60);
/// A router that does not come back for so long after its guard should have fired needs a person.
pub(super) const PATIENCE: Duration = Duration::from_secs(15 * 60);
/// After a fire, before the first look: a waiting job has looked too by then (`guard::BEHIND`).
const AFTER_FIRE: Duration = Duration::from_secs(5);

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
        let row = match one(known, &rows, find) {
            Ok((_, row)) => row,
            Err(Lost::None) => continue,
            Err(lost) => {
                left = Some(format!("which row of {} is to be removed cannot be told, {}: it stays, out of use", step.menu, lost.words()));
                continue;
            }
        };
        // Somebody who put it back into use since wants it.
        if !fits(known, row, &disabled()) {
            left = Some(format!("a row of {} was put back into use and stays", step.menu));
            continue;
        }
        let Some(id) = row.id() else { continue };
        let removed = work.write(Write::Remove { path: MenuPath::parse(&step.menu)?, id: id.to_owned() }).await;
        // A router says yes to some removals and does nothing.
        if !matches!(one(known, &work.rows(&step.menu, Query::new()).await?, find), Err(Lost::None)) {
            let why = removed.err().map_or_else(|| "the router took the removal and still shows it".to_owned(), |fault| fault.said);
            left = Some(format!("a row of {} stays, out of use: {why}", step.menu));
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
