//! What was configured: each device's exports over time, and what changed between two of them.
//!
//! A snapshot holds no clock, serial number or other noise of the router, and **no secret**: those are replaced by
//! `(secret)` before anything is stored, without a digest or a length. So a secret that was changed does not show.
//!
//! On disk a snapshot is a list of pieces, cut where the text itself says (`pieces.rs`), kept once a device under their
//! SHA-256 and deflated: what did not change costs nothing. A snapshot, its new pieces, and what it pushes out of the
//! history are one batch: a power cut leaves the history before it or after it.

mod author;
mod diff;
mod normal;
mod pieces;
mod record;
mod shelf;

#[cfg(test)]
mod diff_tests;
#[cfg(test)]
mod shelf_tests;

pub use author::{Event, likely};
pub use diff::{Change, Diff, Doubt, MenuDiff, Row, diff, label};
pub use normal::normal;
pub use record::{Reason, Snapshot, SnapshotId};
pub use shelf::{Kept, Shelf, Taken};
