//! From readings of a router's vitals to a status, a score from 0 to 100 and the reasons for it.
//!
//! Pure: samples and thresholds in, verdict out. Reasons never repeat what a router's users wrote.

pub use crate::history::sample::{Sample, part};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a device is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HealthStatus {
    /// Nothing to do.
    Healthy,
    /// Something to look at.
    Warning,
    /// Something to mend now.
    Critical,
    /// No answer.
    Unreachable,
}

/// Where a value starts to matter: (warning, critical).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct Thresholds {
    /// Processor load, percent.
    pub cpu_percent: (u8, u8),
    /// Memory in use, percent.
    pub memory_percent: (u8, u8),
    /// Storage in use, percent.
    pub disk_percent: (u8, u8),
    /// Hottest sensor, degrees Celsius.
    pub celsius: (i16, i16),
    /// Supply below so many volts; 0 is never.
    pub low_volts: (u8, u8),
    /// Looks without an answer within the last hour, percent.
    pub loss_percent: (u8, u8),
    /// Clock away from ours, seconds.
    pub clock_seconds: (u32, u32),
    /// Links lost within the last hour.
    pub link_downs: (u32, u32),
    /// Blocks of flash that failed, percent.
    pub bad_blocks_percent: (u8, u8),
}

impl Default for Thresholds {
    fn default() -> Self {
        Thresholds {
            cpu_percent: (75, 90),
            memory_percent: (80, 92),
            disk_percent: (85, 95),
            celsius: (70, 85),
            low_volts: (10, 8),
            loss_percent: (10, 50),
            clock_seconds: (120, 2_592_000),
            link_downs: (4, 20),
            bad_blocks_percent: (1, 5),
        }
    }
}

impl HealthStatus {
    /// `healthy`, `warning`, `critical` or `unreachable`.
    pub fn as_str(self) -> &'static str {
        match self {
            HealthStatus::Healthy => "healthy",
            HealthStatus::Warning => "warning",
            HealthStatus::Critical => "critical",
            HealthStatus::Unreachable => "unreachable",
        }
    }
}

/// What a sample says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The worst finding.
    pub status: HealthStatus,
    /// 100 is well, 0 is gone.
    pub score: u8,
    /// Each finding in words, worst first.
    pub reasons: Vec<String>,
}

/// A router that came up less than this long ago says why it may look odd.
const JUST_STARTED_SECONDS: u64 = 600;

/// A start moves by more than this, or it is the same one: uptime is told in whole seconds, and answers take time.
pub const SAME_START_SECONDS: i64 = 30;

/// What counts as "the last hour" where samples before are judged too.
pub const RECENT_MS: i64 = 3_600_000;

/// So few looks say nothing about loss.
const FEW_LOOKS: usize = 3;

/// Supply that fell so far below what it was within the hour is a warning, percent.
const SAG_PERCENT: u16 = 15;

/// So many starts within the hour are a warning.
const MANY_STARTS: usize = 2;

/// How much a finding takes off the score.
const CRITICAL: u8 = 40;
const WARNING: u8 = 15;
const NOTICE: u8 = 10;

/// Judges one sample by itself.
pub fn judge(sample: &Sample, limits: &Thresholds) -> Verdict {
    judge_after(&[], sample, limits)
}

/// Judges a sample by itself and against the samples of the hour before it, oldest first.
pub fn judge_after(before: &[Sample], sample: &Sample, limits: &Thresholds) -> Verdict {
    if !sample.reachable {
        return Verdict { status: HealthStatus::Unreachable, score: 0, reasons: vec!["the router does not answer".into()] };
    }
    let mut findings = Findings::default();
    findings.levels(sample, limits);
    findings.sensors(sample, limits);
    let hour: Vec<&Sample> = before.iter().filter(|old| (0..RECENT_MS).contains(&(sample.at.0 - old.at.0))).chain([sample]).collect();
    findings.hour(&hour, sample, limits);
    findings.verdict()
}

#[derive(Default)]
struct Findings(Vec<(u8, String)>);

impl Findings {
    fn add(&mut self, weight: u8, said: String) {
        self.0.push((weight, said));
    }

    /// A value that is bad when it is high.
    fn high(&mut self, name: &str, unit: &str, value: Option<i64>, (warn, crit): (i64, i64)) {
        let Some(value) = value else { return };
        if value >= crit {
            self.add(CRITICAL, format!("{name} is at {value}{unit} (critical from {crit}{unit})"));
        } else if value >= warn {
            self.add(WARNING, format!("{name} is at {value}{unit} (warning from {warn}{unit})"));
        }
    }

