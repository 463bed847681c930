//! `/ip/firewall/connection`: IPv4 connections tracked now.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/130220087/Connection+tracking>

use crate::menus::{Attr, Menu, Topic, attr, list};
use crate::routeros::value::Kind;

/// Its attributes; the IPv6 menu has the same.
pub const ATTRS: &[Attr] = &[
    attr("assured", Kind::Flag, "Traffic seen both ways").read_only(),
    attr("confirmed", Kind::Flag, "Confirmed by a packet that left").read_only(),
    attr("connection-mark", Kind::Name, "Mark of the connection").read_only(),
    attr("connection-type", Kind::Text, "Helper that follows the connection").read_only(),
    attr("dst-address", Kind::Text, "Destination address or network").read_only(),
    attr("dst-port", Kind::Int, "Destination port or ports").read_only(),
    attr("dstnat", Kind::Flag, "Went through destination NAT").read_only(),
    attr("dying", Kind::Flag, "About to be removed").read_only(),
    attr("expected", Kind::Flag, "Expected by a helper").read_only(),
    attr("fasttrack", Kind::Flag, "Fasttracked").read_only(),
    attr("hw-offload", Kind::Flag, "Done in hardware").read_only(),
    attr("orig-bytes", Kind::Bytes, "Bytes from the side that opened it").read_only(),
    attr("orig-fasttrack-bytes", Kind::Bytes, "").read_only(),
    attr("orig-fasttrack-packets", Kind::Count, "").read_only(),
    attr("orig-packets", Kind::Count, "Packets from the side that opened it").read_only(),
    attr("orig-rate", Kind::Rate, "Speed from the side that opened it").read_only(),
    attr("protocol", Kind::Text, "IP protocol").read_only(),
    attr("repl-bytes", Kind::Bytes, "Bytes from the other side").read_only(),
    attr("repl-fasttrack-bytes", Kind::Bytes, "").read_only(),
    attr("repl-fasttrack-packets", Kind::Count, "").read_only(),
    attr("repl-packets", Kind::Count, "Packets from the other side").read_only(),
    attr("repl-rate", Kind::Rate, "Speed from the other side").read_only(),
    attr("reply-dst-address", Kind::Text, "Destination address of answers").read_only(),
    attr("reply-dst-port", Kind::Int, "Destination port of answers").read_only(),
    attr("reply-src-address", Kind::Text, "Source address of answers").read_only(),
    attr("reply-src-port", Kind::Int, "Source port of answers").read_only(),
    attr("seen-reply", Kind::Flag, "Answered at least once").read_only(),
    attr("src-address", Kind::Text, "Source address or network").read_only(),
    attr("src-port", Kind::Int, "Source port or ports").read_only(),
    attr("srcnat", Kind::Flag, "Went through source NAT").read_only(),
    attr("tcp-state", Kind::Text, "TCP state").read_only(),
    attr("timeout", Kind::Span, "Time left").read_only(),
];

/// The facts.
pub const MENU: Menu = list("/ip/firewall/connection", "IPv4 connections tracked now")
    .key(&["protocol", "src-address", "src-port", "dst-address", "dst-port"])
    .attrs(ATTRS)
    .synonyms(&["connections", "active connections", "sessions", "connection table", "conntrack", "open connections", "nat sessions"])
    .topic(Topic::Firewall)
    .read_only();
