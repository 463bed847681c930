//! Keeps the history of configurations: each device once an interval, and soon after its router tells of a change.
//!
//! One task for the whole fleet. A device without any snapshot gets its first soon: small fleets within seconds, large ones
//! spread over half a minute by their ids; an export that fails is tried again later and later. Between two exports the router's own
//! list of changes is looked at now and then, one small request, so that a change is found without printing the whole configuration
//! over and over.
//!
//! Exports go through the spine, as an operator's would: each leaves its audit record, and nothing skips policy.

use crate::base::ids::DeviceId;
use crate::dispatch::{Call, Dispatch};
use crate::fleet::{Read, Status};
use crate::routeros::path::MenuPath;
use crate::routeros::query::Query;
use crate::routeros::row::Row;
use crate::tools::world::World;
use crate::watch::turn::{ours, spread};
use serde_json::{Map, Value};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How often the plan of the next moments is looked at.
const TICK: Duration = Duration::from_secs(1);

/// Exports at once, over the whole fleet: each may be megabytes, and a weak box has little room.
const AT_ONCE: usize = 2;

/// Looks at lists of changes at once.
const LOOKS_AT_ONCE: usize = 4;

/// First snapshots of a fleet are spread over so long for each device …
const FIRST_EACH: Duration = Duration::from_millis(500);

/// … and so long at most.
const FIRST: Duration = Duration::from_secs(30);

/// Between two looks at a router's list of changes.
const LOOK_EVERY: Duration = Duration::from_secs(600);

/// A change is followed by others: the export waits until none came for so long.
const QUIET: Duration = Duration::from_secs(60);

/// … or for so long since the first: somebody who changes things all day is no reason to keep nothing.
const MOST_QUIET: Duration = Duration::from_secs(900);

/// A failed export is tried again after so long, then after twice, three times …
const RETRY: Duration = Duration::from_secs(300);

/// … up to so many times that.
const MOST_RETRY: u32 = 12;

/// Starts the task; it ends with `stop`, and takes exports under way with it.
pub fn start(dispatch: Arc<Dispatch>, every: Duration, tasks: &TaskTracker, stop: &CancellationToken) {
    let stop = stop.clone();
    tasks.spawn(async move { stop.run_until_cancelled(watch(dispatch, Plan::new(every))).await });
}

/// What ended.
enum Done {
    Export { id: DeviceId, kept: bool },
    Look { id: DeviceId, marks: Option<Marks> },
}

/// The entries of a router's list of changes.
type Marks = HashSet<String>;

async fn watch(dispatch: Arc<Dispatch>, mut plan: Plan) {
    let world = dispatch.world().clone();
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let (mut exports, mut looks) = (JoinSet::new(), JoinSet::new());
    loop {
        let done = tokio::select! {
            Some(done) = exports.join_next() => Some(done),
            Some(done) = looks.join_next() => Some(done),
            _ = tick.tick() => None,
        };
        let now = world.clock.mono();
        match done {
            Some(Ok(Done::Export { id, kept })) => plan.exported(&id, now, kept),
            Some(Ok(Done::Look { id, marks })) => plan.looked(&id, now, marks),
            Some(Err(error)) => tracing::error!(%error, "a snapshot broke off"),
            None => {
                plan.keep(&world, now);
                for (id, reason) in plan.due_exports(now, AT_ONCE.saturating_sub(exports.len())) {
                    exports.spawn(export(dispatch.clone(), id, reason));
                }
                for id in plan.due_looks(now, LOOKS_AT_ONCE.saturating_sub(looks.len())) {
                    looks.spawn(look(world.clone(), id));
                }
            }
        }
    }
}

async fn export(dispatch: Arc<Dispatch>, id: DeviceId, reason: &'static str) -> Done {
    let mut arguments = Map::new();
    arguments.insert("device".into(), id.as_str().into());
    arguments.insert("reason".into(), Value::from(reason));
    let reply = dispatch.call(Call::of_appliance("config.take_snapshot", arguments)).await;
    Done::Export { id, kept: reply.fault.is_none() }
}

