//! Plans when nobody calls: what ended ones left on routers goes, old drafts expire, old records are forgotten.

use crate::base::clock::Wall;
use crate::tools::world::World;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The first sweep comes when what a start left to do is done.
const FIRST: Duration = Duration::from_secs(60);
/// Between looks at drafts nobody ran.
const EVERY: Duration = Duration::from_secs(3_600);
/// Sweeps come once a day, in looks.
const SWEEP_EACH: u32 = 24;
const DAY_MS: i64 = 86_400_000;

/// Starts the task; it ends with `stop`.
pub fn start(world: Arc<World>, plan_days: u32, tasks: &TaskTracker, stop: &CancellationToken) {
    let stop = stop.clone();
    tasks.spawn(async move {
        stop.run_until_cancelled(async move {
            tokio::time::sleep(FIRST).await;
            let mut looks = 0_u32;
            loop {
                if looks.is_multiple_of(SWEEP_EACH) {
                    sweep(&world, plan_days).await;
                } else if let Err(fault) = world.plans.expire().await {
                    tracing::warn!(cause = fault.chain(), "old drafts could not be closed; trying again in an hour");
                }
                looks = looks.wrapping_add(1);
                tokio::time::sleep(EVERY).await;
            }
        })
        .await
    });
}

/// One sweep of all routers, and of our own records.
pub async fn sweep(world: &World, plan_days: u32) {
    match world.plans.sweep().await {
        Ok(swept) if swept.left.is_empty() => {}
        Ok(swept) => tracing::warn!(left = swept.left.len(), "guards that are not ours to remove stand on routers"),
        Err(fault) => tracing::warn!(cause = fault.chain(), "routers could not be swept; trying again tomorrow"),
    }
    // On a box whose clock stands in 1970 that is nothing.
    let until = Wall(world.clock.wall().0 - i64::from(plan_days) * DAY_MS);
    match world.plans.forget(until).await {
        Ok(0) => {}
        Ok(gone) => tracing::info!(gone, "old plans forgotten"),
        Err(fault) => tracing::warn!(cause = fault.chain(), "old plans could not be forgotten; trying again tomorrow"),
    }
}
