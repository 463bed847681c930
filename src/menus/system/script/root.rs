//! `/system/script`: stored scripts.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/47579229/Scripting>

use crate::menus::{COMMENT, INVALID, Menu, Topic, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/system/script", "Stored scripts")
    .key(&["name"])
    .attrs(&[
        COMMENT,
        attr("dont-require-permissions", Kind::Flag, "Caller needs no policy of its own"),
        attr("name", Kind::Name, "Name others refer to"),
        attr("owner", Kind::Text, "Who holds or made it"),
        attr("policy", Kind::Set, "What it may do"),
        attr("source", Kind::Script, "Script body").secret(),
        INVALID,
        attr("last-started", Kind::Time, "When it last started").read_only(),
        attr("run-count", Kind::Int, "How often it ran").read_only(),
    ])
    .synonyms(&["scripts", "script repository", "automation", "stored scripts"])
    .commands(&["run"])
    .topic(Topic::System)
    .cuts_access();
