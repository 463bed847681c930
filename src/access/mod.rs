//! Who is asking, and may they.

pub mod policy;
pub mod principal;
pub mod role;

pub use policy::{Decision, Rules, Target, Verb};
pub use principal::{Client, Limits, Principal};
pub use role::Role;
