//! `/user/group`: groups of users and what they may do.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/8978504/User>

use crate::menus::{COMMENT, Menu, Topic, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/user/group", "Groups of users and what they may do")
    .key(&["name"])
    .attrs(&[
        COMMENT,
        attr("name", Kind::Name, "Name others refer to"),
        attr("policy", Kind::Set, "What its users may do, ! before what they may not"),
        attr("skin", Kind::Name, "WebFig skin"),
    ])
    .synonyms(&["user groups", "permissions", "policies", "user rights", "privileges", "roles"])
    .topic(Topic::System)
    .cuts_access();
