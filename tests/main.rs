//! Journeys through the whole program, a file each.

mod layers;
#[cfg(feature = "sim")]
mod sim_rest;
