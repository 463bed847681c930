//! `/ip/upnp`: UPnP settings.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/24805490/UPnP>

use crate::menus::{Menu, Topic, attr, singleton};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = singleton("/ip/upnp", "UPnP settings")
    .attrs(&[
        attr("allow-disable-external-interface", Kind::Flag, ""),
        attr("enabled", Kind::Flag, "Switched on"),
        attr("show-dummy-rule", Kind::Flag, ""),
    ])
    .synonyms(&["upnp", "universal plug and play", "automatic port forwarding"])
    .topic(Topic::Firewall);
