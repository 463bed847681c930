//! `/interface/list`: names of interface lists.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/47579180/Interface+Lists>

use crate::menus::{COMMENT, DYNAMIC, Menu, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/interface/list", "Names of interface lists")
    .key(&["name"])
    .attrs(&[
        COMMENT,
        attr("exclude", Kind::Set, "Lists it leaves out"),
        attr("include", Kind::Set, "Lists it takes in"),
        attr("name", Kind::Name, "Name others refer to"),
        attr("builtin", Kind::Flag, "Came with RouterOS").read_only(),
        DYNAMIC,
    ])
    .synonyms(&["interface lists", "lan list", "wan list", "zones", "interface groups"])
    .cuts_access();
