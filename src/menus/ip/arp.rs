//! `/ip/arp`: ARP table: which MAC address has which IPv4 address.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/100892687/ARP>

use crate::menus::{COMMENT, DISABLED, DYNAMIC, INVALID, Menu, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/ip/arp", "ARP table: which MAC address has which IPv4 address")
    .key(&["address", "interface"])
    .attrs(&[
        attr("address", Kind::Address, "Address"),
        COMMENT,
        DISABLED,
        attr("interface", Kind::Name, "Interface it is seen on"),
        attr("mac-address", Kind::Mac, "MAC address"),
        attr("published", Kind::Flag, "Answer for this address (proxy ARP)"),
        attr("complete", Kind::Flag, "MAC address is known").read_only(),
        attr("dhcp", Kind::Flag, "Learnt from DHCP").read_only(),
        DYNAMIC,
        INVALID,
        attr("status", Kind::Text, "State as the router reports it").read_only(),
        attr("vrf", Kind::Name, "VRF it works in").read_only(),
    ])
    .synonyms(&["arp", "arp table", "mac to ip", "ip to mac", "devices on the network", "neighbours on the lan"])
    .cuts_access();
