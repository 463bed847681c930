//! Our logins on routers when nobody calls: what was cut off is settled, and passwords that grew old are changed.
//!
//! One device at a time: should a version of RouterOS turn out to take it badly, that is one router and not all of them.

use crate::base::clock::Wall;
use crate::base::ids::DeviceId;
use crate::dispatch::{Call, Dispatch};
use crate::fleet::{Device, Rotation, Status};
use crate::tools::world::World;
use serde_json::Map;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Between looks.
const EVERY: Duration = Duration::from_secs(60);
/// A device whose login could not be changed is left alone for so long.
const RETRY: Duration = Duration::from_secs(86_400);

/// Starts the task; it ends with `stop`. With `days` 0 it only settles what was cut off.
pub fn start(dispatch: Arc<Dispatch>, days: u32, tasks: &TaskTracker, stop: &CancellationToken) {
    let stop = stop.clone();
    tasks.spawn(async move {
        stop.run_until_cancelled(async move {
            let mut schedule = Schedule::new(Duration::from_secs(u64::from(days) * 86_400));
            loop {
                tokio::time::sleep(EVERY).await;
                schedule.look(&dispatch).await;
            }
        })
        .await
    });
}

/// Which logins are changed when.
pub struct Schedule {
    every: Duration,
    /// Devices left alone until then (monotonic).
    resting: HashMap<DeviceId, Duration>,
}

impl Schedule {
    /// Changes each password when it is so old; zero is never.
    pub fn new(every: Duration) -> Schedule {
        Schedule { every, resting: HashMap::new() }
    }

    /// One look: settles what is open, and changes at most one login. Answers whose.
    pub async fn look(&mut self, dispatch: &Arc<Dispatch>) -> Option<DeviceId> {
        let world = dispatch.world();
        if let Err(fault) = world.plans.settle_logins(false) {
            tracing::warn!(cause = fault.chain(), "logins that were cut off cannot be looked at; trying again in a minute");
        }
        let due = self.due(world)?;
        let mut arguments = Map::new();
        arguments.insert("device".into(), due.id.as_str().into());
        let reply = dispatch.call(Call::of_appliance("device.rotate_credentials", arguments)).await;
        if reply.fault.is_some() {
            tracing::warn!(device = %due.name, why = %reply.text, "its login is old and was not changed; trying again tomorrow");
            self.resting.insert(due.id.clone(), world.clock.mono() + RETRY);
        }
        Some(due.id.clone())
    }

    /// The device that waits longest.
    fn due(&mut self, world: &World) -> Option<Arc<Device>> {
        if self.every.is_zero() || world.rules.is_read_only() {
            return None;
        }
        let (now, mono) = (world.clock.wall(), world.clock.mono());
        self.resting.retain(|_, until| *until > mono);
        let mut waiting: Vec<(Wall, Arc<Device>)> = Vec::new();
        for device in world.fleet.list() {
            let rotation = world.fleet.rotation(&device.id).ok().flatten();
            let since = since(&device, rotation.as_ref());
            let is_old = now.0.saturating_sub(since.0) >= self.every.as_millis() as i64;
            let needs_a_person = rotation.is_some_and(|rotation| rotation.attention.is_some());
            let can = device.status == Status::Reachable && !self.resting.contains_key(&device.id);
            if is_old && can && !needs_a_person && !device.plain_http && world.fleet.keeps_password(&device) {
                waiting.push((since, device));
            }
        }
        waiting.into_iter().min_by_key(|(since, _)| *since).map(|(_, device)| device)
    }
}

/// Since when the password is this one, as far as we know.
fn since(device: &Device, rotation: Option<&Rotation>) -> Wall {
    rotation.and_then(|rotation| rotation.done_at).unwrap_or(device.added_at)
}
