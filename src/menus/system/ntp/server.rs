//! `/system/ntp/server`: NTP server settings.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/40992869/NTP>

use crate::menus::{Menu, Topic, attr, singleton};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = singleton("/system/ntp/server", "NTP server settings")
    .attrs(&[
        attr("auth-key", Kind::Text, "Authentication key").secret(),
        attr("broadcast", Kind::Flag, "Broadcast address"),
        attr("broadcast-addresses", Kind::Text, ""),
        attr("enabled", Kind::Flag, "Switched on"),
        attr("local-clock-stratum", Kind::Int, ""),
        attr("manycast", Kind::Flag, ""),
        attr("multicast", Kind::Flag, ""),
        attr("use-local-clock", Kind::Flag, ""),
        attr("vrf", Kind::Name, "VRF it works in"),
    ])
    .synonyms(&["ntp server", "serve time"])
    .topic(Topic::System);
