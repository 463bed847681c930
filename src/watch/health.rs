//! Looks at every device in turn and keeps what it sees.
//!
//! One task for the whole fleet: each device has its own next moment, spread by its id, so that a thousand devices are a
//! thousand small requests a minute and never a burst. Devices that do not answer are asked less often, and so are those
//! that have been well for long, and those whose governor eases the pace.

use crate::base::ids::DeviceId;
use crate::history::look::Depth;
use crate::tools::world::World;
use crate::watch::turn::{ours, spread};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How often the plan of the next moments is looked at.
const TICK: Duration = Duration::from_secs(1);

/// A silent device is asked at most this many intervals apart.
const MOST_BACKOFF: u32 = 8;

/// After so many answers in a row a device is asked half as often.
const STEADY: u32 = 10;

/// Readings at once, over the whole fleet: gentle to a weak box.
const AT_ONCE: usize = 16;

/// The first readings after a start are spread over so many times the jitter.
const FIRST_SPREAD: u32 = 6;

/// Starts the task; it ends with `stop`, and takes readings under way with it.
pub fn start(world: Arc<World>, every: Duration, jitter: Duration, tasks: &TaskTracker, stop: &CancellationToken) {
    let stop = stop.clone();
    tasks.spawn(async move { stop.run_until_cancelled(watch(world, Plan::new(every, jitter))).await });
}

async fn watch(world: Arc<World>, mut plan: Plan) {
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut readings: JoinSet<(DeviceId, Came)> = JoinSet::new();
    loop {
        tokio::select! {
            Some(done) = readings.join_next() => match done {
                Ok((id, came)) => plan.done(&id, world.clock.mono(), came),
                Err(error) => tracing::error!(%error, "a health reading broke off"),
            },
            _ = tick.tick() => {
                plan.keep(&ours(&world).collect::<Vec<_>>(), world.clock.mono());
                for id in plan.due(world.clock.mono(), AT_ONCE.saturating_sub(readings.len())) {
                    readings.spawn(read(world.clone(), id));
                }
            }
        }
    }
}

/// What came of a reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Came {
    /// An answer; the governor wants so many times the pause.
    Answer(u32),
    /// Silence.
    Silence,
    /// Nothing that tells.
    Unknown,
}

/// One reading into the history.
async fn read(world: Arc<World>, id: DeviceId) -> (DeviceId, Came) {
    let came = match world.look(&id, Depth::Routine).await {
        Ok(look) if look.sample.reachable => Came::Answer(look.pace_factor),
        Ok(_) => Came::Silence,
        Err(fault) => {
            tracing::debug!(device = id.as_str(), cause = fault.chain(), "no health sample this time");
            Came::Unknown
        }
    };
    (id, came)
}

/// Who is looked at when. Moments are of the clock that never jumps.
struct Plan {
    every: Duration,
    jitter: Duration,
    devices: HashMap<DeviceId, Next>,
}

struct Next {
    at: Duration,
    under_way: bool,
    misses: u32,
    answers: u32,
}

impl Plan {
    fn new(every: Duration, jitter: Duration) -> Self {
        Plan { every, jitter, devices: HashMap::new() }
    }

    /// Forgets devices that are gone and takes new ones in, each at a moment of its own.
    fn keep(&mut self, wanted: &[DeviceId], now: Duration) {
        if self.devices.len() != wanted.len() || !wanted.iter().all(|id| self.devices.contains_key(id)) {
            self.devices.retain(|id, _| wanted.contains(id));
        }
        let within = self.every.min(self.jitter.max(TICK) * FIRST_SPREAD);
        for id in wanted {
            let first = || Next { at: now + spread(id, within), under_way: false, misses: 0, answers: 0 };
            self.devices.entry(id.clone()).or_insert_with(first);
        }
    }

    /// At most `room` devices whose moment has come, the longest overdue first; the others keep their place.
    fn due(&mut self, now: Duration, room: usize) -> Vec<DeviceId> {
        let mut due: Vec<(Duration, DeviceId)> =
            self.devices.iter().filter(|(_, next)| !next.under_way && next.at <= now).map(|(id, next)| (next.at, id.clone())).collect();
        due.sort();
        due.truncate(room);
        for (_, id) in &due {
            if let Some(next) = self.devices.get_mut(id) {
                next.under_way = true;
            }
        }
        due.into_iter().map(|(_, id)| id).collect()
    }

