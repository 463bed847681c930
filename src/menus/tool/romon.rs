//! `/tool/romon`: RoMON settings.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/8978569/RoMON>

use crate::menus::{Menu, attr, singleton};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = singleton("/tool/romon", "RoMON settings")
    .attrs(&[
        attr("enabled", Kind::Flag, "Switched on"),
        attr("id", Kind::Mac, "Identifier"),
        attr("secrets", Kind::Text, "Shared secrets").secret(),
    ])
    .synonyms(&["romon", "router management overlay"])
    .commands(&["discover", "ping", "ssh"]);
