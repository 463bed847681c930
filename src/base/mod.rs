//! Words that all parts share. No I/O, and nothing here names a part.

pub mod address;
pub mod clock;
pub mod events;
pub mod fault;
pub mod ids;
pub mod packed;
pub mod secret;
pub mod selector;
pub mod shared;
pub mod span;
pub mod tier;
pub mod unseen;
