//! routeros-mcp: an appliance next to MikroTik routers.
//!
//! A call enters at the top of this list and reaches a router near the bottom; a module may use only what stands
//! below it (`tests/layers.rs`).

#[cfg(any(test, feature = "fuzz"))]
pub mod fuzz;

pub mod cli;

pub mod app;

pub mod config;

pub mod control;

pub mod http;

pub mod mcp;

pub mod watch;

pub mod dispatch;

pub mod tools;

pub mod update;

pub mod backup;

pub mod alert;

pub mod plan;

pub mod history;

pub mod fleet;

pub mod access;

pub mod shape;

pub mod menus;

pub mod audit;

pub mod routeros;

pub mod store;

pub mod host;

pub mod docs;

#[cfg(feature = "sim")]
pub mod sim;

pub mod base;
