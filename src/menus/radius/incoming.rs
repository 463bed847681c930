//! `/radius/incoming`: RADIUS requests taken from servers.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/328097/RADIUS>

use crate::menus::{Menu, Topic, attr, singleton};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = singleton("/radius/incoming", "RADIUS requests taken from servers")
    .attrs(&[
        attr("accept", Kind::Flag, "Takes disconnect and change requests"),
        attr("port", Kind::Int, "Port"),
        attr("vrf", Kind::Name, "VRF it works in"),
    ])
    .synonyms(&["radius incoming", "coa", "change of authorization", "disconnect messages"])
    .commands(&["monitor", "reset-counters"])
    .topic(Topic::System);
