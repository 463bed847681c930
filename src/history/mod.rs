//! What was: health samples over time, and what they say about a device.

pub mod health;
pub mod series;
