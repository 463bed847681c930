//! `/user/settings`: rules for passwords of users.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/8978504/User>

use crate::menus::{Menu, Topic, attr, singleton};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = singleton("/user/settings", "Rules for passwords of users")
    .attrs(&[
        attr("minimum-categories", Kind::Int, "Kinds of characters a password needs"),
        attr("minimum-password-length", Kind::Int, "Shortest password"),
    ])
    .synonyms(&["password policy", "minimum password length", "password rules"])
    .topic(Topic::System);
