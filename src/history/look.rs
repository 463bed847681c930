//! One look at a router: its vitals by one request, and what changes slowly now and then.
//!
//! A routine look is one request; every fifth reads the sensors too, and another fifth the clock and the links: three
//! requests at most. In between the last reading stands. A thorough look, for somebody who asks, reads the sensors and
//! whatever else was looked at longest ago, again within three requests.

use crate::base::clock::Clock;
use crate::base::fault::{Fault, Kind};
use crate::base::ids::DeviceId;
use crate::fleet::{self, Device, Fleet, Read};
use crate::history::health::{SAME_START_SECONDS, Sample};
use crate::history::sensors::{self, Sensor};
use crate::history::series::History;
use crate::routeros::{MenuPath, Query, Row};
use std::sync::Arc;
use std::time::Duration;

/// Every so many looks of routine read the sensors, and another time the clock and the links.
const EVERY: u32 = 5;

/// A router without sensors is asked for them again after so many looks: it may have got a new RouterOS.
const SENSORLESS: u32 = 12 * EVERY;

/// An older reading no longer stands for the present.
const STANDS: Duration = Duration::from_secs(3_600);

/// Somebody else's answer of so long ago will do.
const FRESH: Duration = Duration::from_secs(5);

/// Why a router started is asked while it has been up for less; its log turns over.
const ASK_WHY_SECONDS: u64 = 86_400;

/// Our clock has not been set when it shows an earlier second: 2024.
const OURS_UNSET: i64 = 1_704_067_200;

/// How much is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// On schedule.
    Routine,
    /// For somebody who asks.
    Thorough,
}

/// What was seen.
#[derive(Debug, Clone)]
pub struct Look {
    /// The vitals, as they are kept.
    pub sample: Sample,
    /// The sensors, where they were read this time.
    pub sensors: Vec<Sensor>,
    /// Why it started last, where that is known.
    pub start_reason: Option<&'static str>,
    /// How much longer than configured to wait before the next look.
    pub pace_factor: u32,
}

/// What looks at a device leave for later ones.
#[derive(Debug, Clone, Default)]
pub(super) struct Noted {
    looks: u32,
    /// Looks until the sensors of a router without any are asked for again.
    sensorless: u32,
    heat: Option<(Duration, Heat)>,
    clock: Option<(Duration, i64)>,
    links: Option<(Duration, u32)>,
    /// When it started, seconds since 1970, and why.
    start: Option<(i64, Option<&'static str>)>,
}

/// What sensors say, in short.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Heat {
    celsius: Option<i16>,
    decivolts: Option<u16>,
    failed_parts: Option<u8>,
}

/// What a look reads besides the vitals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Wanted {
    sensors: bool,
    clock: bool,
    links: bool,
    why: bool,
}

impl Noted {
    fn wants(&self, depth: Depth, started: Option<i64>, uptime: Option<u64>) -> Wanted {
        let sensors = self.sensorless == 0;
        match depth {
            Depth::Routine => {
                let turn = self.looks % EVERY;
                Wanted { sensors: sensors && turn == 0, clock: turn == 2, links: turn == 2, why: false }
            }
            Depth::Thorough => {
                let new = !self.knows_start(started);
                let why = new && started.is_some() && uptime.is_some_and(|up| up < ASK_WHY_SECONDS);
                let room = 2 - usize::from(sensors) - usize::from(why);
                let at = |noted: Option<Duration>| noted.unwrap_or(Duration::ZERO);
                let clock_first = at(self.clock.map(|c| c.0)) <= at(self.links.map(|l| l.0));
                Wanted { sensors, why, clock: room > 0 && (clock_first || room > 1), links: room > 0 && (!clock_first || room > 1) }
            }
        }
    }

    fn knows_start(&self, started: Option<i64>) -> bool {
        self.start.zip(started).is_some_and(|((known, _), now)| (known - now).abs() <= SAME_START_SECONDS)
    }
}

impl History {
    /// Looks at a router through its lane and keeps what it saw; a router that is away reads as silent.
    ///
    /// Errs when the router answers and refuses us, or is not the one we trust: that is no state of its health.
    pub async fn look(&self, fleet: &Fleet, clock: &Clock, id: &DeviceId, depth: Depth) -> Result<Look, Fault> {
        let device = fleet.get(id)?;
        let vitals = match fleet.poll(id).await {
            Ok(vitals) => vitals,
            Err(fault) if fault.kind == Kind::Unreachable => {
                tracing::debug!(device = id.as_str(), cause = fault.chain(), "no health reading");
                let sample = Sample::silent(clock.wall());
                self.add(id, sample).await?;
                return Ok(Look { sample, sensors: Vec::new(), start_reason: None, pace_factor: 1 });
            }
            Err(fault) => return Err(fault),
        };
        let mut noted = self.noted(id);
        let mut sample = of(&vitals);
        let wanted = noted.wants(depth, sample.started(), sample.uptime_seconds);
        let sensors = self.more(fleet, clock, &device, wanted, &mut noted, &sample).await;
        let now = clock.mono();
        let stands = |at: Duration| now.saturating_sub(at) <= STANDS;
        if let Some((_, heat)) = noted.heat.filter(|(at, _)| stands(*at)) {
            (sample.celsius, sample.decivolts, sample.failed_parts) = (heat.celsius, heat.decivolts, heat.failed_parts);
        }
        sample.clock_offset_seconds = noted.clock.filter(|(at, _)| stands(*at)).map(|(_, offset)| offset);
        sample.link_downs = noted.links.filter(|(at, _)| stands(*at)).map(|(_, downs)| downs);
        let start_reason = if noted.knows_start(sample.started()) { noted.start.and_then(|(_, reason)| reason) } else { None };
        noted.looks = noted.looks.wrapping_add(1);
        noted.sensorless = noted.sensorless.saturating_sub(1);
        self.note(id, noted);
        self.add(id, sample).await?;
        Ok(Look { sample, sensors, start_reason, pace_factor: vitals.pace_factor })
    }

