//! When entries of `/system/scheduler` are due.
//!
//! | entry | runs |
//! |---|---|
//! | `start-time=startup interval=T` | T after boot, or T after it was made or changed; then every T; monotonic |
//! | `start-time=startup interval=0s` | 3 s after each boot |
//! | a start in the future | at it, then on the grid start + k*interval |
//! | a start in the past, `interval=T` | at the next point of the grid |
//! | a start in the past, `interval=0s` | never: it has no `next-run` |
//!
//! Whether `startup` is monotonic inside is not documented; [`World::startup_follows_wall`] has it the other way.

use crate::base::clock::Wall;
use crate::sim::device_mode;
use crate::sim::generate::jitter;
use crate::sim::live;
use crate::sim::row::Row;
use crate::sim::value;
use crate::sim::world::World;
use chrono::Datelike;
use std::collections::BTreeMap;
use std::time::Duration;

pub(in crate::sim) const SCHEDULER: &str = "/system/scheduler";
/// An entry that runs once per boot does so this long after it.
const AFTER_BOOT: Duration = Duration::from_secs(3);
const DAY_MS: i64 = 86_400_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Due {
    Never,
    Mono(Duration),
    Wall(i64),
}

/// One entry's clockwork.
#[derive(Debug)]
pub(in crate::sim) struct Timer {
    /// What it was made of; made anew when that changes.
    made_of: MadeOf,
    due: Due,
}

/// Clockworks by the number of their entry.
pub(in crate::sim) type Timers = BTreeMap<u32, Timer>;

/// The attributes of an entry that say when, and whether it runs at all.
#[derive(Debug, PartialEq, Eq)]
struct MadeOf {
    times: [String; 4],
    runs: bool,
}

fn made_of(row: &Row, active: bool) -> MadeOf {
    let times = ["start-date", "start-time", "interval", "days"].map(|name| row.get(name).unwrap_or_default().to_string());
    MadeOf { times, runs: active && !row.is("disabled") }
}

/// Winds up the clockworks of entries that are new or changed.
pub(in crate::sim) fn sync(world: &mut World) {
    let active = device_mode::allows(world, "scheduler");
    let timers = std::mem::take(&mut world.timers);
    let rows = &world.table(SCHEDULER).rows;
    let same = rows.len() == timers.len()
        && rows.iter().all(|r| r.id.and_then(|id| timers.get(&id)).is_some_and(|t| t.made_of == made_of(r, active)));
    world.timers = timers;
    if !same {
        wind(world, active, false);
    }
}

/// Winds up all of them anew: the router booted.
pub(in crate::sim) fn booted(world: &mut World) {
    world.timers.clear();
    let active = device_mode::allows(world, "scheduler");
    wind(world, active, true);
}

fn wind(world: &mut World, active: bool, boot: bool) {
    let rows = world.table(SCHEDULER).rows.clone();
    world.timers.retain(|id, _| rows.iter().any(|r| r.id == Some(*id)));
    for row in &rows {
        let Some(id) = row.id else { continue };
        let made_of = made_of(row, active);
        if world.timers.get(&id).is_none_or(|t| t.made_of != made_of) {
            let due = if made_of.runs { first(world, row, boot) } else { Due::Never };
            world.timers.insert(id, Timer { made_of, due });
        }
    }
}

fn first(world: &World, row: &Row, boot: bool) -> Due {
    let every = every(row);
    let from = world.mono();
    match (row.get("start-time") == Some("startup"), every) {
        (true, 0) if boot => Due::Mono(from + AFTER_BOOT),
        (true, 0) => Due::Never,
        (true, ms) if world.startup_follows_wall => Due::Wall(world.wall_at(from) + ms),
        (true, ms) => Due::Mono(from + Duration::from_millis(ms.unsigned_abs())),
        (false, _) => on_the_grid(row, world.wall_at(from)),
    }
}

fn every(row: &Row) -> i64 {
    row.get("interval").and_then(value::time).unwrap_or(0) as i64
}

