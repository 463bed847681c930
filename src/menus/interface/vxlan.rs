//! `/interface/vxlan`: VXLAN interfaces.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/100007937/VXLAN>

use crate::menus::{COMMENT, DISABLED, Menu, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/interface/vxlan", "VXLAN interfaces")
    .key(&["name"])
    .attrs(&[
        attr("allow-fast-path", Kind::Flag, "Fast path allowed"),
        attr("arp", Kind::Enum(&["disabled", "enabled", "local-proxy-arp", "proxy-arp", "reply-only"]), "How ARP is answered"),
        attr("arp-timeout", Kind::Span, "How long an ARP entry lives"),
        attr("bridge", Kind::Name, "Bridge"),
        attr("bridge-pvid", Kind::Text, ""),
        attr("checksum", Kind::Flag, ""),
        COMMENT,
        DISABLED,
        attr("dont-fragment", Kind::Enum(&["auto", "disabled", "enabled", "inherit"]), "Don't-fragment bit of the outer packet"),
        attr("group", Kind::Name, "Multicast group"),
        attr("hw", Kind::Flag, "Hardware offloading wanted"),
        attr("interface", Kind::Name, "Interface it belongs to"),
        attr("learning", Kind::Flag, "Learns addresses now"),
        attr("local-address", Kind::Address, "Own address"),
        attr("loop-protect", Kind::Enum(&["default", "off", "on"]), "Loop protection"),
        attr("loop-protect-disable-time", Kind::Span, ""),
        attr("loop-protect-send-interval", Kind::Span, ""),
        attr("mac-address", Kind::Mac, "MAC address"),
        attr("max-fdb-size", Kind::Int, "Largest forwarding table"),
        attr("mtu", Kind::Int, "Largest layer 3 packet, bytes"),
        attr("name", Kind::Name, "Name others refer to"),
        attr("port", Kind::Int, "Port"),
        attr("rem-csum", Kind::Enum(&["both", "none", "rx", "tx"]), ""),
        attr("ttl", Kind::Text, "Time to live"),
        attr("vni", Kind::Int, "VXLAN network id").required(),
        attr("vtep-vrf", Kind::Name, ""),
        attr("vteps-ip-version", Kind::Enum(&["ipv4", "ipv6"]), "IP version of the tunnel"),
        attr("hw-offloaded", Kind::Flag, "Done in hardware").read_only(),
        attr("l2mtu", Kind::Int, "Largest layer 2 frame without its MAC header, bytes").read_only(),
        attr("loop-protect-status", Kind::Text, "State of loop protection").read_only(),
        attr("running", Kind::Flag, "Link is up").read_only(),
    ])
    .synonyms(&["vxlan", "overlay network", "vni"])
    .cuts_access();
