//! `[routeros]` and `[health_check]` of the configuration, and what else a fleet is told at start.

use crate::base::shared::Shared;
use crate::base::tier::Environment;
use crate::host::metrics::Meter;
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// How routers are talked to, `[routeros]` in the config file.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How long one REST answer may take, seconds; 10 unless set. RouterOS itself ends any call at 60 s.
    pub rest_timeout_seconds: u32,
    /// How long connecting and the TLS handshake may take, seconds; 3 unless set.
    pub connect_timeout_seconds: u32,
    /// Requests in flight to one router, 1 to 10; 2 unless set. A router serves one user's requests one by one.
    pub max_concurrent_per_device: u32,
    /// How often a read is tried in all when the connection fails, 1 to 10; 3 unless set.
    pub retry_attempts: u32,
    /// Pause before the second try, seconds, doubled for each further one; 1.0 unless set.
    pub retry_backoff_seconds: f64,
    /// Requests to one router per second on average; 5 unless set. Ten seconds' worth may come at once.
    pub requests_per_second: u32,
    /// SSH port of new devices; 22 unless set.
    pub ssh_port: u16,
    /// How a router proves that it is the one; `pin` unless set.
    pub verify_tls: VerifyTls,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            rest_timeout_seconds: 10,
            connect_timeout_seconds: 3,
            max_concurrent_per_device: 2,
            retry_attempts: 3,
            retry_backoff_seconds: 1.0,
            requests_per_second: 5,
            ssh_port: 22,
            verify_tls: VerifyTls::Pin,
        }
    }
}

/// Seconds of average traffic that may come at once: one person's look at a router asks a handful of menus, and
/// a burst costs a router nothing that `max_concurrent_per_device` does not already bound.
const BURST_SECONDS: u32 = 10;

impl Config {
    /// How long one REST answer may take.
    pub fn rest_timeout(&self) -> Duration {
        Duration::from_secs(u64::from(self.rest_timeout_seconds.max(1)))
    }

    /// How long connecting may take.
    pub fn connect_timeout(&self) -> Duration {
        Duration::from_secs(u64::from(self.connect_timeout_seconds.max(1)))
    }

    /// Requests in flight to one router, never none.
    pub fn in_flight(&self) -> u32 {
        self.max_concurrent_per_device.clamp(1, 10)
    }

    /// Pause before try number `next` (2 is the first repetition).
    pub fn backoff(&self, next: u32) -> Duration {
        let doubled = self.retry_backoff_seconds.max(0.0) * f64::from(1u32 << next.saturating_sub(2).min(6));
        Duration::try_from_secs_f64(doubled).unwrap_or(Duration::ZERO)
    }

    /// Requests that may come at once after a quiet time.
    pub fn burst(&self) -> u32 {
        self.requests_per_second.max(1).saturating_mul(BURST_SECONDS)
    }
}

/// How a router proves that it is the one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VerifyTls {
    /// Trust on first use, then only that certificate.
    #[default]
    Pin,
    /// A certificate authority vouches for it.
    Ca,
    /// Anything; refused in prod.
    Off,
}

impl VerifyTls {
    /// `pin`, `ca` or `off`.
    pub fn as_str(self) -> &'static str {
        match self {
            VerifyTls::Pin => "pin",
            VerifyTls::Ca => "ca",
            VerifyTls::Off => "off",
        }
    }
}

/// When routers are looked at without being asked, `[health_check]` in the config file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HealthCheck {
    /// Whether at all; on unless set.
    pub enabled: bool,
    /// Seconds between two looks at one router, 10 to 3600; 60 unless set.
    pub interval_seconds: u32,
    /// Up to this many seconds are added at random, so that routers are not asked all at once; 10 unless set.
    pub jitter_seconds: u32,
}

impl Default for HealthCheck {
    fn default() -> Self {
        HealthCheck { enabled: true, interval_seconds: 60, jitter_seconds: 10 }
    }
}

/// What a fleet is told at start.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The appliance's environment: devices of another one are never touched.
    pub environment: Environment,
    /// `[routeros]`.
    pub routeros: Config,
    /// Addresses we listen on; a device must not be one of them. Replaced once the ports that were taken at random are known.
    pub own_listeners: Shared<Vec<SocketAddr>>,
    /// Where systemd put our credentials (`$CREDENTIALS_DIRECTORY`), for passwords given as `credential:NAME`.
    pub credentials_dir: Option<PathBuf>,
    /// Counts requests.
    pub meter: Meter,
}

impl Settings {
    /// Defaults for an environment.
    pub fn new(environment: Environment) -> Self {
        Settings { environment, routeros: Config::default(), own_listeners: Shared::default(), credentials_dir: None, meter: Meter::off() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_doubles_and_never_overflows() {
        let config = Config::default();
        let pauses: Vec<u64> = [2, 3, 4].iter().map(|n| config.backoff(*n).as_secs()).collect();
        assert_eq!(pauses, [1, 2, 4]);
        assert_eq!(config.backoff(u32::MAX).as_secs(), 64);
        assert_eq!(Config { retry_backoff_seconds: f64::NAN, ..config }.backoff(2), Duration::ZERO);
    }

    #[test]
    fn a_section_may_name_some_keys_and_no_unknown_one() {
        let config: Config = serde_json::from_str(r#"{"verify_tls": "ca", "retry_attempts": 1}"#).unwrap();
        assert_eq!((config.verify_tls, config.retry_attempts, config.rest_timeout_seconds), (VerifyTls::Ca, 1, 10));
        assert!(serde_json::from_str::<Config>(r#"{"retries": 1}"#).is_err());
    }
}
