//! Journeys through the whole program, a file each.

#![allow(clippy::unwrap_used, reason = "a test stops at its first surprise; clippy only sees that inside #[test] functions")]
#![allow(clippy::unwrap_used, reason = "a test may fail loudly; clippy knows test functions but not their helpers here")]

mod config_files;
#[cfg(feature = "sim")]
mod fleet_add;
#[cfg(feature = "sim")]
mod fleet_lane;
mod layers;
mod policy;
#[cfg(feature = "sim")] // rcgen makes its certificates
mod rest_client;
