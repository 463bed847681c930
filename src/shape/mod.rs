//! What may leave, and in which form.

pub mod budget;
pub mod page;
pub mod redact;
pub mod table;
pub mod untrusted;
