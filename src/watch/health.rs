//! Looks at every device in turn and keeps what it sees.
//!
//! One task for the whole fleet: each device has its own next moment, spread over the interval by its id, so that a thousand
//! devices are a thousand small requests a minute and never a burst. Devices that do not answer are asked less often.

use crate::fleet::Status;
use crate::tools::context::World;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How often the plan of the next moments is looked at.
const TICK: Duration = Duration::from_secs(1);

/// A silent device is asked at most this many intervals apart.
const MOST_BACKOFF: u32 = 8;

/// Readings at once, over the whole fleet: gentle to a weak box.
const AT_ONCE: usize = 16;

/// Starts the task; it ends with `stop`.
pub fn start(world: Arc<World>, every: Duration, jitter: Duration, tasks: &TaskTracker, stop: &CancellationToken) {
    let (tasks, stop) = (tasks.clone(), stop.clone());
    tasks.clone().spawn(async move {
        let gate = Arc::new(tokio::sync::Semaphore::new(AT_ONCE));
        let mut due: HashMap<String, (Duration, u32)> = HashMap::new();
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = tick.tick() => {}
            }
            let now = world.clock.mono();
            let devices = world.fleet.list();
            due.retain(|id, _| devices.iter().any(|device| device.id.as_str() == id));
            for device in devices {
                if matches!(device.status, Status::Decommissioned | Status::Quarantined) || device.environment != world.rules.environment {
                    continue;
                }
                let spread = spread(device.id.as_str(), every.min(jitter.max(TICK) * 6));
                let (at, misses) = due.entry(device.id.to_string()).or_insert((now + spread, 0));
                if *at > now {
                    continue;
                }
                let silent = device.status == Status::Unreachable;
                *misses = if silent { (*misses + 1).min(MOST_BACKOFF - 1) } else { 0 };
                *at = now + every * (*misses + 1) + spread.min(jitter);
                let Ok(permit) = gate.clone().try_acquire_owned() else { continue };
                let world = world.clone();
                tasks.spawn(async move {
                    let _permit = permit;
                    read(&world, &device.id).await;
                });
            }
        }
    });
}

/// One reading into the history.
async fn read(world: &World, id: &crate::base::ids::DeviceId) {
    if let Err(fault) = world.look(id).await {
        tracing::debug!(device = id.as_str(), cause = fault.chain(), "no health sample this time");
    }
}

/// A fixed moment within the interval for each id.
fn spread(id: &str, within: Duration) -> Duration {
    let sum = id.bytes().fold(0_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
    Duration::from_millis(sum % (within.as_millis() as u64).max(1))
}
