//! `/interface/vlan`: VLAN interfaces.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/88014957/VLAN>

use crate::menus::{COMMENT, DISABLED, Menu, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/interface/vlan", "VLAN interfaces")
    .key(&["name"])
    .attrs(&[
        attr("arp", Kind::Enum(&["disabled", "enabled", "local-proxy-arp", "proxy-arp", "reply-only"]), "How ARP is answered"),
        attr("arp-timeout", Kind::Span, "How long an ARP entry lives"),
        COMMENT,
        DISABLED,
        attr("interface", Kind::Name, "Interface the VLAN runs on").required(),
        attr("loop-protect", Kind::Enum(&["default", "off", "on"]), "Loop protection"),
        attr("loop-protect-disable-time", Kind::Span, ""),
        attr("loop-protect-send-interval", Kind::Span, ""),
        attr("mtu", Kind::Int, "Largest layer 3 packet, bytes"),
        attr("mvrp", Kind::Flag, ""),
        attr("name", Kind::Name, "Name others refer to"),
        attr("use-service-tag", Kind::Flag, "Service tag (802.1ad)"),
        attr("vlan-id", Kind::Int, "VLAN id").required(),
        attr("hw-offloaded", Kind::Flag, "Done in hardware").read_only(),
        attr("l2mtu", Kind::Int, "Largest layer 2 frame without its MAC header, bytes").read_only(),
        attr("loop-protect-status", Kind::Text, "State of loop protection").read_only(),
        attr("mac-address", Kind::Mac, "MAC address").read_only(),
        attr("running", Kind::Flag, "Link is up").read_only(),
    ])
    .synonyms(&["vlans", "vlan interfaces", "802.1q", "tagged interface", "vlan id"])
    .cuts_access();
