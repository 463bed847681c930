//! What was: health samples over time and what they say about a device; what was configured, and what changed.

mod block;
mod column;
pub mod config;
pub mod day;
pub mod events;
pub mod health;
pub mod look;
pub mod sample;
pub mod sensors;
pub mod series;
