//! More time for a manual confirmation: the new timer is armed and proven before the old one goes; at most an hour in all.

use crate::base::clock::Wall;
use crate::base::fault::Fault;
use crate::fleet::Write;
use crate::plan::arm::{add_timer, job_guard, no_guard, remove_timers, start_job, timer_holds};
use crate::plan::config::{CONFIRM_GRACE, CONFIRM_MAX};
use crate::plan::guard::{self, JOBS, TIMERS, TOO_CLOSE};
use crate::plan::record::{Guard, GuardKind};
use crate::plan::work::Work;
use crate::routeros::{MenuPath, Query};
use std::time::Duration;

/// Whether more time was asked for than the guard gives.
pub(super) fn is_wanted(work: &Work) -> bool {
    granted(work) > work.wait()
}

/// How long the guard is to wait in all, from when it was armed.
fn granted(work: &Work) -> Duration {
    Duration::from_secs(work.progress.granted_s.into()).min(CONFIRM_MAX) + CONFIRM_GRACE
}

/// Arms anew for the time that was granted. On failure the old guard stands as it was.
pub(super) async fn extend(work: &mut Work) -> Result<(), Fault> {
    let granted = granted(work);
    let more = granted.saturating_sub(work.wait());
    let Some(left) = work.left() else { return note_window(work, granted).await };
    if left <= TOO_CLOSE {
        return Err(no_guard(work, "the old one is about to fire"));
    }
    // A scheduler counts whole seconds, and what it reads back is compared.
    let wait = Duration::from_secs((left + more).as_secs());
    let fires = work.core.clock.mono() + wait;
    for old in work.progress.guards.clone() {
        let new = match old.kind {
            GuardKind::Scheduler => timer(work, wait).await?,
            GuardKind::Execute => job(work, &old, wait).await?,
        };
        // What is on the router now stands in the record, or a crash here would forget it.
        work.note(|progress| {
            progress.guards.retain(|guard| guard.kind != old.kind);
            progress.guards.push(new.clone());
        })
        .await?;
    }
    work.fires = Some(fires);
    note_window(work, granted).await
}

async fn note_window(work: &mut Work, window: Duration) -> Result<(), Fault> {
    work.note(|progress| {
        if let Some(armed) = progress.armed_at {
            progress.fires_at = Some(Wall(armed.0 + window.as_millis() as i64));
        }
    })
    .await
}

/// A second entry for the same script, proven; then the first goes and the second takes its name.
async fn timer(work: &mut Work, wait: Duration) -> Result<Guard, Fault> {
    let policies = guard::policies(&work.draft);
    let policy = policies.iter().copied().collect::<Vec<_>>().join(",");
    let (script, second) = (work.guard_name(), format!("{}-2", work.guard_name()));
    let proven = match add_timer(work, &second, &script, &policy, wait).await {
        Ok(_) => timer_holds(work, &second, &script, &policies, wait, &[], None).await?,
        Err(why) => Err(why),
    };
    let id = match proven {
        Ok(id) => id,
        Err(why) => {
            remove_timers(work, &second).await?;
            return Err(no_guard(work, &why));
        }
    };
    remove_timers(work, &script).await?;
    // The script takes its timer away by this name when it has run.
    let values = vec![("name".to_owned(), script.clone())];
    work.write(Write::Set { path: MenuPath::parse(TIMERS)?, id: Some(id), values }).await?;
    match timer_holds(work, &script, &script, &policies, wait, &[], None).await? {
        Ok(id) => work.ids.timer = Some(id),
        Err(why) => return Err(no_guard(work, &why)),
    }
    Ok(Guard { kind: GuardKind::Scheduler, name: script, job: None, proven: true })
}

async fn job(work: &mut Work, old: &Guard, wait: Duration) -> Result<Guard, Fault> {
    let name = work.guard_name();
    let beside_timer = work.progress.guards.iter().any(|guard| guard.kind == GuardKind::Scheduler);
    let id = start_job(work, &name, wait, beside_timer).await.map_err(|fault| no_guard(work, &fault.said))?;
    let jobs = work.proof(JOBS, Query::new()).await?;
    if !jobs.iter().any(|job| job.id() == Some(id.as_str())) {
        return Err(no_guard(work, "the new job does not run"));
    }
    if let Some(old) = old.job.clone().filter(|old| jobs.iter().any(|job| job.id() == Some(old.as_str()))) {
        work.write(Write::Remove { path: MenuPath::parse(JOBS)?, id: old }).await?;
    }
    Ok(job_guard(&name, &id, true))
}
