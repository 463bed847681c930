//! `/interface/veth`: virtual cables to containers.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/84901929/Container>

use crate::menus::{COMMENT, DISABLED, Menu, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/interface/veth", "Virtual cables to containers")
    .key(&["name"])
    .attrs(&[
        attr("address", Kind::Text, "Address"),
        COMMENT,
        attr("container-mac-address", Kind::Mac, ""),
        attr("dhcp", Kind::Text, "Address by DHCP"),
        DISABLED,
        attr("gateway", Kind::Address, "Gateway of the container"),
        attr("gateway6", Kind::Text, ""),
        attr("mac-address", Kind::Mac, "MAC address"),
        attr("name", Kind::Name, "Name others refer to"),
    ])
    .synonyms(&["veth", "container network", "virtual ethernet"])
    .package("container")
    .cuts_access()
    .since(7, 4);
