//! From one reading of a router's vitals to a status, a score from 0 to 100 and the reasons for it.
//!
//! Pure: thresholds in, verdict out.

use crate::base::clock::Wall;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One look at a router.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// When.
    pub at: Wall,
    /// Whether it answered; the rest is absent when it did not.
    pub reachable: bool,
    /// Processor load, percent.
    pub cpu_percent: Option<u8>,
    /// Memory in use, percent.
    pub memory_percent: Option<u8>,
    /// Storage in use, percent.
    pub disk_percent: Option<u8>,
    /// Hottest sensor, degrees Celsius.
    pub celsius: Option<i16>,
    /// Since its last start, seconds.
    pub uptime_seconds: Option<u64>,
    /// How long it took to answer, milliseconds.
    pub answer_ms: Option<u32>,
}

impl Sample {
    /// A router that did not answer.
    pub fn silent(at: Wall) -> Self {
        Sample {
            at,
            reachable: false,
            cpu_percent: None,
            memory_percent: None,
            disk_percent: None,
            celsius: None,
            uptime_seconds: None,
            answer_ms: None,
        }
    }
}

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
}

impl Default for Thresholds {
    fn default() -> Self {
        Thresholds { cpu_percent: (75, 90), memory_percent: (80, 92), disk_percent: (85, 95), celsius: (70, 85) }
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

/// Judges one sample.
pub fn judge(sample: &Sample, limits: &Thresholds) -> Verdict {
    if !sample.reachable {
        return Verdict { status: HealthStatus::Unreachable, score: 0, reasons: vec!["the router does not answer".into()] };
    }
    let mut findings: Vec<(u8, String)> = Vec::new();
    let mut weigh = |name: &str, unit: &str, value: Option<i64>, (warn, crit): (i64, i64)| {
        let Some(value) = value else { return };
        if value >= crit {
            findings.push((40, format!("{name} is at {value}{unit} (critical from {crit}{unit})")));
        } else if value >= warn {
            findings.push((15, format!("{name} is at {value}{unit} (warning from {warn}{unit})")));
        }
    };
    let wide = |(a, b): (u8, u8)| (i64::from(a), i64::from(b));
    weigh("CPU load", " %", sample.cpu_percent.map(i64::from), wide(limits.cpu_percent));
    weigh("memory in use", " %", sample.memory_percent.map(i64::from), wide(limits.memory_percent));
    weigh("storage in use", " %", sample.disk_percent.map(i64::from), wide(limits.disk_percent));
    weigh("temperature", " C", sample.celsius.map(i64::from), (i64::from(limits.celsius.0), i64::from(limits.celsius.1)));
    if let Some(up) = sample.uptime_seconds.filter(|up| *up < JUST_STARTED_SECONDS) {
        findings.push((10, format!("the router started {up} s ago")));
    }
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.0));
    let worst = findings.first().map_or(0, |finding| finding.0);
    let lost: u32 = findings.iter().map(|finding| u32::from(finding.0)).sum();
    Verdict {
        status: match worst {
            40.. => HealthStatus::Critical,
            15.. => HealthStatus::Warning,
            _ => HealthStatus::Healthy,
        },
        score: 100_u32.saturating_sub(lost).max(1) as u8,
        reasons: findings.into_iter().map(|finding| finding.1).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn well() -> Sample {
        Sample {
            reachable: true,
            cpu_percent: Some(5),
            memory_percent: Some(40),
            disk_percent: Some(30),
            celsius: Some(45),
            uptime_seconds: Some(90_000),
            ..Sample::silent(Wall(0))
        }
    }

    #[test]
    fn a_well_router_scores_100_without_reasons() {
        assert_eq!(judge(&well(), &Thresholds::default()), Verdict { status: HealthStatus::Healthy, score: 100, reasons: vec![] });
    }

    #[test]
    fn the_worst_finding_decides_and_each_is_named() {
        let sample = Sample { cpu_percent: Some(95), memory_percent: Some(85), ..well() };
        let verdict = judge(&sample, &Thresholds::default());
        assert_eq!(verdict.status, HealthStatus::Critical);
        assert_eq!(verdict.score, 45);
        assert!(verdict.reasons[0].starts_with("CPU load is at 95 %"));
        assert_eq!(verdict.reasons.len(), 2);
    }

    #[test]
    fn a_missing_sensor_is_no_finding_and_a_silent_router_is_unreachable() {
        let sample = Sample { celsius: None, disk_percent: None, ..well() };
        assert_eq!(judge(&sample, &Thresholds::default()).score, 100);
        assert_eq!(judge(&Sample::silent(Wall(0)), &Thresholds::default()).status, HealthStatus::Unreachable);
    }

    #[test]
    fn a_fresh_start_is_said_but_is_no_warning() {
        let verdict = judge(&Sample { uptime_seconds: Some(30), ..well() }, &Thresholds::default());
        assert_eq!((verdict.status, verdict.score), (HealthStatus::Healthy, 90));
    }
}
