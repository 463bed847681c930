//! Plans when nobody calls: what ended ones left on routers goes, old drafts expire. What old ones were is `retention`'s business.

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

/// Starts the task; it ends with `stop`.
pub fn start(world: Arc<World>, tasks: &TaskTracker, stop: &CancellationToken) {
    let stop = stop.clone();
    tasks.spawn(async move {
        stop.run_until_cancelled(async move {
            tokio::time::sleep(FIRST).await;
            let mut looks = 0_u32;
            loop {
                if looks.is_multiple_of(SWEEP_EACH) {
                    sweep(&world).await;
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

/// One sweep of all routers.
pub async fn sweep(world: &World) {
    match world.plans.sweep().await {
        Ok(swept) if swept.left.is_empty() => {}
        Ok(swept) => tracing::warn!(left = swept.left.len(), "guards that are not ours to remove stand on routers"),
        Err(fault) => tracing::warn!(cause = fault.chain(), "routers could not be swept; trying again tomorrow"),
    }
}