    /// Reads what is wanted side by side. What fails is left as it was: the router answered, and that is what counts.
    async fn more(&self, fleet: &Fleet, clock: &Clock, device: &Device, wanted: Wanted, noted: &mut Noted, sample: &Sample) -> Vec<Sensor> {
        let read = |wish: bool, menu: &'static str, query: Query| async move {
            match wish {
                true => Some(rows(fleet, device, menu, query).await),
                false => None,
            }
        };
        let (heat, time, links, log) = tokio::join!(
            read(wanted.sensors, "/system/health", Query::new()),
            read(wanted.clock, "/system/clock", Query::new()),
            read(wanted.links, "/interface", Query::new().columns(["link-downs"])),
            read(wanted.why, "/log", Query::new().columns(["topics", "message"])),
        );
        let now = clock.mono();
        let mut found = Vec::new();
        match heat {
            Some(Ok(rows)) => {
                found = sensors::sensors(&rows);
                let heat = Heat {
                    celsius: sensors::hottest(&found),
                    decivolts: sensors::supply(&found),
                    failed_parts: sensors::failed_parts(&found),
                };
                noted.heat = Some((now, heat));
                noted.sensorless = if found.is_empty() { SENSORLESS } else { 0 };
            }
            Some(Err(Kind::NotFound)) => noted.sensorless = SENSORLESS,
            Some(Err(_)) | None => {}
        }
        let ours = clock.wall().0.div_euclid(1_000);
        if let Some(Ok(rows)) = time {
            noted.clock = sensors::clock_offset(&rows, ours).filter(|_| ours > OURS_UNSET).map(|offset| (now, offset));
        }
        if let Some(Ok(rows)) = links {
            noted.links = sensors::link_downs(&rows).map(|downs| (now, downs));
        }
        if let (Some(Ok(rows)), Some(started)) = (log, sample.started()) {
            noted.start = Some((started, sensors::start_reason(&rows)));
        }
        found
    }
}

async fn rows(fleet: &Fleet, device: &Device, menu: &str, query: Query) -> Result<Arc<Vec<Row>>, Kind> {
    let asked = async {
        let read = Read { path: MenuPath::parse(menu)?, query, max_age: FRESH };
        fleet.lane(device).read(read).await
    };
    asked.await.map(|answer| answer.rows).map_err(|fault: Fault| {
        tracing::debug!(device = device.id.as_str(), menu, cause = fault.chain(), "not read this time");
        fault.kind
    })
}

/// The vitals as they are kept.
fn of(seen: &fleet::Sample) -> Sample {
    let used = |total: Option<u64>, free: Option<u64>| {
        let (total, free) = (total.filter(|total| *total > 0)?, free?);
        Some((u128::from(total.saturating_sub(free)) * 100 / u128::from(total)) as u8)
    };
    Sample {
        reachable: true,
        cpu_percent: seen.cpu_load,
        memory_percent: used(seen.memory_total, seen.memory_free),
        disk_percent: used(seen.disk_total, seen.disk_free),
        bad_blocks_percent: seen.bad_blocks.map(|percent| percent.clamp(0.0, 100.0).ceil() as u8),
        uptime_seconds: seen.uptime_seconds,
        answer_ms: Some(seen.answer_ms.min(u64::from(u32::MAX)) as u32),
        ..Sample::silent(seen.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requests(wanted: Wanted) -> usize {
        1 + [wanted.sensors, wanted.clock, wanted.links, wanted.why].into_iter().filter(|wish| *wish).count()
    }

    #[test]
    fn routine_reads_everything_within_five_looks_at_less_than_two_requests_each() {
        let mut noted = Noted::default();
        let (mut sum, mut all) = (0, Wanted { sensors: false, clock: false, links: false, why: false });
        for _ in 0..EVERY {
            let wanted = noted.wants(Depth::Routine, Some(5), Some(50));
            assert!(requests(wanted) <= 3);
            sum += requests(wanted);
            all = Wanted {
                sensors: all.sensors | wanted.sensors,
                clock: all.clock | wanted.clock,
                links: all.links | wanted.links,
                why: all.why | wanted.why,
            };
            noted.looks += 1;
        }
        assert_eq!((sum, all), (8, Wanted { sensors: true, clock: true, links: true, why: false }));
    }

    #[test]
    fn a_thorough_look_costs_three_requests_and_takes_turns() {
        let mut noted = Noted { start: Some((5, None)), ..Noted::default() };
        let first = noted.wants(Depth::Thorough, Some(5), Some(50));
        assert_eq!(first, Wanted { sensors: true, clock: true, links: false, why: false });
        noted.clock = Some((Duration::from_secs(9), 0));
        assert_eq!(noted.wants(Depth::Thorough, Some(5), Some(50)), Wanted { clock: false, links: true, ..first });
        let restarted = noted.wants(Depth::Thorough, Some(500), Some(50));
        assert_eq!(restarted, Wanted { sensors: true, clock: false, links: false, why: true });
        assert!(!noted.wants(Depth::Thorough, Some(500), Some(ASK_WHY_SECONDS)).why, "its log has turned over");
        noted.sensorless = 3;
        assert_eq!(noted.wants(Depth::Thorough, Some(5), Some(50)), Wanted { sensors: false, clock: true, links: true, why: false });
        assert_eq!(requests(restarted).max(requests(first)), 3);
    }
}
