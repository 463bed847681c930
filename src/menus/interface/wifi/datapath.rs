//! `/interface/wifi/datapath`: where Wi-Fi clients join the network.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/224559120/WiFi>

use crate::menus::{COMMENT, DISABLED, Menu, Topic, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/interface/wifi/datapath", "Where Wi-Fi clients join the network")
    .key(&["name"])
    .attrs(&[
        attr("bridge", Kind::Name, "Bridge"),
        attr("bridge-cost", Kind::Int, "Path cost of its bridge port"),
        attr("bridge-horizon", Kind::Text, "Horizon of its bridge port"),
        attr("client-isolation", Kind::Flag, "Clients do not reach each other"),
        COMMENT,
        DISABLED,
        attr("interface-list", Kind::Name, "Interface list it joins"),
        attr("name", Kind::Name, "Name others refer to"),
        attr("openflow-switch", Kind::Text, ""),
        attr("traffic-processing", Kind::Enum(&["on-cap", "on-capsman", "on-capsman-secure"]), "Where traffic enters the network"),
        attr("vlan-id", Kind::Int, "VLAN id"),
    ])
    .synonyms(&["wifi datapath", "wifi vlan", "guest isolation", "wifi bridge", "client isolation"])
    .topic(Topic::Wireless)
    .cuts_access()
    .since(7, 13);
