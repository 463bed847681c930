//! Journeys through the whole program, a file each.

#![allow(clippy::unwrap_used, reason = "a test stops at its first surprise; clippy only sees that inside #[test] functions")]
#![allow(clippy::unwrap_used, reason = "a test may fail loudly; clippy knows test functions but not their helpers here")]

mod config_files;
mod control;
mod layers;
mod mcp_stdio;
mod policy;
