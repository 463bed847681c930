//! What is stored: alerts that were told and last, the last ones that are over, and messages on their way. No secret is in any of them.

use crate::alert::kind::Kind;
use crate::alert::message::{Message, Subject};
use crate::base::clock::Wall;
use crate::store::Record;
use serde::{Deserialize, Serialize};

/// An alert that was told and lasts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stands {
    /// Its kind.
    pub kind: Kind,
    /// Whom it is about.
    pub subject: Subject,
    /// More.
    pub details: String,
    /// Since when it is so.
    pub since: Wall,
    /// When it was told.
    pub told_at: Wall,
}

/// An alert that is over, or happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Past {
    /// Its kind.
    pub kind: Kind,
    /// Whom it was about.
    pub subject: Subject,
    /// More.
    pub details: String,
    /// Since when it was so.
    pub since: Wall,
    /// When it was told.
    pub told_at: Wall,
    /// When it was over; none for what only happened.
    pub ended_at: Option<Wall>,
    /// How often it came again before it was told.
    pub repeats: u32,
}

/// A message on its way through one channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queued {
    /// What is told.
    pub message: Message,
    /// Since when it is on its way.
    pub since: Wall,
}

impl Stands {
    /// Its key in the table.
    pub fn key(kind: Kind, id: &str) -> String {
        format!("{}/{id}", kind.as_str())
    }
}

impl Record for Stands {
    const TABLE: &'static str = "alert";
    const VERSION: u8 = 1;
}

impl Record for Past {
    const TABLE: &'static str = "alert_past";
    const VERSION: u8 = 1;
}

impl Record for Queued {
    const TABLE: &'static str = "alert_queue";
    const VERSION: u8 = 1;
}

#[cfg(test)]
crate::store::golden!(Stands, Past, Queued);
