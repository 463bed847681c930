//! Taking back a device that a halted job had already confirmed: an ordinary guarded plan of its own, run by that job.
//!
//! It is there in the records before anything is done, named by the device's own record, and a restart goes on with it. What somebody
//! changed since is not touched. The device ends `rolled_back` only when its rows are those from before the job.

use crate::base::clock::Wall;
use crate::base::fault::Fault;
use crate::base::ids::DeviceId;
use crate::plan::config::DRAFT_LIFE;
use crate::plan::edit::{Confirm, TAKES_BACK};
use crate::plan::hold::Core;
use crate::plan::record::{Difference, Draft, Pace, Plan, PlanId};
use crate::plan::recover::{self, go_on};
use crate::plan::rows::{self, Read};
use crate::plan::state::{DeviceEvent, DeviceState, PlanEvent, PlanState};
use crate::plan::work::Work;
use crate::plan::{back, digest, job, settle};
use std::sync::Arc;
use std::time::Duration;

/// So often one is begun anew that a restart of ours or the disk undid, or for which the router could not be asked.
const TRIES: u32 = 4;
/// Between looks at a router that does not answer.
const PAUSE: Duration = Duration::from_secs(15);

const UNCOMPARED: &str = "it was taken back, but the router could not be compared with how it was";

/// Takes one device of a plan back, where it holds the change for good. Errs only with what recovery can go on from.
/// `by` is what would have cut it off.
pub(super) async fn take_back(core: &Arc<Core>, plan: &Plan, device: &DeviceId, by: &str) -> Result<(), Fault> {
    for _ in 0..TRIES {
        let progress = core.book.progress(&plan.id, device)?;
        if progress.state != DeviceState::Confirmed {
            return Ok(());
        }
        let mut work = Work::open(core, &plan.id, device)?;
        let back = match progress.taken_back_by {
            Some(back) => back,
            None => match begin(&mut work).await? {
                Begun::As(back) => back,
                Begun::Not(why, differences) => return strand(&mut work, &why, &differences).await,
                Begun::Later(why) => {
                    tracing::warn!(plan = %plan.id, device = %work.device.name, "not taken back yet: {why}");
                    settle::pause(&work, PAUSE).await?;
                    continue;
                }
            },
        };
        let state = run(core, &back, device, by).await?;
        let error = core.book.progress(&back, device)?.error.unwrap_or_default();
        if matches!(state, DeviceState::RolledBack | DeviceState::Skipped) && recover::was_cut_off(&error) {
            work.note(|progress| progress.taken_back_by = None).await?;
            continue;
        }
        return settled(&mut work, &back, state, &error).await;
    }
    let mut work = Work::open(core, &plan.id, device)?;
    strand(&mut work, "it could not be taken back: the router does not answer", &[]).await
}

/// Whether there is a plan that takes a device back.
enum Begun {
    /// There is.
    As(PlanId),
    /// There cannot be one.
    Not(String, Vec<Difference>),
    /// The router cannot be asked now.
    Later(String),
}

async fn begin(work: &mut Work) -> Result<Begun, Fault> {
    let read = match read_anew(work).await {
        Ok(read) => read,
        Err(fault) => return Ok(Begun::Later(fault.said)),
    };
    let moved = rows::short_of(&work.draft, &work.draft.steps, &read);
    if !moved.is_empty() {
        return Ok(Begun::Not("somebody changed it since; it was not taken back".into(), moved));
    }
    let id = PlanId::random();
    let draft = match back::draft(&id, &work.draft, &read) {
        Ok(draft) => draft,
        Err(why) => return Ok(Begun::Not(format!("it cannot be taken back: {why}"), Vec::new())),
    };
    let plan = plan(work, id.clone(), &draft);
    work.progress = work.core.book.create_back(&plan, &draft, &work.plan.id).await?;
    Ok(Begun::As(id))
}

/// The rows over a new connection.
async fn read_anew(work: &mut Work) -> Result<Read, Fault> {
    work.renew().await?;
    work.read().await
}

/// The plan: of the same author, under the approval that let the job start, and confirming itself.
fn plan(work: &Work, id: PlanId, draft: &Draft) -> Plan {
    let now = work.core.clock.wall();
    let mut plan = Plan {
        id,
        reason: format!("takes back {} on {}", work.plan.id, work.device.name),
        origin: TAKES_BACK.to_owned(),
        request: String::new(),
        created_at: now,
        expires_at: Wall(now.0 + DRAFT_LIFE.as_millis() as i64),
        state: PlanState::Draft,
        risk: draft.risk,
        cut: draft.cut,
        cut_reasons: draft.cut_reasons.clone(),
        digest: [0; 32],
        needed: 0,
        approvals: Vec::new(),
        confirm: Confirm::Auto,
        verify: Vec::new(),
        pace: Pace { size: 1, canary: 1, pause_s: 0, ..work.plan.pace },
        devices: vec![draft.device.clone()],
        started_at: Some(now),
        ended_at: None,
        why_ended: None,
        halt: None,
        ..work.plan.clone()
    };
    plan.digest = digest::of(&plan, std::slice::from_ref(draft));
    plan
}

async fn run(core: &Arc<Core>, back: &PlanId, device: &DeviceId, by: &str) -> Result<DeviceState, Fault> {
    core.book
        .change_plan(back, |plan| match plan.state {
            PlanState::Draft => plan.happen(PlanEvent::Start),
            _ => Ok(()),
        })
        .await?;
    let state = go_on(core, back, device, by).await?;
    job::end(core, back).await?;
    Ok(state)
}

/// The undo has ended: are the rows those from before the job?
async fn settled(work: &mut Work, back: &PlanId, state: DeviceState, error: &str) -> Result<(), Fault> {
    if state != DeviceState::Confirmed {
        let why = format!("{back}, which was to take it back, ended {}: {error}", state.as_str().replace('_', " "));
        // Where that plan was undone itself, its rows are as it found them: what differs is what the job did.
        let differences = match read_anew(work).await.map(|read| rows::since(&work.draft, &read)) {
            Ok(differences) if !differences.is_empty() => differences,
            _ => work.core.book.progress(back, &work.draft.device)?.difference,
        };
        return strand(work, &why, &differences).await;
    }
    let mut why = UNCOMPARED.to_owned();
    for _ in 0..TRIES {
        match read_anew(work).await {
            Ok(read) => {
                let differences = rows::since(&work.draft, &read);
                if !differences.is_empty() {
                    return strand(work, "it was taken back, but the router is not as it was", &differences).await;
                }
                let halt = work.core.book.plan(&work.plan.id)?.halt.map(|halt| halt.why).unwrap_or_default();
                let said = format!("taken back by {back}: {halt}");
                work.core.book.meter().rollback("halt");
                return work.reach_with(DeviceEvent::TakeBack, |progress| progress.error = Some(said.clone())).await;
            }
            Err(fault) => why = format!("{UNCOMPARED}: {}", fault.said),
        }
        settle::pause(work, PAUSE).await?;
    }
    strand(work, &why, &[]).await
}

/// It still holds the change, or nobody knows: a person has to look.
async fn strand(work: &mut Work, why: &str, differences: &[Difference]) -> Result<(), Fault> {
    tracing::warn!(plan = %work.plan.id, device = %work.device.name, "{why}");
    work.core.book.meter().rollback_failed();
    let differences = match differences {
        [] => rows::uncompared(&work.draft, "it was changed, and not compared since"),
        known => known.to_vec(),
    };
    work.reach_with(DeviceEvent::Strand, |progress| {
        progress.error = Some(why.to_owned());
        progress.difference.clone_from(&differences);
    })
    .await
}
