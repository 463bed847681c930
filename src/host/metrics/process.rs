//! This process and its build, as every Prometheus client tells them. What the system does not tell is left out.
//!
//! Source: <https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics>, proc(5)

use super::page::family;
use super::table::{self, Metric};
use rustix::time::{ClockId, clock_gettime};
use std::fs;

/// Whether it is one of those below.
pub(super) fn is_of_process(metric: &Metric) -> bool {
    metric.name.starts_with("process_") || metric.name == table::BUILD.name
}

pub(super) fn write(text: &mut String) {
    let target = format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS);
    let build = format!("{{version=\"{}\",target=\"{target}\"}}", env!("CARGO_PKG_VERSION"));
    family(text, &table::BUILD, &[(build, 1.0)]);
    for (metric, value) in [
        (&table::PROCESS_CPU, cpu_seconds()),
        (&table::PROCESS_MEMORY, resident_bytes()),
        (&table::PROCESS_FILES, fs::read_dir("/proc/self/fd").ok().map(|open| open.count() as f64)),
        (&table::PROCESS_FILES_MAX, max_files()),
        (&table::PROCESS_START, started()),
    ] {
        if let Some(value) = value {
            family(text, metric, &[(String::new(), value)]);
        }
    }
}

fn cpu_seconds() -> Option<f64> {
    let spent = clock_gettime(ClockId::ProcessCPUTime);
    Some(spent.tv_sec as f64 + spent.tv_nsec as f64 / 1e9)
}

/// `VmRSS:      8120 kB`
fn resident_bytes() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024.0)
}

/// `Max open files            1024                 524288               files`; without a limit there is nothing to tell.
fn max_files() -> Option<f64> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    limits.lines().find_map(|line| line.strip_prefix("Max open files"))?.split_whitespace().next()?.parse().ok()
}

/// Field 22 of stat, in ticks since the boot. The name in field 2 may hold anything, so it is counted from its end.
fn started() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    let ticks: f64 = stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()?;
    let boot: f64 = fs::read_to_string("/proc/stat").ok()?.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()?;
    Some(boot + ticks / rustix::param::clock_ticks_per_second() as f64)
}
