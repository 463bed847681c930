//! `/interface/bridge/host`: MAC addresses bridges have learnt.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/328068/Bridging+and+Switching>

use crate::menus::{COMMENT, DISABLED, DYNAMIC, INVALID, Menu, Topic, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/interface/bridge/host", "MAC addresses bridges have learnt")
    .key(&["mac-address", "bridge", "vid"])
    .attrs(&[
        attr("bridge", Kind::Name, "Bridge"),
        COMMENT,
        DISABLED,
        attr("interface", Kind::Name, "Interface it belongs to"),
        attr("mac-address", Kind::Mac, "MAC address"),
        attr("vid", Kind::Int, "VLAN id"),
        attr("aged", Kind::Flag, "").read_only(),
        attr("aged-peer", Kind::Flag, "").read_only(),
        DYNAMIC,
        attr("external", Kind::Flag, "Learnt from another table").read_only(),
        INVALID,
        attr("local", Kind::Flag, "The router's own address").read_only(),
        attr("on-interface", Kind::Name, "Port the address was seen on").read_only(),
        attr("remote-ip", Kind::Address, "Address of the other end").read_only(),
    ])
    .synonyms(&[
        "mac table",
        "mac address table",
        "forwarding table",
        "fdb",
        "bridge hosts",
        "learned mac addresses",
        "which port is a device on",
    ])
    .topic(Topic::Bridge);
