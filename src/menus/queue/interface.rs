//! `/queue/interface`: queue of each interface.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/328088/Queues>

use crate::menus::{Menu, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/queue/interface", "Queue of each interface")
    .key(&["interface"])
    .attrs(&[
        attr("queue", Kind::Name, "Queue type"),
        attr("active-queue", Kind::Name, "").read_only(),
        attr("default-queue", Kind::Name, "").read_only(),
        attr("interface", Kind::Name, "Interface it belongs to").read_only(),
    ])
    .synonyms(&["interface queue", "only hardware queue"]);
