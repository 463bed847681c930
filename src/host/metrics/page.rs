//! The text that Prometheus fetches: what was counted, and what is read at this moment.

use super::table::{self, DEVICE_ID, METRICS, Metric};
use super::{Meter, process};
use std::collections::HashSet;
use std::fmt::Write;
use std::sync::atomic::Ordering;

/// How one router is, as far as it is known.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Vitals {
    /// Its id.
    pub device: String,
    /// Whether it answered when it was last asked.
    pub reachable: Option<bool>,
    /// 0 to 100.
    pub score: Option<u8>,
    /// Processor load, 0 to 1.
    pub cpu: Option<f64>,
    /// Memory in use, 0 to 1.
    pub memory: Option<f64>,
    /// Since its start, seconds.
    pub uptime: Option<u64>,
}

/// What is read at the moment somebody asks.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// The devices that are ours; others' counters are not shown.
    pub devices: Vec<Vitals>,
    /// Open sessions over HTTP.
    pub sessions: usize,
    /// Subscriptions to resources.
    pub subscriptions: usize,
}

/// Written here, and not held by the recorder.
pub(super) fn is_written(metric: &Metric) -> bool {
    let names = [
        &table::SESSIONS,
        &table::SUBSCRIPTIONS,
        &table::REACHABLE,
        &table::HEALTH_SCORE,
        &table::CPU_LOAD,
        &table::MEMORY_USED,
        &table::UPTIME,
    ];
    names.iter().any(|written| written.name == metric.name) || process::is_of_process(metric)
}

/// How the values of all devices become one, where they are not told apart: the worst of them.
type Worst = fn(f64, f64) -> f64;
/// What of a device one metric tells.
type Of = fn(&Vitals) -> Option<f64>;

impl Meter {
    /// The whole text. Reads /proc: some tens of microseconds.
    pub fn page(&self, now: &Page) -> String {
        let mut text = String::with_capacity(16 * 1024);
        let ours: HashSet<&str> = now.devices.iter().map(|vitals| vitals.device.as_str()).collect();
        for line in self.recorded().lines() {
            let is_kept = device_of(line).is_none_or(|id| ours.contains(id));
            if is_kept && !line.is_empty() {
                text.push_str(line);
                text.push('\n');
            }
        }
        if let Some(inner) = &self.0 {
            let sessions = now.sessions + inner.piped.load(Ordering::Relaxed);
            family(&mut text, &table::SESSIONS, &[(String::new(), sessions as f64)]);
            family(&mut text, &table::SUBSCRIPTIONS, &[(String::new(), now.subscriptions as f64)]);
        }
        self.vitals(&mut text, now);
        process::write(&mut text);
        if self.is_on() {
            unheard(&mut text);
        }
        text
    }

    fn vitals(&self, text: &mut String, now: &Page) {
        let gauges: [(&Metric, Worst, Of); 5] = [
            (&table::REACHABLE, f64::min, |v| v.reachable.map(|is| f64::from(u8::from(is)))),
            (&table::HEALTH_SCORE, f64::min, |v| v.score.map(f64::from)),
            (&table::CPU_LOAD, f64::max, |v| v.cpu),
            (&table::MEMORY_USED, f64::max, |v| v.memory),
            (&table::UPTIME, f64::min, |v| v.uptime.map(|seconds| seconds as f64)),
        ];
        for (metric, worst, of) in gauges {
            let values = now.devices.iter().filter_map(|vitals| Some((vitals.device.as_str(), of(vitals)?)));
            if self.has_device_labels() {
                let series: Vec<(String, f64)> = values.map(|(id, value)| (format!("{{{DEVICE_ID}=\"{id}\"}}"), value)).collect();
                family(text, metric, &series);
            } else if let Some(value) = values.map(|(_, value)| value).reduce(worst) {
                family(text, metric, &[(String::new(), value)]);
            }
        }
    }
}

/// The device a line is about. Ids are ours and hold nothing that would be escaped.
fn device_of(line: &str) -> Option<&str> {
    if line.starts_with('#') {
        return None;
    }
    let (_, rest) = line.split_once("device_id=\"")?;
    rest.split_once('"').map(|(id, _)| id)
}

/// Adds what is not there for want of a series: `# HELP` and `# TYPE` alone. The exporter leaves such a metric out, and nobody could tell
/// one that has not counted yet from one that there is not.
fn unheard(text: &mut String) {
    let told: HashSet<String> =
        text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).map(str::to_owned).collect();
    for metric in METRICS.iter().filter(|metric| !told.contains(metric.name)) {
        announce(text, metric);
    }
}

/// What a metric is called, counts and is.
fn announce(text: &mut String, metric: &Metric) {
    // Writing to a string does not fail.
    let _ = writeln!(text, "# HELP {} {}\n# TYPE {} {}", metric.name, metric.help, metric.name, metric.kind.as_str());
}

/// One metric with its series: labels in braces, or nothing, and the value.
pub(super) fn family(text: &mut String, metric: &Metric, series: &[(String, f64)]) {
    if series.is_empty() {
        return;
    }
    announce(text, metric);
    for (labels, value) in series {
        let _ = writeln!(text, "{}{labels} {value}", metric.name);
    }
}