/// What the router's list of changes holds; nothing when it cannot be read now, or there is none.
async fn look(world: Arc<World>, id: DeviceId) -> Done {
    let marks = match (world.fleet.get(&id), MenuPath::parse("/system/history")) {
        (Ok(device), Ok(path)) if device.status == Status::Reachable => {
            let query = Query::default().columns([".id", "action", "by", "time"]);
            let read = Read { path, query, max_age: Duration::ZERO };
            world.fleet.lane(&device).read(read).await.ok().map(|answer| answer.rows.iter().map(mark).collect())
        }
        _ => None,
    };
    Done::Look { id, marks }
}

fn mark(row: &Row) -> String {
    [".id", "action", "by", "time"].map(|name| row.get(name).unwrap_or_default()).join("\n")
}

/// Which device is exported or looked at when. Moments are of the clock that never jumps.
struct Plan {
    every: Duration,
    devices: HashMap<DeviceId, Next>,
}

struct Next {
    export_at: Duration,
    reason: &'static str,
    exporting: bool,
    failures: u32,
    look_at: Duration,
    looking: bool,
    marks: Option<Marks>,
    changing_since: Option<Duration>,
}

impl Plan {
    fn new(every: Duration) -> Self {
        Plan { every, devices: HashMap::new() }
    }

    /// Forgets devices that are gone and takes new ones in: where their last snapshot left off, or soon.
    fn keep(&mut self, world: &World, now: Duration) {
        let wanted: HashSet<DeviceId> = ours(world).collect();
        self.devices.retain(|id, _| wanted.contains(id));
        let within = FIRST.min(FIRST_EACH * wanted.len() as u32);
        for id in wanted {
            if !self.devices.contains_key(&id) {
                let seen = world.configs.latest(&id).ok().flatten().map(|snapshot| snapshot.seen_at);
                // A clock that went back must not put the next snapshot off for longer than an interval.
                let ago = seen.map(|at| Duration::from_millis(world.clock.wall().0.saturating_sub(at.0).max(0) as u64));
                self.add(id, now, ago, within);
            }
        }
    }

    fn add(&mut self, id: DeviceId, now: Duration, last_ago: Option<Duration>, within: Duration) {
        let left = last_ago.map_or(Duration::ZERO, |ago| self.every.saturating_sub(ago));
        let next = Next {
            export_at: now + left.max(spread(&id, within)),
            reason: "schedule",
            exporting: false,
            failures: 0,
            look_at: now + spread(&id, LOOK_EVERY),
            looking: false,
            marks: None,
            changing_since: None,
        };
        self.devices.insert(id, next);
    }

    /// At most `room` devices whose moment has come, the longest overdue first.
    fn due_exports(&mut self, now: Duration, room: usize) -> Vec<(DeviceId, &'static str)> {
        let due = |next: &Next| (!next.exporting && next.export_at <= now).then_some(next.export_at);
        let ids = first(&self.devices, due, room);
        let take = |id: DeviceId| {
            let next = self.devices.get_mut(&id)?;
            next.exporting = true;
            Some((id, next.reason))
        };
        ids.into_iter().filter_map(take).collect()
    }

    fn due_looks(&mut self, now: Duration, room: usize) -> Vec<DeviceId> {
        let due = |next: &Next| (!next.exporting && !next.looking && next.look_at <= now).then_some(next.look_at);
        let ids = first(&self.devices, due, room);
        for id in &ids {
            if let Some(next) = self.devices.get_mut(id) {
                next.looking = true;
            }
        }
        ids
    }

    fn exported(&mut self, id: &DeviceId, now: Duration, kept: bool) {
        let every = self.every;
        let Some(next) = self.devices.get_mut(id) else { return };
        next.exporting = false;
        next.failures = if kept { 0 } else { (next.failures + 1).min(MOST_RETRY) };
        let pause = if kept { every } else { (RETRY * next.failures).min(every) };
        if kept {
            (next.reason, next.changing_since) = ("schedule", None);
        }
        // A tenth of the interval at most, so that a fleet started together does not stay together.
        next.export_at = now + pause + spread(id, every / 10);
    }

    /// New entries bring the export forward; while more keep coming it waits for them to end.
    fn looked(&mut self, id: &DeviceId, now: Duration, marks: Option<Marks>) {
        let Some(next) = self.devices.get_mut(id) else { return };
        next.looking = false;
        next.look_at = now + LOOK_EVERY;
        let Some(marks) = marks else { return };
        // The first look only learns what there is; entries that are gone (a restart empties the list) are no change.
        let is_news = next.marks.as_ref().is_some_and(|known| marks.iter().any(|mark| !known.contains(mark)));
        next.marks = Some(marks);
        if is_news {
            next.reason = "change";
            let since = *next.changing_since.get_or_insert(now);
            next.export_at = (now + QUIET).min(since + MOST_QUIET);
            next.look_at = now + QUIET / 2;
        }
    }
}

