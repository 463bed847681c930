//! What happens when nobody calls.

pub mod alerts;
pub mod backup;
pub mod belief;
pub mod health;
pub mod meter;
pub mod plans;
pub mod retention;
pub mod rotation;
pub mod snapshot;
mod turn;
pub mod update;
