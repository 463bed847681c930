//! Self-update: confirmed by an operator, never by itself, and back by itself when the new version does not stand.
//!
//! `available → staged → awaiting confirmation → snapshot → switched → probation → committed`, or back.
//!
//! | file | holds |
//! |---|---|
//! | `signature.rs`, `manifest.rs` | whose word it is, and what it says; in this order |
//! | `stage.rs`, `bundle.rs` | the file itself: checked, unpacked, tried on copies |
//! | `install.rs` | who may change the version of this installation |
//! | `disk.rs`, `swap.rs`, `root.rs` | the switch, by whoever owns the directory of versions |

pub mod bundle;
pub mod disk;
mod error;
pub mod install;
pub mod manifest;
pub mod root;
pub mod signature;
pub mod stage;
pub mod swap;

pub use error::UpdateError;

#[cfg(test)]
mod power_tests;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod tamper_tests;
