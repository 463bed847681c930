//! `/system/identity`: name of the router.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/40992856/Identity>

use crate::menus::{Menu, Topic, attr, singleton};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = singleton("/system/identity", "Name of the router")
    .attrs(&[attr("name", Kind::Name, "Name of the router")])
    .synonyms(&["identity", "hostname", "router name", "device name", "system name", "rename router"])
    .topic(Topic::System)
    .basic();
