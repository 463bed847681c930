//! `/ip/hotspot/host`: devices seen on hotspot interfaces.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/56459266/HotSpot+-+Captive+portal>

use crate::menus::{COMMENT, DYNAMIC, Menu, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/ip/hotspot/host", "Devices seen on hotspot interfaces")
    .key(&["mac-address", "address"])
    .attrs(&[
        attr("DHCP", Kind::Flag, "").read_only(),
        attr("address", Kind::Address, "Address").read_only(),
        attr("authorized", Kind::Flag, "Let in").read_only(),
        attr("bypassed", Kind::Flag, "").read_only(),
        attr("bytes-in", Kind::Bytes, "Bytes from the client").read_only(),
        attr("bytes-out", Kind::Bytes, "Bytes to the client").read_only(),
        COMMENT.read_only(),
        DYNAMIC,
        attr("host-dead-time", Kind::Span, "").read_only(),
        attr("idle-time", Kind::Span, "Time without traffic").read_only(),
        attr("idle-timeout", Kind::Span, "Silence after which the session ends").read_only(),
        attr("keepalive-timeout", Kind::Span, "Silence after which the other side counts as gone").read_only(),
        attr("mac-address", Kind::Mac, "MAC address").read_only(),
        attr("packets-in", Kind::Text, "Packets from the client").read_only(),
        attr("packets-out", Kind::Text, "Packets to the client").read_only(),
        attr("server", Kind::Name, "Server it belongs to").read_only(),
        attr("static", Kind::Flag, "Set by hand").read_only(),
        attr("to-address", Kind::Address, "Address put in place").read_only(),
        attr("uptime", Kind::Span, "Time since start").read_only(),
        attr("vlan-id", Kind::Int, "VLAN id").read_only(),
    ])
    .synonyms(&["hotspot hosts", "hotspot devices"])
    .commands(&["make-binding"])
    .read_only();
