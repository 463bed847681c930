//! Journeys through the whole program, a file each.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly; clippy knows test functions but not their helpers here")]

#[cfg(feature = "sim")]
mod answers;
#[cfg(feature = "sim")]
mod catalog;
#[cfg(feature = "sim")]
mod cli_device;
#[cfg(feature = "sim")]
mod cli_help;
#[cfg(feature = "sim")]
mod cli_interrupt;
#[cfg(feature = "sim")]
mod cli_rig;
#[cfg(feature = "sim")]
mod cli_store;
mod config_files;
#[cfg(feature = "sim")]
mod config_history;
mod control;
#[cfg(feature = "sim")]
mod diagnose;
#[cfg(feature = "sim")]
mod fleet_add;
#[cfg(feature = "sim")]
mod fleet_lane;
#[cfg(feature = "sim")]
mod fleet_ssh;
#[cfg(feature = "sim")]
mod fleet_ssh_alone;
mod layers;
#[cfg(feature = "sim")]
mod mcp_client;
#[cfg(feature = "sim")]
mod mcp_prompts;
#[cfg(feature = "sim")]
mod mcp_resources;
mod mcp_stdio;
#[cfg(feature = "sim")]
mod mcp_subscriptions;
mod menus_facts;
mod policy;
#[cfg(feature = "sim")]
mod rbac;
#[cfg(feature = "sim")]
mod rest_client;
#[cfg(feature = "sim")]
mod sim_console;
#[cfg(feature = "sim")]
mod sim_rest;
#[cfg(feature = "sim")]
mod sim_ssh;
#[cfg(feature = "sim")]
mod sim_tables;
#[cfg(feature = "sim")]
mod site;
mod ssh_client;
mod ssh_real;
mod ssh_router;
#[cfg(feature = "sim")]
mod ssh_sim;
mod store_upgrade;
#[cfg(feature = "sim")]
mod tools_fw;
#[cfg(feature = "sim")]
mod tools_net;
