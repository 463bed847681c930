//! What happens, in numbers for Prometheus.
//!
//! Each appliance has a [`Meter`] of its own, handed down with the other parts: two of them in one process (tests, a
//! demonstration) do not count each other's doings, as the global recorder of the `metrics` macros would. A count takes half
//! a microsecond, a call of a tool with its times one and a half; counting never blocks on I/O and cannot fail.
//!
//! Gauges of devices and of the process are not kept but read when somebody asks ([`Page`]); so they are never stale, and those
//! of a device that is gone are gone with it. Counters of such a device stay in memory until the process ends, and are not shown.
//!
//! Source: <https://prometheus.io/docs/instrumenting/exposition_formats/>

mod count;
mod page;
mod process;
mod table;

pub use page::{Page, Vitals};
pub use table::{DEVICE_ID, Kind, METRICS, Metric};

use metrics::{Counter, Gauge, Histogram, Key, Label, Level, Metadata, Recorder, SharedString};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusRecorder};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Between two clearings of the histograms' buffers: they grow with each value until then.
pub const UPKEEP: Duration = Duration::from_secs(5);

static METADATA: Metadata<'static> = Metadata::new("routeros_mcp", Level::INFO, None);

/// Counts; clones count together.
#[derive(Clone)]
pub struct Meter(Option<Arc<Inner>>);

struct Inner {
    recorder: PrometheusRecorder,
    device_labels: bool,
    /// Sessions over byte streams.
    piped: Arc<AtomicUsize>,
}

impl Default for Meter {
    /// One that counts, with labels of devices.
    fn default() -> Self {
        Meter::new(true)
    }
}

impl fmt::Debug for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Meter" } else { "Meter(off)" })
    }
}

impl Meter {
    /// One that counts. Without `device_labels` the counters of all devices are one.
    pub fn new(device_labels: bool) -> Meter {
        let histograms = METRICS.iter().filter(|metric| metric.kind == Kind::Histogram);
        let builder = histograms.fold(PrometheusBuilder::new(), |builder, metric| {
            let buckets = builder.set_buckets_for_metric(Matcher::Full(metric.name.into()), metric.buckets);
            buckets.expect("a test sees that each histogram has buckets")
        });
        let meter = Meter(Some(Arc::new(Inner { recorder: builder.build_recorder(), device_labels, piped: Arc::default() })));
        meter.begin();
        meter
    }

    /// One that counts nothing.
    pub fn off() -> Meter {
        Meter(None)
    }

    /// Whether it counts.
    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Whether devices are told apart.
    pub fn has_device_labels(&self) -> bool {
        self.0.as_ref().is_some_and(|inner| inner.device_labels)
    }

    /// Clears the histograms' buffers; call it every [`UPKEEP`].
    pub fn upkeep(&self) {
        if let Some(inner) = &self.0 {
            inner.recorder.handle().run_upkeep();
        }
    }

    /// Describes every metric, and puts those at zero whose labels are known.
    fn begin(&self) {
        let Some(inner) = &self.0 else { return };
        for metric in METRICS.iter().filter(|metric| !page::is_written(metric)) {
            let name = metrics::KeyName::from(metric.name);
            let series: Vec<Vec<SharedString>> = match metric.labels.is_empty() {
                true => vec![Vec::new()],
                false => metric.seeds.iter().map(|seed| vec![SharedString::from(*seed)]).collect(),
            };
            match metric.kind {
                Kind::Counter => {
                    inner.recorder.describe_counter(name, None, metric.help.into());
                    series.into_iter().for_each(|values| drop(self.counter(metric, values)));
                }
                Kind::Gauge => {
                    inner.recorder.describe_gauge(name, None, metric.help.into());
                    series.into_iter().for_each(|values| drop(self.gauge(metric, values)));
                }
                Kind::Histogram => {
                    inner.recorder.describe_histogram(name, None, metric.help.into());
                    series.into_iter().for_each(|values| drop(self.histogram(metric, values)));
                }
            }
        }
    }

    fn counter(&self, metric: &Metric, values: impl IntoIterator<Item = SharedString>) -> Counter {
        self.0.as_ref().map_or_else(Counter::noop, |inner| inner.recorder.register_counter(&inner.key(metric, values), &METADATA))
    }

    fn gauge(&self, metric: &Metric, values: impl IntoIterator<Item = SharedString>) -> Gauge {
        self.0.as_ref().map_or_else(Gauge::noop, |inner| inner.recorder.register_gauge(&inner.key(metric, values), &METADATA))
    }

    fn histogram(&self, metric: &Metric, values: impl IntoIterator<Item = SharedString>) -> Histogram {
        self.0.as_ref().map_or_else(Histogram::noop, |inner| inner.recorder.register_histogram(&inner.key(metric, values), &METADATA))
    }

    /// What the recorder holds, as text.
    fn recorded(&self) -> String {
        self.0.as_ref().map_or_else(String::new, |inner| inner.recorder.handle().render())
    }
}

impl Inner {
    fn key(&self, metric: &Metric, values: impl IntoIterator<Item = SharedString>) -> Key {
        let labels = metric.labels.iter().zip(values).filter(|(label, _)| self.device_labels || **label != DEVICE_ID);
        let labels: Vec<Label> = labels.map(|(label, value)| Label::new(*label, value)).collect();
        Key::from_parts(metric.name, labels)
    }
}

/// A session over a byte stream, until it is dropped.
pub struct Piped(Arc<AtomicUsize>);

impl Drop for Piped {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// One more of something, until it is dropped.
pub struct Up(Gauge);

impl Up {
    fn new(gauge: Gauge) -> Up {
        gauge.increment(1.0);
        Up(gauge)
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}

#[cfg(test)]
mod tests;