    fn levels(&mut self, sample: &Sample, limits: &Thresholds) {
        let wide = |(a, b): (u8, u8)| (i64::from(a), i64::from(b));
        self.high("CPU load", " %", sample.cpu_percent.map(i64::from), wide(limits.cpu_percent));
        self.high("memory in use", " %", sample.memory_percent.map(i64::from), wide(limits.memory_percent));
        self.high("storage in use", " %", sample.disk_percent.map(i64::from), wide(limits.disk_percent));
        let worn = sample.bad_blocks_percent.map(i64::from);
        self.high("flash with bad blocks", " %", worn, wide(limits.bad_blocks_percent));
        if let Some(up) = sample.uptime_seconds.filter(|up| *up < JUST_STARTED_SECONDS) {
            self.add(NOTICE, format!("the router started {up} s ago"));
        }
        // By itself a notice: a clock that really goes wrong is told below.
        if sample.ntp_synchronized == Some(false) {
            self.add(NOTICE, "the router's NTP client is on and not synchronized; ntp.get_status shows its servers".into());
        }
        if let Some(away) = sample.clock_offset_seconds {
            let direction = if away < 0 { "behind" } else { "ahead of" };
            let (warn, crit) = (i64::from(limits.clock_seconds.0), i64::from(limits.clock_seconds.1));
            let away = away.saturating_abs();
            if away >= crit {
                self.add(CRITICAL, format!("the router's clock is {} {direction} ours (critical from {crit} s)", long(away)));
            } else if away >= warn {
                self.add(WARNING, format!("the router's clock is {} {direction} ours (warning from {warn} s)", long(away)));
            }
        }
    }

    fn sensors(&mut self, sample: &Sample, limits: &Thresholds) {
        let heat = (i64::from(limits.celsius.0), i64::from(limits.celsius.1));
        self.high("temperature", " C", sample.celsius.map(i64::from), heat);
        if let Some(tenths) = sample.decivolts {
            let volts = format!("{}.{} V", tenths / 10, tenths % 10);
            let (warn, crit) = limits.low_volts;
            if tenths < u16::from(crit) * 10 {
                self.add(CRITICAL, format!("supply voltage is at {volts} (critical below {crit} V)"));
            } else if tenths < u16::from(warn) * 10 {
                self.add(WARNING, format!("supply voltage is at {volts} (warning below {warn} V)"));
            }
        }
        let failed = sample.failed_parts.unwrap_or(0);
        for bit in (0..8).filter(|bit| failed & 1 << bit != 0) {
            self.add(WARNING, format!("{} reports a fault", part(bit)));
        }
    }

    /// What only several samples show; `hour` ends with `sample`.
    fn hour(&mut self, hour: &[&Sample], sample: &Sample, limits: &Thresholds) {
        let lost = hour.iter().filter(|one| !one.reachable).count();
        let percent = lost * 100 / hour.len().max(1);
        // Made only where it is told: a page judges thousands of samples.
        let words = || format!("{lost} of {} looks within the last hour had no answer", hour.len());
        if hour.len() > FEW_LOOKS && percent >= usize::from(limits.loss_percent.1) {
            self.add(CRITICAL, words());
        } else if hour.len() > FEW_LOOKS && percent >= usize::from(limits.loss_percent.0) {
            self.add(WARNING, words());
        }
        // Links come and go while a router starts.
        let running = hour.iter().filter(|one| one.uptime_seconds.is_none_or(|up| up >= JUST_STARTED_SECONDS));
        let downs = growth(running.filter_map(|one| one.link_downs));
        let said = || format!("interfaces lost their link {downs} times within the last hour; interface.list shows which");
        if downs >= limits.link_downs.1 {
            self.add(CRITICAL, said());
        } else if downs >= limits.link_downs.0 {
            self.add(WARNING, said());
        }
        let starts = starts(hour.iter().copied()).count();
        if starts >= MANY_STARTS {
            self.add(WARNING, format!("the router started {starts} times within the last hour"));
        }
        let best = hour.iter().filter_map(|one| one.decivolts).max();
        if let (Some(best), Some(now)) = (best, sample.decivolts)
            && u32::from(now) * 100 < u32::from(best) * u32::from(100 - SAG_PERCENT)
        {
            self.add(WARNING, format!("supply voltage fell from {} V to {} V within the last hour", best / 10, now / 10));
        }
    }

