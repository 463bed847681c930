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
//! | `record.rs`, `updates.rs` | what is known of it, and how it went |
//! | `obtain.rs`, `decide.rs` | from the endpoint to what lies ready; from a person's word to what runs |
//! | `snapshot.rs`, `start.rs`, `probation.rs` | the store as it was; starts that are counted; when a version has proved itself |

pub mod bundle;
mod decide;
pub mod disk;
mod error;
pub mod guardian;
pub mod install;
pub mod manifest;
mod obtain;
pub mod probation;
pub mod record;
pub mod root;
pub mod signature;
pub mod snapshot;
pub mod stage;
pub mod start;
pub mod swap;
mod updates;

pub use decide::Word;
pub use error::UpdateError;
pub use obtain::{Source, UPLOADS};
pub use updates::{Parts, STAGED_FOR, Settings, Status, Updates};

#[cfg(test)]
mod flow_rig;
#[cfg(test)]
mod flow_tests;
#[cfg(test)]
mod power_tests;
#[cfg(test)]
mod root_flow_tests;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod tamper_tests;
