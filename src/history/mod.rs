//! What was: health samples over time and what they say about a device; what was configured, and what changed.

pub mod config;
pub mod health;
pub mod series;
