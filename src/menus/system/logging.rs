//! `/system/logging`: which log topics go where.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/328094/Log>

use crate::menus::{COMMENT, DISABLED, INVALID, Menu, Topic, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/system/logging", "Which log topics go where")
    .key(&["topics", "action", "prefix"])
    .attrs(&[
        attr("action", Kind::Text, "What happens to a packet that matches"),
        COMMENT,
        DISABLED,
        attr("prefix", Kind::Text, "Begins each line"),
        attr("regex", Kind::Text, "Only lines that match"),
        attr("topics", Kind::Set, "Log topics"),
        attr("default", Kind::Flag, "").read_only(),
        INVALID,
    ])
    .synonyms(&["logging", "log rules", "log topics", "debug logging", "log settings"])
    .topic(Topic::System)
    .basic();
