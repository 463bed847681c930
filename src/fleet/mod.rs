//! Which routers there are, and the one way to each of them.
//!
//! Trust: a router's certificate and SSH host key are shown to a person (or compared with what they gave) before any
//! credential leaves, then pinned together. One that shows another key is quarantined: it is sent nothing until a
//! person pins it again. A device of another environment is never touched.
//!
//! Everything that asks a router goes through its [`Lane`].

pub mod absent;
mod address;
mod again;
pub mod bootstrap;
mod breaker;
mod cache;
mod change;
mod check;
mod config;
mod counted;
mod credential;
mod device;
mod dial;
pub mod discover;
mod enroll;
mod fault;
mod foreign;
mod fresh;
mod index;
mod lane;
pub mod learnt;
mod naming;
mod pace;
mod probe;
pub mod registration;
mod registry;
pub mod rights;
pub mod roster;
mod rotation;
mod slot;
mod status;
mod trust;
mod ways;
mod wire;
mod writable;

pub use change::Changes;
pub use check::{Connectivity, Reach, Sample};
pub use config::{Config, HealthCheck, Settings, VerifyTls};
pub use credential::{NewCredential, Password, Reference};
pub use device::{Can, Capability, Device, Facts, Package, Pins, Status, Wifi, WwwSsl};
pub use enroll::{NewDevice, Ready};
pub use fault::{FleetError, is_unsent};
pub use fresh::Fresh;
pub use lane::{Answer, Counted, Lane, Printed, Read};
pub use naming::nearest;
pub use registry::{Dial, Fleet, Parts};
pub use rotation::{Rotation, Stage, Which};
pub use trust::{Place, Presented};
pub use ways::Dialled;
pub use wire::{Ask, Said, Via, Wire, Write};

/// What of the fleet's records is sealed.
pub const SEALED: [crate::store::Field; 4] = [credential::SEALED, registration::SEALED, rotation::SEALED[0], rotation::SEALED[1]];

#[cfg(test)]
mod lane_tests;
