//! routeros-mcp: an appliance next to MikroTik routers.
//!
//! A call enters at the top of this list and reaches a router near the bottom; a module may use only what stands
//! below it (`tests/layers.rs`).

pub mod control;

pub mod mcp;

pub mod dispatch;
pub mod tools;

pub mod access;

pub mod base;
