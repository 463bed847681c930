//! `system.get_health`: how a router is and how it has been.

use crate::base::clock::Wall;
use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::history::events::{Event, events};
use crate::history::health::{HealthStatus, Sample, Thresholds, judge, judge_after, starts};
use crate::history::sensors::Sensor;
use crate::tools::context::Cx;
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) const TOOL: Tool = Tool {
    name: "system.get_health",
    title: "Health",
    about: "Status, score from 0 to 100 with reasons, sensors, restarts and outages, and the trend of load, memory, heat and reachability of one router over the last hours.",
    toolset: "system",
    tier: Tier::Free,
    effect: Effect::Reads,
    audience: Audience::Model,
    timeout: Span::secs(30),
    paths: &["/system/resource", "/system/health", "/system/clock", "/interface", "/log"],
    untrusted: &[],
    input: schema::input::<Args>,
    output: schema::output::<Answer>,
    run: run!(run),
};

/// Points in a trend: enough to see a shape, few enough to read.
const TREND_POINTS: i64 = 24;

/// Events told; a router that restarts all day says so by its newest.
const MOST_EVENTS: usize = 10;

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// Id or name.
    #[schemars(length(min = 1))]
    device: String,
    /// How far back, 24 unless set.
    #[schemars(range(min = 1, max = 720))]
    hours: Option<u32>,
}

#[derive(Serialize, JsonSchema)]
struct Answer {
    status: HealthStatus,
    score: u8,
    reasons: Vec<String>,
    /// From where on a value counts: (warning, critical).
    thresholds: Thresholds,
    /// Read now; empty where the router has none.
    sensors: Vec<Sensor>,
    /// Restarts and outages, newest first, at most 10.
    events: Vec<Event>,
    events_total: u64,
    trend: Vec<Point>,
}

#[derive(Serialize, JsonSchema)]
struct Point {
    /// Start of the interval.
    at: String,
    samples: u32,
    reachable_percent: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    cpu_percent: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    memory_percent: Option<u8>,
    /// Hottest moment of the hottest sensor.
    #[serde(skip_serializing_if = "Option::is_none")]
    celsius: Option<i16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    restarts: Option<u32>,
    lowest_score: u8,
}

async fn run(cx: &Cx, args: Args) -> Result<Answer, Fault> {
    let device = cx.router(&args.device)?.device;
    let limits = *cx.world.settings.health.get();
    let look = cx.look(&device).await?;
    let verdict = judge_after(&cx.world.history.last_hour(&device.id), &look.sample, &limits);
    let hours = i64::from(args.hours.unwrap_or(24));
    let since = Wall(cx.world.clock.wall().0 - hours * 3_600_000);
    let samples = cx.world.history.since(&device.id, since)?;
    let trend = trend(&samples, since, hours * 3_600_000 / TREND_POINTS, &limits);
    let mut events = events(&samples, look.start_reason);
    let events_total = events.len() as u64;
    events.truncate(MOST_EVENTS);
    Ok(Answer {
        status: verdict.status,
        score: verdict.score,
        reasons: verdict.reasons,
        thresholds: limits,
        sensors: look.sensors,
        events,
        events_total,
        trend,
    })
}

/// Averages over equal intervals; intervals without a sample are left out.
fn trend(samples: &[Sample], since: Wall, interval_ms: i64, limits: &Thresholds) -> Vec<Point> {
    let mut points = Vec::new();
    let (mut rest, mut last) = (samples, None);
    while let Some(first) = rest.first() {
        let slot = (first.at.0 - since.0).div_euclid(interval_ms);
        let len = rest.iter().take_while(|s| (s.at.0 - since.0).div_euclid(interval_ms) == slot).count().max(1);
        let (here, later) = rest.split_at(len);
        rest = later;
        let average = |pick: fn(&Sample) -> Option<u8>| {
            let values: Vec<u32> = here.iter().filter_map(pick).map(u32::from).collect();
            (!values.is_empty()).then(|| (values.iter().sum::<u32>() / values.len() as u32) as u8)
        };
        let restarted = starts(last.iter().chain(here)).count() as u32;
        last = here.iter().rev().find(|s| s.uptime_seconds.is_some()).copied().or(last);
        points.push(Point {
            at: Wall(since.0 + slot * interval_ms).rfc3339(),
            samples: here.len() as u32,
            reachable_percent: (here.iter().filter(|s| s.reachable).count() * 100 / here.len()) as u8,
            cpu_percent: average(|s| s.cpu_percent),
            memory_percent: average(|s| s.memory_percent),
            celsius: here.iter().filter_map(|s| s.celsius).max(),
            restarts: Some(restarted).filter(|count| *count > 0),
            lowest_score: here.iter().map(|s| judge(s, limits).score).min().unwrap_or(0),
        });
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trend_averages_each_interval_and_leaves_out_the_empty_ones() {
        let at = |ms: i64, cpu: u8| Sample { reachable: true, cpu_percent: Some(cpu), ..Sample::silent(Wall(ms)) };
        let samples = [at(0, 10), at(50, 30), Sample::silent(Wall(60)), at(350, 80)];
        let points = trend(&samples, Wall(0), 100, &Thresholds::default());
        assert_eq!(points.len(), 2);
        assert_eq!((points[0].samples, points[0].cpu_percent, points[0].reachable_percent), (3, Some(20), 66));
        assert_eq!((points[0].lowest_score, points[1].lowest_score), (0, 85));
    }

    #[test]
    fn a_trend_shows_heat_and_restarts_where_they_were() {
        let at = |minute: i64, uptime: u64, celsius: i16| Sample {
            reachable: true,
            uptime_seconds: Some(uptime),
            celsius: Some(celsius),
            ..Sample::silent(Wall(minute * 60_000))
        };
        let samples = [at(0, 9_000, 40), at(1, 9_060, 55), at(2, 20, 41), at(3, 80, 42)];
        let points = trend(&samples, Wall(0), 120_000, &Thresholds::default());
        let told: Vec<(Option<i16>, Option<u32>)> = points.iter().map(|point| (point.celsius, point.restarts)).collect();
        assert_eq!(told, [(Some(55), None), (Some(42), Some(1))]);
    }
}
