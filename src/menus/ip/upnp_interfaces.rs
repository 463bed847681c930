//! `/ip/upnp/interfaces`: interfaces UPnP works on.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/24805490/UPnP>

use crate::menus::{DISABLED, DYNAMIC, Menu, Topic, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/ip/upnp/interfaces", "Interfaces UPnP works on")
    .key(&["interface"])
    .attrs(&[
        DISABLED,
        attr("forced-ip", Kind::Text, ""),
        attr("interface", Kind::Name, "Interface it belongs to").required(),
        attr("type", Kind::Enum(&["external", "internal"]), "internal or external").required(),
        DYNAMIC,
    ])
    .synonyms(&["upnp interfaces"])
    .topic(Topic::Firewall);
