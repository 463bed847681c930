//! One router, nothing else.

pub mod value;
