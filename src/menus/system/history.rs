//! `/system/history`: changes made, newest first.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/328155/Configuration+Management>

use crate::menus::{Menu, Topic, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/system/history", "Changes made, newest first")
    .attrs(&[
        attr("action", Kind::Text, "What happens to a packet that matches").read_only().untrusted(),
        attr("by", Kind::Text, "Who did it").read_only().untrusted(),
        attr("floating-undo", Kind::Flag, "").read_only(),
        attr("policy", Kind::Set, "What it may do").read_only(),
        attr("redo", Kind::Text, "Command that does it again").read_only().secret(),
        attr("redoable", Kind::Flag, "").read_only(),
        attr("time", Kind::Time, "When it was done").read_only(),
        attr("trace", Kind::Text, "Where it came from").read_only(),
        attr("undo", Kind::Text, "Command that undoes it").read_only().secret(),
        attr("undoable", Kind::Flag, "Can be undone").read_only(),
    ])
    .synonyms(&["history", "undo", "configuration changes", "who changed", "recent changes", "change log", "what changed"])
    .topic(Topic::System)
    .read_only();