/// The first run later than `now` by the wall clock.
fn on_the_grid(row: &Row, now: i64) -> Due {
    let text = format!("{} {}", row.get("start-date").unwrap_or_default(), row.get("start-time").unwrap_or_default());
    let Some(start) = live::read_date_time(&text) else { return Due::Never };
    let every = every(row);
    let mut now = now;
    for _ in 0..8 {
        let at = match (start > now, every) {
            (true, _) => start,
            (false, 0) => return Due::Never,
            (false, ms) => start + ((now - start) / ms + 1) * ms,
        };
        if on_a_day(row, at) {
            return Due::Wall(at);
        }
        now = at - at.rem_euclid(DAY_MS) + DAY_MS - 1;
    }
    Due::Never
}

fn on_a_day(row: &Row, at: i64) -> bool {
    let Some(days) = row.get("days").filter(|d| !d.is_empty()) else { return true };
    let day = chrono::DateTime::from_timestamp_millis(at).map(|t| t.weekday().to_string().to_lowercase()).unwrap_or_default();
    days.split(',').any(|d| d.get(..3).is_some_and(|d| d.eq_ignore_ascii_case(&day)))
}

fn moment(world: &World, due: Due) -> Option<Duration> {
    match due {
        Due::Never => None,
        Due::Mono(at) => Some(at),
        Due::Wall(at) => Some(world.moment_of(at)),
    }
}

/// When the next entry runs.
pub(super) fn next(world: &World) -> Option<Duration> {
    world.timers.values().filter_map(|t| moment(world, t.due)).min()
}

/// The entries to run now. Those of the same moment come in no order.
pub(super) fn due(world: &World) -> Vec<u32> {
    let now = world.mono();
    let due = world.timers.iter().filter(|(_, t)| moment(world, t.due).is_some_and(|at| at <= now));
    let mut ids: Vec<u32> = due.map(|(id, _)| *id).collect();
    ids.sort_by_key(|id| jitter(world.seed, &format!("{now:?}{id}"), 1_000_000));
    ids
}

/// An entry runs: when does it run next?
pub(super) fn advance(world: &mut World, row: &Row) {
    let Some(id) = row.id else { return };
    let (every, now) = (every(row), world.now().0);
    let startup = row.get("start-time") == Some("startup");
    if let Some(timer) = world.timers.get_mut(&id) {
        timer.due = match timer.due {
            Due::Mono(at) if every > 0 => Due::Mono(at + Duration::from_millis(every.unsigned_abs())),
            Due::Wall(at) if startup && every > 0 => Due::Wall(at + ((now - at).max(0) / every + 1) * every),
            Due::Wall(at) if !startup => on_the_grid(row, now.max(at)),
            _ => Due::Never,
        };
    }
}

/// The wall clock was stepped. Going back, entries are due again at the first point of their grid; going forward, what was passed over
/// runs once.
pub(super) fn stepped(world: &mut World, back: bool) {
    if !back {
        return;
    }
    let now = world.now().0;
    let rows = world.table(SCHEDULER).rows.clone();
    for row in rows.iter().filter(|r| r.get("start-time") != Some("startup")) {
        if let Some(timer) = row.id.and_then(|id| world.timers.get_mut(&id))
            && timer.made_of.runs
        {
            timer.due = on_the_grid(row, now);
        }
    }
}

/// The entries with `next-run`.
pub(in crate::sim) fn shown(world: &mut World) -> Vec<Row> {
    sync(world);
    let mut rows = world.table(SCHEDULER).rows.clone();
    for row in &mut rows {
        let at = row.id.and_then(|id| world.timers.get(&id)).and_then(|t| match t.due {
            Due::Never => None,
            Due::Mono(at) => Some(world.wall_at(at)),
            Due::Wall(at) => Some(at),
        });
        if let Some(at) = at {
            row.put("next-run", live::date_time(Wall(at)));
        }
    }
    rows
}
