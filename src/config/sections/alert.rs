//! Alerts: which are told, when, and where.

use crate::alert::kind::{Kind, Rule};
use crate::base::secret::Secret;
use crate::base::span::Span;
use serde::Deserialize;
use std::path::PathBuf;
use std::time::Duration;

/// Alerts.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alert {
    /// Where they are posted as JSON.
    pub webhook_url: Option<Secret>,
    /// What signs them.
    pub webhook_secret: Option<Secret>,
    /// Where they are written as lines.
    pub syslog: Option<String>,
    /// Trust roots of a private authority, beside the system's.
    pub ca_file: Option<PathBuf>,
    /// Which are told.
    pub kinds: Vec<Kind>,
    /// A certificate that ends within so many days is told.
    pub certificate_days: u32,
    /// Less room than this is told, percent.
    pub disk_free_percent: u64,
    /// So many times a caller's busiest hour is unusual.
    pub unusual_factor: f64,
    /// How long `plan_waiting` must last.
    pub plan_waiting_for: Span,
    /// How long `plan_waiting` is not told again.
    pub plan_waiting_cooldown: Span,
    /// How long `device_down` must last.
    pub device_down_for: Span,
    /// How long `device_down` is not told again.
    pub device_down_cooldown: Span,
    /// How long `guard_fired` is not told again.
    pub guard_fired_cooldown: Span,
    /// How long `plan_attention` must last.
    pub plan_attention_for: Span,
    /// How long `plan_attention` is not told again.
    pub plan_attention_cooldown: Span,
    /// How long `update_available` must last.
    pub update_available_for: Span,
    /// How long `update_available` is not told again.
    pub update_available_cooldown: Span,
    /// How long `certificate_expiring` must last.
    pub certificate_expiring_for: Span,
    /// How long `certificate_expiring` is not told again.
    pub certificate_expiring_cooldown: Span,
    /// How long `backup_failed` must last.
    pub backup_failed_for: Span,
    /// How long `backup_failed` is not told again.
    pub backup_failed_cooldown: Span,
    /// How long `disk_low` must last.
    pub disk_low_for: Span,
    /// How long `disk_low` is not told again.
    pub disk_low_cooldown: Span,
    /// How long `unusual_use` must last.
    pub unusual_use_for: Span,
    /// How long `unusual_use` is not told again.
    pub unusual_use_cooldown: Span,
}

impl Alert {
    /// When a kind is told.
    pub fn rule(&self, kind: Kind) -> Rule {
        let (hold, cooldown) = match kind {
            Kind::PlanWaiting => (self.plan_waiting_for.0, self.plan_waiting_cooldown.0),
            Kind::DeviceDown => (self.device_down_for.0, self.device_down_cooldown.0),
            Kind::GuardFired => (Duration::ZERO, self.guard_fired_cooldown.0),
            Kind::PlanAttention => (self.plan_attention_for.0, self.plan_attention_cooldown.0),
            Kind::UpdateAvailable => (self.update_available_for.0, self.update_available_cooldown.0),
            Kind::CertificateExpiring => (self.certificate_expiring_for.0, self.certificate_expiring_cooldown.0),
            Kind::BackupFailed => (self.backup_failed_for.0, self.backup_failed_cooldown.0),
            Kind::DiskLow => (self.disk_low_for.0, self.disk_low_cooldown.0),
            Kind::UnusualUse => (self.unusual_use_for.0, self.unusual_use_cooldown.0),
        };
        Rule { hold, cooldown }
    }
}
