//! One wire operation with what it takes to undo it, and how rows are named in it.

use crate::plan::form::{Pairs, overlaid};
use serde::{Deserialize, Serialize};

/// What tells a row from all others of its menu: attributes and their values, never position or `.id`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Find {
    /// The natural key where it tells, else as little of the row's content as does. An empty value stands for a row without that
    /// attribute: a last rule `drop` says nothing that the rules before it do not say too.
    pub by: Pairs,
}

/// Where a row stands in an ordered menu: before which other, or at the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The row right after it.
    pub before: Option<Find>,
}

/// A secret that goes into an attribute; the value itself is sealed in the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretValue {
    /// The attribute.
    pub attribute: String,
    /// Where it comes from: `generate`, or `vault:NAME`.
    pub handle: String,
}

/// One wire operation, with what it takes to undo it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Which edit of the request it belongs to.
    pub edit: u32,
    /// `/ip/address`.
    pub menu: String,
    /// What is done.
    pub change: Change,
    /// Undoing it gives back access that doing it may take: undone whatever the row looks like by then.
    pub gives_access: bool,
}

/// What is done to a row. New ones go at the end: records hold the position.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Change {
    /// A new row. Undone by removing the one row that has its content.
    Add {
        /// As sent.
        values: Pairs,
        /// Sent beside them.
        secrets: Vec<SecretValue>,
        /// Where it goes; `None` in menus without order.
        place: Option<Place>,
        /// How it is found afterwards: no row had this before.
        find: Find,
    },
    /// Other values in a row, `disabled` included.
    Set {
        /// Which.
        find: Find,
        /// Its whole content before.
        before: Pairs,
        /// As sent.
        values: Pairs,
        /// Sent beside them.
        secrets: Vec<SecretValue>,
        /// Attributes taken away.
        unset: Vec<String>,
    },
    /// Other values in a menu without rows.
    SetSingle {
        /// Its whole content before.
        before: Pairs,
        /// As sent.
        values: Pairs,
        /// Sent beside them.
        secrets: Vec<SecretValue>,
        /// Attributes taken away.
        unset: Vec<String>,
    },
    /// A row less.
    Remove {
        /// Which.
        find: Find,
        /// Its whole content before.
        before: Pairs,
        /// Where it stood; `None` in menus without order.
        place: Option<Place>,
        /// It cannot be made again as it was: it holds secrets, or others refer to it, who would then refer to a dead row for good.
        /// It is disabled now and removed once the change is confirmed.
        by_disabling: bool,
    },
    /// Another place.
    Move {
        /// Which.
        find: Find,
        /// Its whole content.
        row: Pairs,
        /// Where it stood.
        from: Place,
        /// Where it goes.
        to: Place,
    },
    /// A harmless command; nothing to undo.
    Run {
        /// `flush`.
        command: String,
        /// The row it is about.
        find: Option<Find>,
        /// Its other arguments.
        args: Pairs,
    },
}

impl Change {
    /// The word for people: `add`, `set`, `remove`, `move`, `run`.
    pub fn verb(&self) -> &'static str {
        match self {
            Change::Add { .. } => "add",
            Change::Set { .. } | Change::SetSingle { .. } => "set",
            Change::Remove { .. } => "remove",
            Change::Move { .. } => "move",
            Change::Run { .. } => "run",
        }
    }

    /// The row's content once done, as far as we write it; `None` where no row is left (or none was meant).
    pub fn after(&self) -> Option<Pairs> {
        match self {
            Change::Add { values, .. } => Some(values.clone()),
            Change::Set { before, values, unset, .. } | Change::SetSingle { before, values, unset, .. } => {
                Some(overlaid(before, values, unset))
            }
            Change::Remove { before, by_disabling: true, .. } => Some(overlaid(before, &disabled(), &[])),
            Change::Remove { .. } | Change::Run { .. } => None,
            Change::Move { row, .. } => Some(row.clone()),
        }
    }

    /// How the row is found once done: as before, with what was written over it.
    pub fn find_after(&self) -> Option<Find> {
        match self {
            Change::Add { find, .. } | Change::Move { find, .. } | Change::Remove { find, by_disabling: true, .. } => Some(find.clone()),
            Change::Set { find, values, unset, .. } => Some(Find {
                by: overlaid(
                    &find.by,
                    &values.iter().filter(|(name, _)| find.by.iter().any(|(by, _)| by == name)).cloned().collect(),
                    unset,
                ),
            }),
            Change::SetSingle { .. } | Change::Remove { .. } | Change::Run { .. } => None,
        }
    }
}

/// What a removal by disabling writes.
pub fn disabled() -> Pairs {
    vec![("disabled".to_owned(), "yes".to_owned())]
}
