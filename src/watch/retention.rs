//! Drops what is older than the operator keeps: once a day.

use crate::base::clock::Wall;
use crate::base::fault::Fault;
use crate::tools::world::World;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The first time comes soon after a start, or an appliance switched off every night would never sweep.
const FIRST: Duration = Duration::from_secs(600);

/// And then each day.
const EVERY: Duration = Duration::from_secs(86_400);

const DAY_MS: i64 = 86_400_000;

/// Starts the task; it ends with `stop`.
pub fn start(world: Arc<World>, health_days: u32, tasks: &TaskTracker, stop: &CancellationToken) {
    let stop = stop.clone();
    tasks.spawn(async move {
        stop.run_until_cancelled(async move {
            tokio::time::sleep(FIRST).await;
            loop {
                if let Err(fault) = sweep(&world, health_days).await {
                    tracing::warn!(cause = fault.chain(), "retention could not be applied; trying again tomorrow");
                }
                tokio::time::sleep(EVERY).await;
            }
        })
        .await
    });
}

/// Drops what is too old now. On a box whose clock stands in 1970 that is nothing.
pub async fn sweep(world: &World, health_days: u32) -> Result<(), Fault> {
    let until = Wall(world.clock.wall().0 - i64::from(health_days) * DAY_MS);
    for device in world.fleet.list() {
        world.history.retain_from(&device.id, until).await?;
    }
    world.fleet.sweep_registrations().await
}
