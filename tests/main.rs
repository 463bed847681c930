//! Journeys through the whole program, a file each.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly; clippy knows test functions but not their helpers here")]

#[cfg(feature = "sim")]
mod answers;
#[cfg(feature = "sim")]
mod catalog;
mod config_files;
mod control;
#[cfg(feature = "sim")]
mod fleet_add;
#[cfg(feature = "sim")]
mod fleet_lane;
mod layers;
mod mcp_stdio;
mod menus_facts;
mod policy;
#[cfg(feature = "sim")]
mod rbac;
mod rest_client;
#[cfg(feature = "sim")]
mod sim_rest;
#[cfg(feature = "sim")]
mod site;
mod store_upgrade;
