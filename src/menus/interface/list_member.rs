//! `/interface/list/member`: which interface is in which interface list.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/47579180/Interface+Lists>

use crate::menus::{COMMENT, DISABLED, DYNAMIC, Menu, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/interface/list/member", "Which interface is in which interface list")
    .key(&["list", "interface"])
    .attrs(&[
        COMMENT,
        DISABLED,
        attr("interface", Kind::Name, "Interface in the list").required(),
        attr("list", Kind::Name, "Interface list").required(),
        DYNAMIC,
    ])
    .synonyms(&["interface list members", "lan members", "wan members", "zone members", "which interfaces are wan"])
    .cuts_access();
