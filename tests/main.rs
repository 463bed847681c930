//! Journeys through the whole program, a file each.

mod layers;
#[cfg(feature = "sim")] // rcgen makes its certificates
mod rest_client;
