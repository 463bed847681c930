//! `/ipv6/neighbor`: IPv6 neighbours: which MAC address has which IPv6 address.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/40992815/IPv6+Neighbor+Discovery>

use crate::menus::{COMMENT, DISABLED, DYNAMIC, Menu, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/ipv6/neighbor", "IPv6 neighbours: which MAC address has which IPv6 address")
    .key(&["address", "interface"])
    .attrs(&[
        attr("address", Kind::Address, "Address"),
        COMMENT,
        DISABLED,
        attr("interface", Kind::Name, "Interface it belongs to"),
        attr("mac-address", Kind::Mac, "MAC address"),
        DYNAMIC,
        attr("router", Kind::Flag, "Is a router").read_only(),
        attr("status", Kind::Text, "State as the router reports it").read_only(),
        attr("vrf", Kind::Name, "VRF it works in").read_only(),
    ])
    .synonyms(&["ipv6 neighbors", "ipv6 arp", "ndp", "ipv6 devices"])
    .cuts_access();
