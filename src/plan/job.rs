//! A plan's job: its devices in batches, until the end or a halt.
//!
//! The canaries go first, alone; then batches side by side, with a pause between. After each batch its routers, and others that
//! answered before it, have to be well, or the job halts. A device is begun only while nothing says stop: a halt in the plan's
//! record, a failure before it, the appliance going down. What was begun is always finished. Everything that decides is in the
//! records, so that a job goes on after a restart where it was.

use crate::audit::Phase;
use crate::base::events::Event;
use crate::base::fault::Fault;
use crate::base::ids::DeviceId;
use crate::plan::drive::run_device;
use crate::plan::edit::OnFailure;
use crate::plan::hold::Core;
use crate::plan::record::{Halt, Pace, Plan, PlanId, Progress};
use crate::plan::recover::{self, go_on};
use crate::plan::state::{DeviceState, Ending, PlanEvent, PlanState};
use crate::plan::{book, gate, secrets, settle, take_back, view, work};
use crate::store::Durability;
use futures_util::future::join_all;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// How far a job is, for whoever waits for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    /// Devices that have ended.
    pub done: u32,
    /// Devices in all.
    pub total: u32,
    /// `confirmed 12, rolled back 1, untouched 37`.
    pub line: String,
}

/// Counts devices by how they stand.
pub fn tally(devices: impl IntoIterator<Item = DeviceState>) -> Tally {
    let states: Vec<DeviceState> = devices.into_iter().collect();
    let has_ended = |state: &&DeviceState| state.is_final() || **state == DeviceState::Unknown;
    Tally { done: states.iter().filter(has_ended).count() as u32, total: states.len() as u32, line: view::summary(states) }
}

/// The batches of a plan, in their order: the canaries, then as many at a time as its pace says.
fn batches<'a>(devices: &'a [DeviceId], pace: &Pace) -> Vec<&'a [DeviceId]> {
    let (canaries, rest) = devices.split_at((pace.canary as usize).min(devices.len()));
    let first = (!canaries.is_empty()).then_some(canaries);
    first.into_iter().chain(rest.chunks(pace.size.max(1) as usize)).collect()
}

/// Works a plan to its end. Errs only with what recovery can go on from.
/// `cut_off` says by what it was, if it was.
pub(crate) async fn run(core: &Arc<Core>, id: &PlanId, cut_off: Option<&'static str>) -> Result<(), Fault> {
    let plan = core.book.plan(id)?;
    let batches = batches(&plan.devices, &plan.pace);
    for (n, batch) in batches.iter().enumerate() {
        let (before, after) = (batches[..n].concat(), batches[n + 1..].concat());
        let witnesses = gate::witnesses(core, &plan, batch, &before, &after).await;
        let ended = join_all(batch.iter().map(|device| one(core, id, device, cut_off))).await;
        for (device, ended) in batch.iter().zip(ended) {
            match ended? {
                Some(DeviceState::Confirmed) | None => {}
                Some(state) => failed(core, &plan, device, state, n == 0 && plan.pace.canary > 0).await?,
            }
        }
        // A later batch that was begun before a restart says that this one had passed.
        let is_past = begun(core, id, &after)?;
        if plan.devices.len() > 1 && !is_past && !is_halted(core, id)? {
            if let Err(why) = gate::pass(core, batch, &witnesses).await {
                halt(core, &plan, &why).await?;
            } else if !after.is_empty() {
                pause(core, id, Duration::from_secs(plan.pace.pause_s.into())).await?;
            }
        }
    }
    if core.book.plan(id)?.halt.is_some_and(|halt| halt.roll_back) {
        // Newest first: what was built upon goes last.
        for device in plan.devices.iter().rev() {
            take_back::take_back(core, &plan, device, cut_off.unwrap_or(recover::RESTARTED)).await?;
            core.fleet.bus().tell(Event::Config(device.clone()));
        }
    }
    end(core, id).await
}

/// One device to its end; nothing for one that is not begun.
async fn one(core: &Arc<Core>, id: &PlanId, device: &DeviceId, cut_off: Option<&'static str>) -> Result<Option<DeviceState>, Fault> {
    let progress = core.book.progress(id, device)?;
    let is_untouched = progress.state == DeviceState::Pending && progress.intent.is_none();
    if is_untouched && is_halted(core, id)? {
        return Ok(None);
    }
    let state = match cut_off {
        Some(by) => go_on(core, id, device, by).await?,
        None => run_device(core, id, device).await?,
    };
    if progress.state != state && state != DeviceState::Skipped {
        core.fleet.bus().tell(Event::Config(device.clone()));
    }
    Ok(Some(state))
}