    fn verdict(mut self) -> Verdict {
        self.0.sort_by_key(|finding| std::cmp::Reverse(finding.0));
        let worst = self.0.first().map_or(0, |finding| finding.0);
        let lost: u32 = self.0.iter().map(|finding| u32::from(finding.0)).sum();
        Verdict {
            status: match worst {
                CRITICAL.. => HealthStatus::Critical,
                WARNING.. => HealthStatus::Warning,
                _ => HealthStatus::Healthy,
            },
            score: 100_u32.saturating_sub(lost).max(1) as u8,
            reasons: self.0.into_iter().map(|finding| finding.1).collect(),
        }
    }
}

/// How far a counter rose in all; a restart sets it back, and what came before is not known then.
fn growth(counts: impl Iterator<Item = u32>) -> u32 {
    let mut before = None;
    counts.fold(0_u32, |sum, now| {
        let risen = before.map_or(0, |before| now.saturating_sub(before));
        before = Some(now);
        sum.saturating_add(risen)
    })
}

/// Each sample that shows another start than the ones before it.
pub fn starts<'a>(samples: impl Iterator<Item = &'a Sample>) -> impl Iterator<Item = &'a Sample> {
    let mut before: Option<(i64, u64)> = None;
    samples.filter(move |sample| {
        let (Some(started), Some(uptime)) = (sample.started(), sample.uptime_seconds) else { return false };
        // Our clock may step; a router that restarted has also been up for less than before.
        let again = before.is_some_and(|(start, up)| started - start > SAME_START_SECONDS && uptime < up + SAME_START_SECONDS as u64);
        before = Some((started, uptime));
        again
    })
}

