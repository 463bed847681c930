//! One look at a router: its vitals by one request, and what changes slowly now and then.
//!
//! A routine look is one request; every fifth reads the sensors too, and another fifth the clock and the links: three
//! requests at most. Whether the clock is synchronized is asked about once an hour. In between the last reading stands. A
//! thorough look, for somebody who asks, reads the sensors and, in turn, the links or the clock, again within three requests.

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

/// Whether the router's clock is synchronized is asked again after so long, and sooner where it was not.
const NTP_EVERY: Duration = Duration::from_secs(3_600);
const NTP_AGAIN: Duration = Duration::from_secs(600);

/// A router needs so long after its start to find its time servers, seconds.
const NTP_SETTLES_SECONDS: u64 = 600;

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
    /// Absent within: its client is off, or it has none.
    ntp: Option<(Duration, Option<bool>)>,
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
    ntp: bool,
    why: bool,
}

impl Noted {
    fn wants(&self, depth: Depth, now: Duration, started: Option<i64>, uptime: Option<u64>) -> Wanted {
        let sensors = self.sensorless == 0;
        let ntp = self.ntp_is_due(now, uptime);
        match depth {
            Depth::Routine => {
                let turn = self.looks % EVERY;
                Wanted { sensors: sensors && turn == 0, clock: turn == 2, links: turn == 2, ntp: ntp && turn == 4, why: false }
            }
            Depth::Thorough => {
                let new = !self.knows_start(started);
                let why = new && started.is_some() && uptime.is_some_and(|up| up < ASK_WHY_SECONDS);
                let room = 2 - usize::from(sensors) - usize::from(why);
                let at = |noted: Option<Duration>| noted.unwrap_or(Duration::ZERO);
                // Now the links, now the clock; and of the clock now what it shows, now whether it is synchronized.
                let time = at(self.clock.map(|c| c.0)).max(at(self.ntp.map(|n| n.0))) <= at(self.links.map(|l| l.0));
                let ntp = ntp && self.clock.is_some();
                let of_time = room > 0 && (time || room > 1);
                Wanted { sensors, why, clock: of_time && !ntp, ntp: of_time && ntp, links: room > 0 && (!time || room > 1) }
            }
        }
    }

    fn ntp_is_due(&self, now: Duration, uptime: Option<u64>) -> bool {
        let pause = |synchronized| if synchronized == Some(false) { NTP_AGAIN } else { NTP_EVERY };
        let waited = self.ntp.is_none_or(|(at, synchronized)| now.saturating_sub(at) >= pause(synchronized));
        waited && uptime.is_none_or(|up| up >= NTP_SETTLES_SECONDS)
    }

