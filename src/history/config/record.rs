//! Records of the configuration history.

use crate::base::clock::Wall;
use crate::base::ids::DeviceId;
use crate::history::config::pieces::Id;
use crate::store::Record;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Names one snapshot: `snap_` and the device's digits and a number, so that it says whose it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SnapshotId {
    /// Whose configuration it is.
    pub device: DeviceId,
    /// Counted from 1 for each device.
    pub number: u32,
}

impl fmt::Display for SnapshotId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "snap_{}_{}", self.device.as_str().trim_start_matches("dev_"), self.number)
    }
}

impl FromStr for SnapshotId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let read = text.strip_prefix("snap_").and_then(|rest| rest.rsplit_once('_')).and_then(|(device, number)| {
            let plain = !device.is_empty() && device.len() <= 64 && device.bytes().all(|byte| byte.is_ascii_alphanumeric());
            // One spelling for each: "07" names nothing.
            let number: u32 = number.parse().ok().filter(|parsed: &u32| *parsed > 0 && parsed.to_string() == number)?;
            plain.then(|| SnapshotId { device: DeviceId(format!("dev_{device}")), number })
        });
        read.ok_or_else(|| "a snapshot id looks like snap_0a1b2c3d4e5f_7".to_owned())
    }
}

/// Why a snapshot was taken. New ones go at the end: records hold the position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It was time.
    Schedule,
    /// The router said that something was changed.
    Change,
    /// An operator asked.
    Operator,
    /// A comparison with the running configuration found it changed.
    Comparison,
}

impl Reason {
    /// The word used in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Reason::Schedule => "schedule",
            Reason::Change => "change",
            Reason::Operator => "operator",
            Reason::Comparison => "comparison",
        }
    }
}

/// One configuration of one device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Counted from 1 for each device.
    pub number: u32,
    /// When it was first seen.
    pub taken_at: Wall,
    /// When the device was last found to have just this configuration.
    pub seen_at: Wall,
    /// Why it was taken.
    pub reason: Reason,
    /// RouterOS version, as the export's head says.
    pub version: Option<String>,
    /// Menus with rows.
    pub menus: u32,
    /// Rows in all.
    pub rows: u32,
    /// Length of its text.
    pub bytes: u64,
    /// Whether its end was seen.
    pub ended: bool,
    /// What the router could not export.
    pub gaps: Vec<String>,
    /// Lines that could not be read.
    pub unread: u32,
    /// Menus that differ from the snapshot before, at most a dozen; `None` for the first.
    pub changed: Option<Vec<String>>,
    /// What its text is made of.
    pub(super) pieces: Vec<Id>,
}

impl Snapshot {
    /// Whether all of the configuration is known to be in it.
    pub fn is_complete(&self) -> bool {
        self.ended && self.gaps.is_empty() && self.unread == 0
    }
}

impl Record for Snapshot {
    const TABLE: &'static str = "config_snapshot";
    const VERSION: u8 = 1;
}

/// What a device's history is at: the one record that every change of it rewrites.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Head {
    /// Number of the newest snapshot there ever was.
    pub last: u32,
    /// The snapshot that others are compared with.
    pub baseline: Option<u32>,
    /// How often it was written: no two states are equal.
    pub writes: u64,
}

impl Record for Head {
    const TABLE: &'static str = "config_head";
    const VERSION: u8 = 1;
}

/// A piece of text, deflated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Piece {
    pub deflated: Vec<u8>,
}

impl Record for Piece {
    const TABLE: &'static str = "config_piece";
    const VERSION: u8 = 1;
}

#[cfg(test)]
crate::store::golden!(Snapshot, Head, Piece);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_read_back_and_nothing_else_does() {
        let id = SnapshotId { device: DeviceId::random(), number: 7 };
        assert_eq!(id.to_string().parse(), Ok(id));
        for wrong in [
            "",
            "snap_",
            "snap_0a1b",
            "snap__1",
            "snap_0a_",
            "snap_0a_0",
            "snap_0a_07",
            "snap_0a_-1",
            "snap_../x_1",
            "dev_0a1b_1",
            "baseline",
        ] {
            assert!(wrong.parse::<SnapshotId>().is_err(), "{wrong}");
        }
    }
}
