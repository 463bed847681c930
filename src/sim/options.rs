//! What to simulate: the router's model and name, its clock, and what it listens on.

use super::menus::Definitions;
use super::profiles::{Profile, Version};
use crate::base::clock::Clock;
use std::sync::Arc;

/// What to simulate.
#[derive(Debug, Clone)]
pub struct Options {
    /// Which router.
    pub profile: Profile,
    /// Its identity; empty keeps the profile's.
    pub name: String,
    /// Where it gets its time from.
    pub clock: Clock,
    /// Makes counters, hardware addresses and uptime differ between routers.
    pub seed: u64,
    /// Its certificate.
    pub tls: TlsOption,
    /// Listen for plain HTTP too. A thousand routers want half the sockets.
    pub plain: bool,
    /// Menus to serve instead of the simulator's own: see [`Definitions::from_schema_json`].
    pub definitions: Option<Arc<Definitions>>,
    /// Listen for SSH too.
    pub ssh: bool,
    /// Another version than the profile's.
    pub version: Option<Version>,
}

impl Options {
    /// A router of this profile on the system's clock, with the certificate all share and both ports.
    pub fn new(profile: Profile, name: &str) -> Self {
        Options {
            profile,
            name: name.to_string(),
            clock: Clock::system(),
            seed: 1,
            tls: TlsOption::Shared,
            plain: true,
            definitions: None,
            ssh: true,
            version: None,
        }
    }
}

/// Where a router's certificate comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsOption {
    /// One key and certificate for all routers of this process: cheap.
    Shared,
    /// Its own.
    Own,
}
