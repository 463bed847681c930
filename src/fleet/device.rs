//! A device: our record of one router.
//!
//! The record (what operators said, what the probe found, what we trust) is stored whole and at once. How the router
//! is doing right now changes often and is a small record of its own (`status.rs`), so that a health poll never
//! races with an operator's edit.

use crate::base::clock::Wall;
use crate::base::ids::DeviceId;
use crate::base::selector::Traits;
use crate::base::tier::Environment;
use crate::store::Record;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::str::FromStr;

/// One router as we know it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Device {
    /// Ours, for good.
    pub id: DeviceId,
    /// The operator's name; unique without regard to case.
    pub name: String,
    /// Host name or IP address, without brackets.
    pub address: String,
    /// Port of REST.
    pub rest_port: u16,
    /// Port of SSH.
    pub ssh_port: u16,
    /// REST without TLS: reads only.
    pub plain_http: bool,
    /// Who we are on the router.
    pub username: String,
    /// Where it belongs; must be the appliance's own.
    pub environment: Environment,
    /// `(key, value)` pairs, each key once.
    pub tags: Vec<(String, String)>,
    /// What operators allow us to do to it beyond reading.
    pub capabilities: BTreeSet<Capability>,
    /// What it must present.
    pub pins: Pins,
    /// What the last probe found.
    pub facts: Facts,
    /// When it was added.
    pub added_at: Wall,
    /// When its record last changed.
    pub updated_at: Wall,
    /// How it is doing; kept apart from this record.
    #[serde(skip)]
    pub status: Status,
    /// When it last answered; exact to a few seconds.
    #[serde(skip)]
    pub last_seen: Option<Wall>,
    /// Why the last request failed, when it did.
    #[serde(skip)]
    pub last_error: Option<String>,
}

impl Device {
    /// What selectors and policy need to know.
    pub fn traits(&self) -> Traits<'_> {
        Traits { id: self.id.as_str(), name: &self.name, environment: self.environment, tags: &self.tags }
    }
}

impl Record for Device {
    const TABLE: &'static str = "device";
    const VERSION: u8 = 1;
}

#[cfg(test)]
crate::store::golden!(Device);

/// How a router is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Not asked yet, or changed since.
    #[default]
    Unknown,
    /// It answered the last request.
    Reachable,
    /// It did not.
    Unreachable,
    /// It presents another certificate or host key than the pinned one; no credentials are sent until it is pinned again.
    Quarantined,
    /// Retired: kept for the records, never asked again.
    Decommissioned,
}

impl Status {
    /// The word used in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Unknown => "unknown",
            Status::Reachable => "reachable",
            Status::Unreachable => "unreachable",
            Status::Quarantined => "quarantined",
            Status::Decommissioned => "decommissioned",
        }
    }

    /// All of them, for argument checks.
    pub const ALL: [Status; 5] = [Status::Reachable, Status::Unreachable, Status::Quarantined, Status::Unknown, Status::Decommissioned];
}

impl FromStr for Status {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let words = || Self::ALL.map(Self::as_str).join(", ");
        Self::ALL.into_iter().find(|s| s.as_str() == word).ok_or_else(|| format!("`{word}` is not a status: {}", words()))
    }
}

/// What operators allow us to do to a device; nothing is granted unless named. New ones go at the end: records hold
/// the position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Capability {
    /// Basic changes.
    Writes,
    /// Plans.
    Professional,
    /// Plans that touch the firewall.
    Firewall,
    /// Plans that touch routing.
    Routing,
    /// Plans that touch wireless.
    Wireless,
    /// Plans that touch DHCP.
    Dhcp,
    /// Plans that touch bridges and VLANs.
    Bridge,
    /// Bandwidth tests.
    BandwidthTest,
    /// Plans that touch the system itself.
    System,
}

impl Capability {
    /// All of them, in the order of the contract.
    pub const ALL: [Capability; 9] = [
        Capability::Writes,
        Capability::Professional,
        Capability::Firewall,
        Capability::Routing,
        Capability::Wireless,
        Capability::Dhcp,
        Capability::Bridge,
        Capability::BandwidthTest,
        Capability::System,
    ];

