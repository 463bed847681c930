//! Journeys through the whole program, a file each.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly; clippy knows test functions but not their helpers here")]

#[cfg(feature = "sim")]
mod acme_real;
#[cfg(feature = "sim")]
mod admin_api;
#[cfg(feature = "sim")]
mod admin_audit;
#[cfg(feature = "sim")]
mod admin_jobs;
#[cfg(feature = "sim")]
mod admin_onboard;
#[cfg(feature = "sim")]
mod admin_pages;
#[cfg(feature = "sim")]
mod admin_people;
#[cfg(feature = "sim")]
mod admin_register;
#[cfg(feature = "sim")]
mod admin_rig;
#[cfg(feature = "sim")]
mod admin_session;
#[cfg(feature = "sim")]
mod admin_settings;
#[cfg(feature = "sim")]
mod admin_setup;
#[cfg(feature = "sim")]
mod admin_sign_in;
#[cfg(feature = "sim")]
mod admin_size;
#[cfg(feature = "sim")]
mod admin_tokens;
#[cfg(feature = "sim")]
mod admin_update;
#[cfg(feature = "sim")]
mod alerts;
#[cfg(feature = "sim")]
mod alerts_journey;
#[cfg(feature = "sim")]
mod alerts_rig;
#[cfg(feature = "sim")]
mod answers;
#[cfg(feature = "sim")]
mod backup;
#[cfg(feature = "sim")]
mod catalog;
#[cfg(feature = "sim")]
mod cli_alert;
#[cfg(feature = "sim")]
mod cli_archive;
#[cfg(feature = "sim")]
mod cli_check;
#[cfg(feature = "sim")]
mod cli_device;
#[cfg(feature = "sim")]
mod cli_doctor;
#[cfg(feature = "sim")]
mod cli_help;
#[cfg(feature = "sim")]
mod cli_interrupt;
#[cfg(feature = "sim")]
mod cli_killed;
#[cfg(feature = "sim")]
mod cli_plan;
#[cfg(feature = "sim")]
mod cli_register;
#[cfg(feature = "sim")]
mod cli_reload;
#[cfg(feature = "sim")]
mod cli_rig;
#[cfg(feature = "sim")]
mod cli_store;
#[cfg(feature = "sim")]
mod cli_token;
#[cfg(feature = "sim")]
mod cli_update;
#[cfg(feature = "sim")]
mod cli_user;
mod config_files;
#[cfg(feature = "sim")]
mod config_history;
#[cfg(feature = "sim")]
mod conformance;
mod control;
#[cfg(feature = "sim")]
mod device_import;
#[cfg(feature = "sim")]
mod diagnose;
#[cfg(feature = "sim")]
mod discovery;
#[cfg(feature = "sim")]
mod disk_full;
mod docs_abuse;
mod docs_reference;
#[cfg(feature = "sim")]
mod fault_runner;
#[cfg(feature = "sim")]
mod fleet_add;
#[cfg(feature = "sim")]
mod fleet_lane;
#[cfg(feature = "sim")]
mod fleet_rig;
#[cfg(feature = "sim")]
mod fleet_ssh;
#[cfg(feature = "sim")]
mod fleet_ssh_alone;
#[cfg(feature = "sim")]
mod http_fuzz;
#[cfg(feature = "sim")]
mod http_journey;
#[cfg(feature = "sim")]
mod http_limits;
#[cfg(feature = "sim")]
mod http_matrix;
#[cfg(feature = "sim")]
mod http_rig;
#[cfg(feature = "sim")]
mod http_streams;
#[cfg(feature = "sim")]
mod http_tls;
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
#[cfg(feature = "sim")]
mod metrics;
#[cfg(feature = "sim")]
mod metrics_files;
#[cfg(feature = "sim")]
mod metrics_real;
#[cfg(feature = "sim")]
mod oidc_real;
#[cfg(feature = "sim")]
mod oidc_rig;
#[cfg(feature = "sim")]
mod oidc_shapes;
#[cfg(feature = "sim")]
mod oidc_tokens;
#[cfg(feature = "sim")]
mod plan_cost;
#[cfg(feature = "sim")]
mod plan_crash;
#[cfg(feature = "sim")]
mod plan_disturbed;
#[cfg(feature = "sim")]
mod plan_engine;
mod plan_exact;
#[cfg(feature = "sim")]
mod plan_faults;
#[cfg(feature = "sim")]
mod plan_harmless;
#[cfg(feature = "sim")]
mod plan_inverse;
#[cfg(feature = "sim")]
mod plan_lockout;
#[cfg(feature = "sim")]
mod plan_persons;
#[cfg(feature = "sim")]
mod plan_rig;
#[cfg(feature = "sim")]
mod plan_rollout;
#[cfg(feature = "sim")]
mod plan_rotate;
#[cfg(feature = "sim")]
mod plan_seen;
#[cfg(feature = "sim")]
mod plan_storage;
#[cfg(feature = "sim")]
mod plan_tools;
mod policy;
#[cfg(feature = "sim")]
mod proxies;
#[cfg(feature = "sim")]
mod rbac;
#[cfg(feature = "sim")]
mod rbac_switches;
#[cfg(feature = "sim")]
mod rest_client;
#[cfg(feature = "sim")]
mod retention;
#[cfg(feature = "sim")]
mod sim_console;
#[cfg(feature = "sim")]
mod sim_jobs;
#[cfg(feature = "sim")]
mod sim_lockout;
#[cfg(feature = "sim")]
mod sim_rest;
#[cfg(feature = "sim")]
mod sim_ssh;
#[cfg(feature = "sim")]
mod sim_tables;
#[cfg(feature = "sim")]
mod sim_time;
#[cfg(feature = "sim")]
mod sim_trouble;
#[cfg(feature = "sim")]
mod site;
#[cfg(feature = "sim")]
mod sockets;
mod sources;
mod ssh_client;
mod ssh_real;
mod ssh_router;
#[cfg(feature = "sim")]
mod ssh_sim;
#[cfg(feature = "sim")]
mod store_lived;
mod store_upgrade;
mod surroundings;
#[cfg(feature = "sim")]
mod tools_fw;
#[cfg(feature = "sim")]
mod tools_net;
