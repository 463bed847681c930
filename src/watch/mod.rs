//! What happens when nobody calls.

pub mod health;
pub mod retention;
pub mod snapshot;