/// Ids of the devices for which `due` gives a moment, earliest first.
fn first(devices: &HashMap<DeviceId, Next>, due: impl Fn(&Next) -> Option<Duration>, room: usize) -> Vec<DeviceId> {
    let mut found: Vec<(Duration, &DeviceId)> = devices.iter().filter_map(|(id, next)| Some((due(next)?, id))).collect();
    found.sort();
    found.into_iter().take(room).map(|(_, id)| id.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);

    fn marks(names: &[&str]) -> Option<Marks> {
        Some(names.iter().map(|name| (*name).to_owned()).collect())
    }

    fn one(last_ago: Option<Duration>) -> (Plan, DeviceId) {
        let (mut plan, id) = (Plan::new(DAY), DeviceId::random());
        plan.add(id.clone(), Duration::ZERO, last_ago, FIRST);
        (plan, id)
    }

    #[test]
    fn a_device_without_history_gets_its_first_snapshot_within_half_a_minute() {
        let (mut plan, id) = one(None);
        assert_eq!(plan.due_exports(FIRST, 5), [(id, "schedule")]);
        assert!(plan.due_exports(DAY, 5).is_empty(), "not twice at once");
    }

    #[test]
    fn a_restart_goes_on_where_the_last_snapshot_left_off() {
        let (mut plan, id) = one(Some(DAY / 2));
        assert!(plan.due_exports(DAY / 2 - Duration::from_secs(1), 5).is_empty());
        assert_eq!(plan.due_exports(DAY / 2 + FIRST, 5).len(), 1);
        plan.exported(&id, DAY, true);
        assert!(plan.due_exports(DAY * 2 - Duration::from_secs(1), 5).is_empty());
        assert_eq!(plan.due_exports(DAY * 2 + DAY / 10, 5).len(), 1);
    }

    #[test]
    fn a_failed_export_is_tried_again_later_and_later_and_never_later_than_usual() {
        let (mut plan, id) = one(None);
        let mut now = FIRST;
        for failures in 1..=20 {
            assert_eq!(plan.due_exports(now, 1).len(), 1);
            plan.exported(&id, now, false);
            let pause = RETRY * failures.min(MOST_RETRY);
            assert!(plan.due_exports(now + pause - Duration::from_secs(1), 1).is_empty(), "after {failures} failures");
            now += pause + DAY / 10;
        }
    }

    #[test]
    fn a_change_is_exported_once_it_is_quiet() {
        let (mut plan, id) = one(Some(Duration::ZERO));
        let at = |seconds: u64| Duration::from_secs(seconds);
        plan.looked(&id, at(0), marks(&["a"]));
        assert!(plan.due_exports(at(120), 1).is_empty(), "what was there before is no change");
        plan.looked(&id, at(600), marks(&["a", "b"]));
        assert_eq!(plan.due_looks(at(630), 1).len(), 1, "looks again before long");
        plan.looked(&id, at(630), marks(&["b", "c"]));
        assert!(plan.due_exports(at(680), 1).is_empty(), "more came");
        plan.looked(&id, at(660), marks(&["b", "c"]));
        assert_eq!(plan.due_exports(at(690), 1), [(id.clone(), "change")]);
        plan.exported(&id, at(700), true);
        plan.looked(&id, at(1300), marks(&[]));
        plan.looked(&id, at(1900), None);
        assert!(plan.due_exports(at(3_000), 1).is_empty(), "a restart of the router, or silence, is no change");
    }

    #[test]
    fn only_so_many_go_at_once_and_the_others_keep_their_place() {
        let mut plan = Plan::new(DAY);
        for _ in 0..50 {
            plan.add(DeviceId::random(), Duration::ZERO, None, FIRST);
        }
        assert_eq!(plan.due_exports(FIRST, AT_ONCE).len(), AT_ONCE);
        assert_eq!(plan.due_exports(FIRST, 100).len(), 50 - AT_ONCE);
    }
}
