//! `/ip/ipsec/active-peers`: IPsec peers connected now.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/11993097/IPsec>

use crate::menus::{COMMENT, Menu, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/ip/ipsec/active-peers", "IPsec peers connected now")
    .key(&["local-address", "remote-address", "port"])
    .attrs(&[
        COMMENT,
        attr("dynamic-address", Kind::Address, "Address handed to the peer").read_only(),
        attr("id", Kind::Text, "Identifier").read_only().untrusted(),
        attr("last-seen", Kind::Span, "Time since it was seen").read_only(),
        attr("local-address", Kind::Address, "Own address").read_only(),
        attr("natt-peer", Kind::Flag, "Peer is behind NAT").read_only(),
        attr("ph2-total", Kind::Int, "").read_only(),
        attr("port", Kind::Int, "Port").read_only(),
        attr("remote-address", Kind::Address, "Address of the other side").read_only(),
        attr("responder", Kind::Flag, "Only answers, never starts").read_only(),
        attr("rx-bytes", Kind::Bytes, "Bytes received").read_only(),
        attr("rx-packets", Kind::Count, "Packets received").read_only(),
        attr("side", Kind::Text, "Initiator or responder").read_only(),
        attr("state", Kind::Text, "State").read_only(),
        attr("tx-bytes", Kind::Bytes, "Bytes sent").read_only(),
        attr("tx-packets", Kind::Count, "Packets sent").read_only(),
        attr("uptime", Kind::Span, "Time since start").read_only(),
    ])
    .synonyms(&["ipsec active peers", "ipsec status", "vpn status", "connected vpn", "ike sessions", "phase 1 state"])
    .commands(&["kill-connections"])
    .read_only();
