//! Clean: nothing of our guard stays on the router.

use super::{LOOK_PAUSE, pause};
use crate::base::fault::{Fault, Kind};
use crate::fleet::Write;
use crate::plan::guard::{BEHIND, JOBS, SCRIPTS, TIMERS};
use crate::plan::record::GuardKind;
use crate::plan::work::{Ids, Work};
use crate::routeros::{MenuPath, Query, Row};

/// Rounds of removing and looking again.
const ROUNDS: u32 = 3;

/// Takes timer, script and job away, in this order, and reads back that they are gone.
pub(in crate::plan) async fn clean(work: &mut Work) -> Result<(), Fault> {
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
            work.ids = Ids::default();
            return Ok(());
        }
        if round > 0 {
            pause(work, LOOK_PAUSE).await?;
        }
    }
    if left.iter().all(|(menu, _)| *menu == JOBS) {
        // Without its script a waiting job does nothing when its time comes; it is only waited for.
        let wait = work.left().unwrap_or_default() + BEHIND + LOOK_PAUSE;
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