    /// Sets the next moment by how this reading ended.
    fn done(&mut self, id: &DeviceId, now: Duration, came: Came) {
        let jitter = spread(id, self.jitter);
        let Some(next) = self.devices.get_mut(id) else { return };
        match came {
            Came::Answer(_) => (next.misses, next.answers) = (0, next.answers.saturating_add(1)),
            Came::Silence => (next.misses, next.answers) = ((next.misses + 1).min(MOST_BACKOFF - 1), 0),
            Came::Unknown => {}
        }
        let times = match came {
            // A strained router is not steady, however regularly it answers; what its governor asks for is granted.
            Came::Answer(factor) if factor > 1 => factor,
            _ if next.answers > STEADY => 2,
            _ => next.misses + 1,
        };
        next.at = now + self.every * times + jitter;
        next.under_way = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERY: Duration = Duration::from_secs(60);
    const JITTER: Duration = Duration::from_secs(10);

    fn ids(count: usize) -> Vec<DeviceId> {
        (0..count).map(|_| DeviceId::random()).collect()
    }

    fn plan(devices: &[DeviceId]) -> Plan {
        let mut plan = Plan::new(EVERY, JITTER);
        plan.keep(devices, Duration::ZERO);
        plan
    }

    /// The pause the plan puts after a reading, in whole intervals.
    fn pause(plan: &mut Plan, id: &DeviceId, now: &mut Duration, came: Came) -> u32 {
        *now += EVERY * (MOST_BACKOFF + 1);
        assert_eq!(plan.due(*now, 1), std::slice::from_ref(id));
        plan.done(id, *now, came);
        let pause = plan.devices[id].at - *now;
        (pause.as_secs() / EVERY.as_secs()) as u32
    }

    #[test]
    fn a_fleet_is_spread_and_no_device_waits_longer_than_its_interval_for_the_first_look() {
        let fleet = ids(500);
        let mut plan = plan(&fleet);
        let burst = plan.due(Duration::from_secs(1), usize::MAX).len();
        assert!(burst < 50, "{burst} at once");
        assert_eq!(burst + plan.due(EVERY, usize::MAX).len(), 500);
    }

    #[test]
    fn a_device_that_finds_no_room_keeps_its_place_before_the_others() {
        let fleet = ids(3);
        let mut plan = plan(&fleet);
        let first = plan.due(EVERY, 1);
        let rest = plan.due(EVERY, 5);
        assert_eq!((first.len(), rest.len()), (1, 2));
        assert!(plan.devices[&first[0]].at <= plan.devices[&rest[0]].at);
    }

    #[test]
    fn a_device_is_never_looked_at_twice_at_once() {
        let fleet = ids(1);
        let mut plan = plan(&fleet);
        assert_eq!(plan.due(EVERY, 5).len(), 1);
        assert!(plan.due(EVERY * 10, 5).is_empty());
        plan.done(&fleet[0], EVERY * 10, Came::Answer(1));
        assert_eq!(plan.due(EVERY * 12, 5).len(), 1);
    }

    #[test]
    fn silence_is_asked_less_and_less_up_to_a_bound_and_an_answer_ends_that() {
        let fleet = ids(1);
        let (mut plan, mut now) = (plan(&fleet), Duration::ZERO);
        let pauses: Vec<u32> = (0..9).map(|_| pause(&mut plan, &fleet[0], &mut now, Came::Silence)).collect();
        assert_eq!(pauses, [2, 3, 4, 5, 6, 7, 8, 8, 8]);
        assert_eq!(pause(&mut plan, &fleet[0], &mut now, Came::Unknown), 8, "not known is no news");
        assert_eq!(pause(&mut plan, &fleet[0], &mut now, Came::Answer(1)), 1);
    }

    #[test]
    fn who_is_long_well_is_asked_half_as_often() {
        let fleet = ids(1);
        let (mut plan, mut now) = (plan(&fleet), Duration::ZERO);
        let pauses: Vec<u32> = (0..12).map(|_| pause(&mut plan, &fleet[0], &mut now, Came::Answer(1))).collect();
        assert_eq!(pauses, [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2]);
    }

    #[test]
    fn a_strained_router_is_asked_no_more_often_than_its_governor_allows() {
        let fleet = ids(1);
        let (mut plan, mut now) = (plan(&fleet), Duration::ZERO);
        let factors = [1, 2, 4, 4, 2, 1];
        let pauses: Vec<u32> = factors.iter().map(|factor| pause(&mut plan, &fleet[0], &mut now, Came::Answer(*factor))).collect();
        assert_eq!(pauses, factors);
        let steady = (0..STEADY).map(|_| pause(&mut plan, &fleet[0], &mut now, Came::Answer(1))).last();
        assert_eq!(steady, Some(2));
        assert_eq!(pause(&mut plan, &fleet[0], &mut now, Came::Answer(4)), 4, "steadiness does not shorten it");
    }

    #[test]
    fn a_device_that_is_gone_is_forgotten_even_while_it_is_looked_at() {
        let fleet = ids(2);
        let mut plan = plan(&fleet);
        plan.due(EVERY, 2);
        plan.keep(&fleet[1..], EVERY);
        plan.done(&fleet[0], EVERY, Came::Answer(1));
        assert_eq!(plan.devices.keys().collect::<Vec<_>>(), [&fleet[1]]);
    }
}
