//! `/ip/address`: IPv4 addresses on interfaces.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/328247/IP+Addressing>

use crate::menus::{COMMENT, DISABLED, DYNAMIC, INVALID, Menu, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/ip/address", "IPv4 addresses on interfaces")
    .key(&["address", "interface"])
    .attrs(&[
        attr("address", Kind::Prefix, "Address with prefix length, e.g. 192.0.2.1/24").required(),
        attr("broadcast", Kind::Address, "Broadcast address"),
        COMMENT,
        DISABLED,
        attr("interface", Kind::Name, "Interface that carries it").required(),
        attr("netmask", Kind::Address, "Network mask"),
        attr("network", Kind::Address, "Network address"),
        attr("actual-interface", Kind::Name, "Interface in effect: the bridge of a member port").read_only(),
        DYNAMIC,
        INVALID,
        attr("slave", Kind::Flag, "Member of a bridge or bond").read_only(),
        attr("vrf", Kind::Name, "VRF it works in").read_only(),
    ])
    .synonyms(&["ip addresses", "ipv4 addresses", "interface addresses", "router ip", "subnets", "what ip does the router have"])
    .basic()
    .cuts_access();
