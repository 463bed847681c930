//! `/log`: log lines.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/328094/Log>

use crate::menus::{Menu, Topic, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/log", "Log lines")
    .attrs(&[
        attr("buffer", Kind::Text, "Buffer it is kept in").read_only(),
        attr("extra-info", Kind::Text, "More of the line").read_only().untrusted(),
        attr("message", Kind::Text, "Text of the line").read_only().untrusted(),
        attr("time", Kind::Time, "When it was written").read_only(),
        attr("topics", Kind::Set, "Log topics").read_only(),
    ])
    .synonyms(&["log", "logs", "log messages", "events", "errors", "syslog messages", "event log", "system log"])
    .commands(&["debug", "error", "info", "warning"])
    .topic(Topic::System)
    .read_only();
