//! The kinds of alerts: how bad each is, and the words for it.

use serde::{Deserialize, Serialize};
use std::str::FromStr;
use std::time::Duration;

/// What there is to tell. New ones go at the end: records hold the position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A plan waits for somebody's yes.
    PlanWaiting,
    /// A router does not answer, or is not the one it was.
    DeviceDown,
    /// A router took a change back by itself.
    GuardFired,
    /// A router is neither as it was nor as planned.
    PlanAttention,
    /// There is a newer version of this program.
    UpdateAvailable,
    /// The listener's certificate ends soon.
    CertificateExpiring,
    /// The last backup failed.
    BackupFailed,
    /// The disk of the store is nearly full.
    DiskLow,
    /// Somebody writes, or is denied, far more often than ever before.
    UnusualUse,
}

/// How bad it is. Ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know.
    Info,
    /// Somebody should look.
    Warning,
    /// Somebody should look now.
    Critical,
}

impl Severity {
    /// The word used in messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Critical => "critical",
        }
    }
}

/// When an alert is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rule {
    /// It must hold so long first.
    pub hold: Duration,
    /// The same one is not told again sooner.
    pub cooldown: Duration,
}

impl Kind {
    /// All of them, in the order of pages.
    pub const ALL: [Kind; 9] = [
        Kind::PlanWaiting,
        Kind::DeviceDown,
        Kind::GuardFired,
        Kind::PlanAttention,
        Kind::UpdateAvailable,
        Kind::CertificateExpiring,
        Kind::BackupFailed,
        Kind::DiskLow,
        Kind::UnusualUse,
    ];

    /// The word used in messages, settings and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::PlanWaiting => "plan_waiting",
            Kind::DeviceDown => "device_down",
            Kind::GuardFired => "guard_fired",
            Kind::PlanAttention => "plan_attention",
            Kind::UpdateAvailable => "update_available",
            Kind::CertificateExpiring => "certificate_expiring",
            Kind::BackupFailed => "backup_failed",
            Kind::DiskLow => "disk_low",
            Kind::UnusualUse => "unusual_use",
        }
    }

    /// How bad it is while it lasts.
    pub fn severity(self) -> Severity {
        match self {
            Kind::PlanWaiting | Kind::UpdateAvailable => Severity::Info,
            Kind::GuardFired | Kind::CertificateExpiring | Kind::BackupFailed | Kind::UnusualUse => Severity::Warning,
            Kind::DeviceDown | Kind::PlanAttention | Kind::DiskLow => Severity::Critical,
        }
    }

    /// One of them in words, while it lasts.
    pub fn begins(self, name: &str) -> String {
        match self {
            Kind::PlanWaiting => format!("{name} waits for approval"),
            Kind::DeviceDown => format!("{name} is down"),
            Kind::GuardFired => format!("a router took the change of {name} back by itself"),
            Kind::PlanAttention => format!("{name} needs a person"),
            Kind::UpdateAvailable => "a newer version is available".into(),
            Kind::CertificateExpiring => "the certificate ends soon".into(),
            Kind::BackupFailed => "the backup failed".into(),
            Kind::DiskLow => "the disk is nearly full".into(),
            Kind::UnusualUse => format!("{name} does far more than usual"),
        }
    }

    /// One of them in words, when it is over.
    pub fn ends(self, name: &str) -> String {
        match self {
            Kind::PlanWaiting => format!("{name} waits no longer"),
            Kind::DeviceDown => format!("{name} is up again"),
            Kind::GuardFired => format!("the change of {name} was taken back"),
            Kind::PlanAttention => format!("{name} needs nobody any more"),
            Kind::UpdateAvailable => "no newer version waits".into(),
            Kind::CertificateExpiring => "the certificate lasts".into(),
            Kind::BackupFailed => "a backup was made".into(),
            Kind::DiskLow => "there is room on the disk again".into(),
            Kind::UnusualUse => format!("{name} does no more than usual"),
        }
    }

    /// Many of them in words.
    pub fn many(self, count: usize, over: bool) -> String {
        match (self, over) {
            (Kind::PlanWaiting, false) => format!("{count} plans wait for approval"),
            (Kind::PlanWaiting, true) => format!("{count} plans wait no longer"),
            (Kind::DeviceDown, false) => format!("{count} routers are down"),
            (Kind::DeviceDown, true) => format!("{count} routers are up again"),
            (Kind::GuardFired, _) => format!("routers took the changes of {count} plans back by themselves"),
            (Kind::PlanAttention, false) => format!("{count} plans need a person"),
            (Kind::PlanAttention, true) => format!("{count} plans need nobody any more"),
            (Kind::UnusualUse, false) => format!("{count} callers do far more than usual"),
            (Kind::UnusualUse, true) => format!("{count} callers do no more than usual"),
            (kind, false) => format!("{} ({count} times)", kind.begins("")),
            (kind, true) => format!("{} ({count} times)", kind.ends("")),
        }
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let words = || Self::ALL.map(Self::as_str).join(", ");
        Self::ALL.into_iter().find(|kind| kind.as_str() == word).ok_or_else(|| format!("`{word}` is no kind of alert: {}", words()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_word_and_words_for_one_and_many() {
        for kind in Kind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
            assert_ne!(kind.begins("x"), kind.ends("x"));
            assert!(kind.many(500, false).contains("500") && kind.many(500, true).contains("500"), "{kind:?}");
        }
        assert!("fire".parse::<Kind>().unwrap_err().contains("device_down"));
    }
}
