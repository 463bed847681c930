//! Journeys through the whole program, a file each.
#![allow(clippy::unwrap_used, reason = "a test stops at its first surprise; clippy only sees that inside #[test] functions")]

mod layers;
mod policy;