    /// The word used in answers and flags.
    pub fn as_str(self) -> &'static str {
        match self {
            Capability::Writes => "writes",
            Capability::Professional => "professional",
            Capability::Firewall => "firewall",
            Capability::Routing => "routing",
            Capability::Wireless => "wireless",
            Capability::Dhcp => "dhcp",
            Capability::Bridge => "bridge",
            Capability::BandwidthTest => "bandwidth_test",
            Capability::System => "system",
        }
    }
}

impl FromStr for Capability {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let words = || Self::ALL.map(Self::as_str).join(", ");
        Self::ALL.into_iter().find(|c| c.as_str() == word).ok_or_else(|| format!("`{word}` is not a capability: {}", words()))
    }
}

/// What a router must present before we send it anything.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Pins {
    /// SHA-256 of its TLS leaf certificate.
    pub tls: Option<[u8; 32]>,
    /// Its SSH host key: `SHA256:` and base64 without padding, as OpenSSH prints it.
    pub ssh: Option<String>,
}

/// What a probe found; absent means the router did not say.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Facts {
    /// `/system/identity`.
    pub identity: Option<String>,
    /// `7.20.5 (stable)`.
    pub version: Option<String>,
    /// `hAP ax^2`.
    pub board: Option<String>,
    /// `arm64`.
    pub architecture: Option<String>,
    /// Of the board; a virtual router has none.
    pub serial: Option<String>,
    /// RouterBOOT that runs now.
    pub firmware: Option<String>,
    /// Packages that are installed and enabled, with their versions.
    pub packages: Vec<Package>,
    /// `home`, `basic`, `advanced`, `rose`; absent where the router has no such menu (nothing is restricted there).
    pub device_mode: Option<String>,
    /// RouterOS found traces of tampering at boot: a security incident.
    pub flagged: bool,
    /// What can be done there.
    pub can: Can,
    /// How REST over TLS is set up.
    pub www_ssl: Option<WwwSsl>,
    /// What our user's group grants; absent when we may not read it.
    pub policies: Option<Vec<String>>,
    /// Questions that failed, each with the reason.
    pub unanswered: Vec<String>,
    /// When it was probed.
    pub probed_at: Wall,
}

/// One installed package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
    /// `routeros`, `wifi-qcom`.
    pub name: String,
    /// `7.20.5`.
    pub version: String,
}

/// What can be done on a router, as probed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Can {
    /// The scheduler: device-mode allows it and the device is not flagged.
    pub schedule: bool,
    /// Background jobs (`/execute`).
    pub execute: bool,
    /// `/tool/fetch`.
    pub fetch: bool,
    /// SSH lets us in and runs commands for us, with the pinned host key.
    pub ssh: bool,
    /// Which wireless menus it has.
    pub wifi: Wifi,
    /// The `/safe-mode` menu (7.18 and later).
    pub safe_mode: bool,
}

/// Which wireless menus a router has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wifi {
    /// `/interface/wifi`.
    Wifi,
    /// `/interface/wireless`.
    Wireless,
    /// Neither.
    #[default]
    None,
}

impl Wifi {
    /// `wifi`, `wireless` or `none`.
    pub fn as_str(self) -> &'static str {
        match self {
            Wifi::Wifi => "wifi",
            Wifi::Wireless => "wireless",
            Wifi::None => "none",
        }
    }
}

/// The `www-ssl` service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WwwSsl {
    /// Whether it is on.
    pub enabled: bool,
    /// Where it listens.
    pub port: u16,
    /// The certificate's name there, or `none`.
    pub certificate: String,
    /// Client addresses it is limited to; empty means all.
    pub address: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_back() {
        for capability in Capability::ALL {
            assert_eq!(capability.as_str().parse(), Ok(capability));
            assert_eq!(serde_json::to_value(capability).unwrap(), capability.as_str());
        }
        for status in Status::ALL {
            assert_eq!(status.as_str().parse(), Ok(status));
            assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
        }
        assert!("write".parse::<Capability>().is_err());
    }
}
