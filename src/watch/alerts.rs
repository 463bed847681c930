//! Looks for what somebody has to know, and says so to `alert/`: it hears what happens on the bus, and looks at everything from time
//! to time, because a bus may lose events and a restart hears none.

use crate::alert::{Kind, Subject};
use crate::base::clock::Wall;
use crate::base::events::Event;
use crate::base::ids::DeviceId;
use crate::fleet::{Device, Status};
use crate::plan::record::{Plan, PlanId};
use crate::plan::state::PlanState;
use crate::store::Space;
use crate::tools::world::World;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Between two looks at what is in memory, and at the disk.
const EVERY: Duration = Duration::from_secs(30);
/// Plans are read from the store: in every so many looks.
const PLANS_EACH: u32 = 20;

/// Starts to look and to tell; ends with `stop`. `store` is the store's file.
pub fn start(world: Arc<World>, store: PathBuf, tasks: &TaskTracker, stop: &CancellationToken) {
    world.alerts.start(tasks, stop);
    // Now, not when the task first runs: what happens meanwhile is heard.
    let (stop, events) = (stop.clone(), world.fleet.bus().listen());
    tasks.spawn(async move { stop.run_until_cancelled(watch(world, store, events)).await });
}

async fn watch(world: Arc<World>, store: PathBuf, mut events: Receiver<Event>) {
    let mut looks = 0_u32;
    loop {
        devices(&world);
        if looks.is_multiple_of(PLANS_EACH) {
            plans(&world);
        }
        disk(&world, &store).await;
        world.alerts.look_at_certificate();
        world.alerts.roll().await;
        looks = looks.wrapping_add(1);
        let pause = world.clock.sleep(EVERY);
        tokio::pin!(pause);
        loop {
            tokio::select! {
                () = &mut pause => break,
                event = events.recv() => match event {
                    Ok(event) => heard(&world, &event),
                    Err(RecvError::Lagged(_)) => {
                        devices(&world);
                        plans(&world);
                    }
                    Err(RecvError::Closed) => return,
                },
            }
        }
    }
}

fn heard(world: &World, event: &Event) {
    match event {
        Event::Device(id) | Event::Health(id) => device(world, id),
        Event::Plan(id) => plan(world, id),
        Event::Fired(id) => world.alerts.happened(Kind::GuardFired, &Subject::plan(id), &on(world, id)),
        Event::Config(_) | Event::Alert | Event::Client(_) | Event::Update | Event::Switches => {}
    }
}

/// Every device.
pub fn devices(world: &World) {
    let down: Vec<(Subject, String)> = world.fleet.list().iter().filter_map(|device| why_down(world, device)).collect();
    world.alerts.only(Kind::DeviceDown, &down);
}

fn device(world: &World, id: &DeviceId) {
    match world.fleet.get(id) {
        Ok(device) => match why_down(world, &device) {
            Some((subject, why)) => world.alerts.raise(Kind::DeviceDown, &subject, &why),
            None => world.alerts.end(Kind::DeviceDown, &Subject::device(id.as_str(), &device.name)),
        },
        Err(_) => world.alerts.end(Kind::DeviceDown, &Subject::device(id.as_str(), id.as_str())),
    }
}

/// Whether a device of ours is away, and why.
fn why_down(world: &World, device: &Device) -> Option<(Subject, String)> {
    let is_down = matches!(device.status, Status::Unreachable | Status::Quarantined) && device.environment == world.rules.environment;
    let why = device.last_error.clone().unwrap_or_else(|| device.status.as_str().to_owned());
    is_down.then(|| (Subject::device(device.id.as_str(), &device.name), why))
}

/// Every plan.
pub fn plans(world: &World) {
    let plans = match world.plans.list() {
        Ok(plans) => plans,
        Err(fault) => return tracing::warn!(cause = fault.chain(), "plans could not be looked at for alerts"),
    };
    let now = world.clock.wall();
    let of = |kind: Kind| -> Vec<(Subject, String)> {
        let is_so = plans.iter().filter(|plan| stands(plan, kind, now));
        is_so.map(|plan| (Subject::plan(plan.id.as_str()), about(world, plan))).collect()
    };
    for kind in [Kind::PlanWaiting, Kind::PlanAttention] {
        world.alerts.only(kind, &of(kind));
    }
}

fn plan(world: &World, id: &str) {
    let found = world.plans.head(&PlanId(id.to_owned())).ok();
    for kind in [Kind::PlanWaiting, Kind::PlanAttention] {
        let subject = Subject::plan(id);
        match found.as_ref().filter(|plan| stands(plan, kind, world.clock.wall())) {
            Some(plan) => world.alerts.raise(kind, &subject, &about(world, plan)),
            None => world.alerts.end(kind, &subject),
        }
    }
}

fn stands(plan: &Plan, kind: Kind, now: Wall) -> bool {
    match kind {
        Kind::PlanWaiting => plan.state == PlanState::Draft && plan.needed > 0 && plan.expires_at > now,
        Kind::PlanAttention => plan.state == PlanState::NeedsAttention,
        _ => false,
    }
}

/// What may be told of a plan outside: not its reason, which is whatever somebody wrote.
fn about(world: &World, plan: &Plan) -> String {
    let names: Vec<String> = plan.devices.iter().take(5).map(|id| name(world, id)).collect();
    let rest = plan.devices.len() - names.len();
    let more = if rest == 0 { String::new() } else { format!(" and {rest} more") };
    format!("{} by {}, risk {}, on {}{more}", plan.origin, plan.author.name, plan.risk.as_str(), names.join(", "))
}

fn on(world: &World, id: &str) -> String {
    world.plans.head(&PlanId(id.to_owned())).map_or_else(|_| String::new(), |plan| about(world, &plan))
}

fn name(world: &World, id: &DeviceId) -> String {
    world.fleet.get(id).map_or_else(|_| id.to_string(), |device| device.name.clone())
}

/// The disk below the store: on a thread of its own, for one over a network may be away.
async fn disk(world: &World, store: &Path) {
    let at = store.to_owned();
    match tokio::task::spawn_blocking(move || Space::at(&at)).await {
        Ok(Ok(space)) => world.alerts.disk_free(space.free_percent()),
        Ok(Err(error)) => tracing::warn!(%error, "room on the disk could not be read"),
        Err(error) => tracing::warn!(%error, "room on the disk could not be read"),
    }
}
