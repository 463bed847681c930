//! What was: health samples over time, and what they say about a device.

mod block;
mod column;
pub mod events;
pub mod health;
pub mod look;
pub mod sensors;
pub mod series;