fn begun(core: &Core, id: &PlanId, devices: &[DeviceId]) -> Result<bool, Fault> {
    for device in devices {
        let progress = core.book.progress(id, device)?;
        if progress.state != DeviceState::Pending || progress.intent.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn is_halted(core: &Core, id: &PlanId) -> Result<bool, Fault> {
    Ok(core.book.plan(id)?.halt.is_some())
}

/// A device that does not hold the change halts the job. What a restart of ours undid says nothing against the change; but a canary
/// that proved nothing is no canary.
async fn failed(core: &Core, plan: &Plan, device: &DeviceId, state: DeviceState, is_canary: bool) -> Result<(), Fault> {
    let progress = core.book.progress(&plan.id, device)?;
    if !is_canary && was_interrupted(&progress) {
        return Ok(());
    }
    let name = core.book.draft(&plan.id, device).map_or_else(|_| device.to_string(), |draft| draft.name);
    halt(core, plan, &format!("device \"{name}\" ended {}", state.as_str().replace('_', " "))).await
}

fn was_interrupted(progress: &Progress) -> bool {
    matches!(progress.state, DeviceState::RolledBack | DeviceState::Skipped) && progress.error.as_deref().is_some_and(recover::was_cut_off)
}

/// Stops what has not begun; with `roll_back_all` what is done is taken back too.
async fn halt(core: &Core, plan: &Plan, why: &str) -> Result<(), Fault> {
    tracing::warn!(plan = %plan.id, "the job halts: {why}");
    let roll_back = plan.pace.on_failure == OnFailure::RollBackAll;
    core.book
        .change_plan(&plan.id, |plan| {
            plan.halt.get_or_insert_with(|| Halt { why: why.to_owned(), roll_back });
            Ok(())
        })
        .await?;
    Ok(())
}

/// Lets the pause between two batches pass; somebody who halts the job ends it.
async fn pause(core: &Core, id: &PlanId, span: Duration) -> Result<(), Fault> {
    let until = core.clock.mono() + span;
    loop {
        let moved = core.book.moved().notified();
        tokio::pin!(moved);
        // Listen before looking, or a halt in between is missed.
        moved.as_mut().enable();
        let left = until.saturating_sub(core.clock.mono());
        if left.is_zero() || is_halted(core, id)? {
            return Ok(());
        }
        tokio::select! {
            biased;
            () = core.stop.cancelled() => return Err(settle::stopping()),
            () = &mut moved => {}
            () = core.clock.sleep(left) => {}
        }
    }
}

/// Writes down how it ended, in the record, in the trail and in the log.
pub(crate) async fn end(core: &Core, id: &PlanId) -> Result<(), Fault> {
    let plan = core.book.plan(id)?;
    if plan.state != PlanState::Executing {
        return Ok(());
    }
    let devices = core.book.devices(&plan)?;
    secrets::settle(core, &devices).await;
    let states = || devices.iter().map(|(_, progress)| progress.state);
    let (ending, line) = (Ending::of(states()), tally(states()).line);
    let now = core.clock.wall();
    let why = devices.iter().find_map(|(_, progress)| progress.error.clone());
    let plan = core
        .book
        .change_plan(id, |plan| {
            plan.happen(PlanEvent::End(ending))?;
            plan.ended_at = Some(now);
            if plan.why_ended.is_none() {
                plan.why_ended = plan.halt.as_ref().map(|halt| halt.why.clone()).or_else(|| why.clone());
            }
            Ok(())
        })
        .await?;
    tracing::info!(plan = %id, state = plan.state.as_str(), "a plan ended: {line}");
    let who = plan.started_by.as_ref().unwrap_or(&plan.author).principal();
    let arguments = json!({ "plan": id.as_str(), "summary": line, "why": plan.why_ended }).to_string();
    let record = work::record(&who, &plan, "plan.apply", Phase::Done, plan.state.as_str(), arguments);
    core.audit.append(record, Durability::Soon).await?;
    Ok(())
}

/// How far a plan is.
pub(crate) fn tally_of(book: &book::Book, plan: &Plan) -> Result<Tally, Fault> {
    Ok(tally(book.states(plan)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn devices(n: usize) -> Vec<DeviceId> {
        (0..n).map(|n| DeviceId(format!("dev_{n}"))).collect()
    }

    #[test]
    fn canaries_come_first_and_every_device_is_in_one_batch() {
        for (n, canary, size, sizes) in [
            (50, 1, 5, vec![1, 5, 5, 5, 5, 5, 5, 5, 5, 5, 4]),
            (4, 0, 3, vec![3, 1]),
            (2, 5, 1, vec![2]),
            (1, 1, 5, vec![1]),
            (3, 3, 5, vec![3]),
        ] {
            let all = devices(n);
            let pace = Pace { size, canary, pause_s: 0, on_failure: OnFailure::Stop };
            let batches = batches(&all, &pace);
            assert_eq!(batches.iter().map(|batch| batch.len()).collect::<Vec<_>>(), sizes);
            assert_eq!(batches.concat(), all);
        }
    }

    #[test]
    fn the_line_of_truth_leaves_nobody_out() {
        use DeviceState as D;
        let mut states = vec![D::Confirmed; 12];
        states.push(D::RolledBack);
        states.extend(vec![D::Pending; 36]);
        states.push(D::Skipped);
        let counted = tally(states);
        assert_eq!((counted.line.as_str(), counted.total), ("confirmed 12, rolled back 1, skipped 1, untouched 36", 50));
        let counted = tally(D::ALL);
        assert_eq!(counted.total, D::ALL.len() as u32);
        let words: usize = counted.line.split(", ").filter_map(|part| part.rsplit(' ').next()?.parse::<usize>().ok()).sum();
        assert_eq!(words, D::ALL.len(), "{}", counted.line);
        assert_eq!(counted.done, 5);
    }
}