/// `3 h`, `90 s`: a length of time for people.
fn long(seconds: i64) -> String {
    match seconds {
        172_800.. => format!("{} days", seconds / 86_400),
        7_200.. => format!("{} h", seconds / 3_600),
        600.. => format!("{} min", seconds / 60),
        _ => format!("{seconds} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::Wall;

    fn well() -> Sample {
        Sample {
            reachable: true,
            cpu_percent: Some(5),
            memory_percent: Some(40),
            disk_percent: Some(30),
            bad_blocks_percent: Some(0),
            celsius: Some(45),
            decivolts: Some(239),
            failed_parts: Some(0),
            clock_offset_seconds: Some(1),
            ntp_synchronized: Some(true),
            link_downs: Some(3),
            uptime_seconds: Some(90_000),
            ..Sample::silent(Wall(RECENT_MS * 100))
        }
    }

    fn verdict(sample: Sample) -> Verdict {
        judge(&sample, &Thresholds::default())
    }

    /// Samples a minute apart that end at `well()`'s moment.
    fn hour(count: i64, each: impl Fn(i64, Sample) -> Sample) -> (Vec<Sample>, Sample) {
        let at = |n: i64| {
            let ago = (count - 1 - n) * 60;
            let sample = Sample { at: Wall(well().at.0 - ago * 1_000), uptime_seconds: Some((90_000 - ago) as u64), ..well() };
            each(n, sample)
        };
        let mut all: Vec<Sample> = (0..count).map(at).collect();
        let last = all.pop().unwrap();
        (all, last)
    }

    #[test]
    fn a_well_router_scores_100_without_reasons() {
        assert_eq!(verdict(well()), Verdict { status: HealthStatus::Healthy, score: 100, reasons: vec![] });
        let (before, now) = hour(50, |_, sample| sample);
        assert_eq!(judge_after(&before, &now, &Thresholds::default()).score, 100);
    }

    #[test]
    fn the_worst_finding_decides_and_each_is_named() {
        let verdict = verdict(Sample { cpu_percent: Some(95), memory_percent: Some(85), ..well() });
        assert_eq!(verdict.status, HealthStatus::Critical);
        assert_eq!(verdict.score, 45);
        assert!(verdict.reasons[0].starts_with("CPU load is at 95 %"));
        assert_eq!(verdict.reasons.len(), 2);
    }

    #[test]
    fn a_clock_without_its_servers_is_a_notice_and_one_that_is_off_a_warning() {
        let lost = verdict(Sample { ntp_synchronized: Some(false), ..well() });
        assert_eq!((lost.status, lost.score, lost.reasons.len()), (HealthStatus::Healthy, 90, 1));
        assert!(lost.reasons[0].contains("not synchronized"));
        let off = verdict(Sample { ntp_synchronized: Some(false), clock_offset_seconds: Some(-400), ..well() });
        assert_eq!((off.status, off.score, off.reasons.len()), (HealthStatus::Warning, 75, 2));
        assert!(off.reasons[0].contains("400 s behind ours"), "{:?}", off.reasons);
        assert_eq!(verdict(Sample { ntp_synchronized: None, ..well() }).score, 100, "no client, no finding");
    }

    #[test]
    fn a_missing_sensor_is_no_finding_and_a_silent_router_is_unreachable() {
        let bare = Sample { reachable: true, ..Sample::silent(Wall(0)) };
        assert_eq!(verdict(bare).score, 100);
        assert_eq!(verdict(Sample::silent(Wall(0))).status, HealthStatus::Unreachable);
    }

    #[test]
    fn a_fresh_start_is_said_but_is_no_warning() {
        let verdict = verdict(Sample { uptime_seconds: Some(30), ..well() });
        assert_eq!((verdict.status, verdict.score), (HealthStatus::Healthy, 90));
    }

    #[test]
    fn each_vital_has_its_own_reason_at_its_own_limit() {
        use HealthStatus::{Critical, Healthy, Warning};
        let cases: [(Sample, HealthStatus, &str); 13] = [
            (Sample { disk_percent: Some(96), ..well() }, Critical, "storage in use"),
            (Sample { celsius: Some(70), ..well() }, Warning, "temperature is at 70 C"),
            (Sample { celsius: Some(-20), ..well() }, Healthy, ""),
            (Sample { celsius: Some(85), ..well() }, Critical, "temperature"),
            (Sample { decivolts: Some(99), ..well() }, Warning, "supply voltage is at 9.9 V"),
            (Sample { decivolts: Some(79), ..well() }, Critical, "supply voltage is at 7.9 V"),
            (Sample { failed_parts: Some(0b10), ..well() }, Warning, "power supply 2 reports a fault"),
            (Sample { failed_parts: Some(0b1_0000), ..well() }, Warning, "fan 1 reports a fault"),
            (Sample { clock_offset_seconds: Some(-300), ..well() }, Warning, "clock is 300 s behind ours"),
            (Sample { clock_offset_seconds: Some(1_700_000_000), ..well() }, Critical, "days ahead of ours"),
            (Sample { bad_blocks_percent: Some(1), ..well() }, Warning, "bad blocks"),
            (Sample { bad_blocks_percent: Some(5), ..well() }, Critical, "bad blocks"),
            (Sample { clock_offset_seconds: Some(i64::MIN), ..well() }, Critical, "clock"),
        ];
        for (sample, status, reason) in cases {
            let verdict = verdict(sample);
            assert_eq!(verdict.status, status, "{reason}: {verdict:?}");
            assert!(reason.is_empty() || verdict.reasons[0].contains(reason), "{reason}: {verdict:?}");
        }
    }

    #[test]
    fn lost_answers_flapping_links_restarts_and_a_sagging_supply_show_in_the_hour() {
        let judged = |(before, now): (Vec<Sample>, Sample)| judge_after(&before, &now, &Thresholds::default());
        let lost = judged(hour(20, |n, sample| if n % 5 == 0 { Sample::silent(sample.at) } else { sample }));
        assert_eq!(lost.status, HealthStatus::Warning);
        assert!(lost.reasons[0].contains("4 of 20 looks"), "{lost:?}");
        let half = judged(hour(20, |n, sample| if n % 2 == 0 { Sample::silent(sample.at) } else { sample }));
        assert_eq!(half.status, HealthStatus::Critical);
        let flapping = judged(hour(10, |n, sample| Sample { link_downs: Some(n as u32), ..sample }));
        assert!(flapping.reasons[0].contains("lost their link 9 times"), "{flapping:?}");
        let steady = judged(hour(10, |_, sample| Sample { link_downs: Some(5_000), ..sample }));
        assert_eq!(steady.score, 100, "what was long ago is no news");
        let restarts = judged(hour(30, |n, sample| Sample { uptime_seconds: Some((n as u64 % 12) * 60 + 700), ..sample }));
        assert!(restarts.reasons[0].contains("started 2 times"), "{restarts:?}");
        let sag = judged(hour(10, |n, sample| Sample { decivolts: Some(if n < 9 { 240 } else { 190 }), ..sample }));
        assert!(sag.reasons[0].contains("fell from 24 V to 19 V"), "{sag:?}");
        let long_ago = judged(hour(200, |n, sample| if n < 100 { Sample::silent(sample.at) } else { sample }));
        assert_eq!(long_ago.score, 100, "an outage of hours ago is over");
    }

    #[test]
    fn a_counter_that_starts_anew_has_not_risen() {
        assert_eq!(growth([5, 7, 7, 2, 3].into_iter()), 3);
        assert_eq!(growth([9].into_iter()), 0);
    }
}
