//! Routers: how they are asked, watched, remembered and changed.

use crate::base::span::Span;
use serde::Deserialize;

/// Talking to routers.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Routeros {
    /// A REST request ends after.
    pub rest_timeout_seconds: Span,
    /// A connection must stand after.
    pub connect_timeout_seconds: Span,
    /// Requests in flight to one device.
    pub max_concurrent_per_device: usize,
    /// Retries of reads and of steps proven idempotent.
    pub retry_attempts: u32,
    /// Wait before the first retry; doubles.
    pub retry_backoff_seconds: Span,
    /// Requests a second to one device; need not be whole.
    pub requests_per_second: f64,
    /// SSH port of devices that name none.
    pub ssh_port: u16,
    /// Our password on each router is changed when it is so old; 0 is never.
    pub rotate_credentials_days: u32,
    /// How routers prove who they are.
    pub verify_tls: VerifyTls,
}

/// How routers prove who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VerifyTls {
    /// By the fingerprint we pinned.
    Pin,
    /// By a certificate authority.
    Ca,
    /// Not at all.
    Off,
}

/// Regular health checks.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HealthCheck {
    /// Whether there are any.
    pub enabled: bool,
    /// How often.
    pub interval_seconds: Span,
    /// Spread over so long.
    pub jitter_seconds: Span,
    /// CPU load that is a warning.
    pub cpu_warning_percent: u8,
    /// CPU load that is critical.
    pub cpu_critical_percent: u8,
    /// Memory in use that is a warning.
    pub memory_warning_percent: u8,
    /// Memory in use that is critical.
    pub memory_critical_percent: u8,
    /// Storage in use that is a warning.
    pub disk_warning_percent: u8,
    /// Storage in use that is critical.
    pub disk_critical_percent: u8,
    /// Heat of the hottest sensor that is a warning.
    pub temperature_warning_celsius: i16,
    /// Heat of the hottest sensor that is critical.
    pub temperature_critical_celsius: i16,
    /// Supply below this is a warning.
    pub voltage_warning_volts: u8,
    /// Supply below this is critical.
    pub voltage_critical_volts: u8,
    /// Unanswered looks within an hour that are a warning.
    pub loss_warning_percent: u8,
    /// Unanswered looks within an hour that are critical.
    pub loss_critical_percent: u8,
    /// Clock away from ours that is a warning.
    pub clock_warning_seconds: u32,
    /// Clock away from ours that is critical.
    pub clock_critical_seconds: u32,
    /// Links lost within an hour that are a warning.
    pub link_downs_warning: u32,
    /// Links lost within an hour that are critical.
    pub link_downs_critical: u32,
    /// Bad blocks of flash that are a warning.
    pub bad_blocks_warning_percent: u8,
    /// Bad blocks of flash that are critical.
    pub bad_blocks_critical_percent: u8,
}

/// History of devices' configurations.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    /// Whether it is kept.
    pub enabled: bool,
    /// How often.
    pub interval_seconds: Span,
    /// How many of each device.
    pub keep: u32,
}

/// How long records are kept, in days.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    /// Health samples.
    pub health_days: u32,
    /// Audit records.
    pub audit_days: u32,
    /// Finished plans.
    pub plan_days: u32,
    /// Finished jobs.
    pub job_days: u32,
}

/// Safe change.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// How long an approval holds.
    pub approval_timeout_seconds: Span,
    /// How long a router waits for `confirm` before it undoes a plan by itself.
    pub confirm_timeout: Span,
    /// The same for plans that confirm themselves.
    pub guard_timeout: Span,
    /// Whether a lone operator may approve own plans in lab.
    pub self_approval: SelfApproval,
    /// Whether extreme edits can be planned at all.
    pub allow_extreme: bool,
    /// Devices in one plan.
    pub max_devices: usize,
    /// Devices changed side by side.
    pub batch_size: usize,
    /// Pause between batches.
    pub batch_pause_seconds: Span,
}

/// Whether authors may approve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SelfApproval {
    /// Never.
    Off,
    /// In environment lab.
    Lab,
}