    /// Takes in what a router says of its sensors, and answers them.
    fn take_sensors(&mut self, answer: Result<Arc<Vec<Row>>, Kind>, now: Duration) -> Vec<Sensor> {
        match answer {
            Ok(rows) => {
                let found = sensors::sensors(&rows);
                let heat = Heat {
                    celsius: sensors::hottest(&found),
                    decivolts: sensors::supply(&found),
                    failed_parts: sensors::failed_parts(&found),
                };
                self.heat = Some((now, heat));
                self.sensorless = if found.is_empty() { SENSORLESS } else { 0 };
                found
            }
            Err(kind) => {
                if kind == Kind::NotFound {
                    self.sensorless = SENSORLESS;
                }
                Vec::new()
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
        let wanted = noted.wants(depth, clock.mono(), sample.started(), sample.uptime_seconds);
        let sensors = self.more(fleet, clock, &device, wanted, &mut noted, &sample).await;
        let now = clock.mono();
        let stands = |at: Duration| now.saturating_sub(at) <= STANDS;
        if let Some((_, heat)) = noted.heat.filter(|(at, _)| stands(*at)) {
            (sample.celsius, sample.decivolts, sample.failed_parts) = (heat.celsius, heat.decivolts, heat.failed_parts);
        }
        sample.clock_offset_seconds = noted.clock.filter(|(at, _)| stands(*at)).map(|(_, offset)| offset);
        // The next reading is due an hour after it, and comes some looks later.
        sample.ntp_synchronized =
            noted.ntp.filter(|(at, _)| now.saturating_sub(*at) <= STANDS * 2).and_then(|(_, synchronized)| synchronized);
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
        let (heat, time, links, ntp, log) = tokio::join!(
            read(wanted.sensors, "/system/health", Query::new()),
            read(wanted.clock, "/system/clock", Query::new()),
            read(wanted.links, "/interface", Query::new().columns(["link-downs"])),
            read(wanted.ntp, "/system/ntp/client", Query::new()),
            read(wanted.why, "/log", Query::new().columns(["topics", "message"])),
        );
        let now = clock.mono();
        let found = heat.map(|answer| noted.take_sensors(answer, now)).unwrap_or_default();
        let ours = clock.wall().0.div_euclid(1_000);
        if let Some(Ok(rows)) = time {
            noted.clock = sensors::clock_offset(&rows, ours).filter(|_| ours > OURS_UNSET).map(|offset| (now, offset));
        }
        if let Some(Ok(rows)) = links {
            noted.links = sensors::link_downs(&rows).map(|downs| (now, downs));
        }
        match ntp {
            Some(Ok(rows)) => noted.ntp = Some((now, sensors::ntp_synchronized(&rows))),
            Some(Err(Kind::NotFound)) => noted.ntp = Some((now, None)),
            Some(Err(_)) | None => {}
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
        1 + [wanted.sensors, wanted.clock, wanted.links, wanted.ntp, wanted.why].into_iter().filter(|wish| *wish).count()
    }

    const NONE: Wanted = Wanted { sensors: false, clock: false, links: false, ntp: false, why: false };
    /// Long up, and long after the appliance's start.
    const NOW: Duration = Duration::from_secs(100_000);

    #[test]
    fn routine_reads_everything_within_five_looks_at_less_than_two_requests_each() {
        let mut noted = Noted { ntp: Some((NOW, Some(true))), ..Noted::default() };
        let (mut sum, mut all) = (0, NONE);
        for _ in 0..EVERY {
            let wanted = noted.wants(Depth::Routine, NOW, Some(5), Some(5_000));
            assert!(requests(wanted) <= 3);
            sum += requests(wanted);
            all = Wanted {
                sensors: all.sensors | wanted.sensors,
                clock: all.clock | wanted.clock,
                links: all.links | wanted.links,
                ntp: all.ntp | wanted.ntp,
                why: all.why | wanted.why,
            };
            noted.looks += 1;
        }
        assert_eq!((sum, all), (8, Wanted { sensors: true, clock: true, links: true, ..NONE }));
    }

    #[test]
    fn synchronization_is_asked_about_once_an_hour_sooner_where_it_lacks_and_not_after_a_start() {
        let asked = |ntp, now: u64, up| {
            let noted = Noted { looks: 4, ntp, ..Noted::default() };
            noted.wants(Depth::Routine, Duration::from_secs(now), Some(5), Some(up)) == Wanted { ntp: true, ..NONE }
        };
        let at = |seconds| Duration::from_secs(seconds);
        assert!(asked(None, 0, 5_000) && !asked(None, 0, 300));
        assert!(!asked(Some((at(50), Some(true))), 3_649, 5_000) && asked(Some((at(50), Some(true))), 3_650, 5_000));
        assert!(!asked(Some((at(50), Some(false))), 649, 5_000) && asked(Some((at(50), Some(false))), 650, 5_000));
        assert!(!asked(Some((at(50), None)), 3_649, 5_000), "a client that is off");
    }

    #[test]
    fn a_thorough_look_costs_three_requests_and_takes_turns() {
        let mut noted = Noted { start: Some((5, None)), ..Noted::default() };
        let look = |noted: &Noted| noted.wants(Depth::Thorough, NOW, Some(5), Some(5_000));
        let at = |seconds: u64| NOW - Duration::from_secs(100 - seconds);
        let first = look(&noted);
        assert_eq!(first, Wanted { sensors: true, clock: true, ..NONE });
        noted.clock = Some((at(9), 0));
        assert_eq!(look(&noted), Wanted { sensors: true, links: true, ..NONE });
        noted.links = Some((at(10), 0));
        assert_eq!(look(&noted), Wanted { sensors: true, ntp: true, ..NONE });
        noted.ntp = Some((at(11), Some(true)));
        assert_eq!(look(&noted), Wanted { sensors: true, links: true, ..NONE });
        noted.links = Some((at(12), 0));
        assert_eq!(look(&noted), first);
        let restarted = noted.wants(Depth::Thorough, NOW, Some(500), Some(50));
        assert_eq!(restarted, Wanted { sensors: true, why: true, ..NONE });
        assert!(!noted.wants(Depth::Thorough, NOW, Some(500), Some(ASK_WHY_SECONDS)).why, "its log has turned over");
        noted.sensorless = 3;
        assert_eq!(look(&noted), Wanted { clock: true, links: true, ..NONE });
        assert_eq!(requests(restarted).max(requests(first)), 3);
    }
}
