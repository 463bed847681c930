//! `/ip/firewall/connection/tracking`: connection tracking settings.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/130220087/Connection+tracking>

use crate::menus::{Menu, Topic, attr, singleton};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = singleton("/ip/firewall/connection/tracking", "Connection tracking settings")
    .attrs(&[
        attr("enabled", Kind::Enum(&["auto", "no", "yes"]), "Switched on"),
        attr("generic-timeout", Kind::Span, ""),
        attr("icmp-timeout", Kind::Span, ""),
        attr("liberal-tcp-tracking", Kind::Flag, ""),
        attr("loose-tcp-tracking", Kind::Flag, ""),
        attr("tcp-close-timeout", Kind::Span, ""),
        attr("tcp-close-wait-timeout", Kind::Span, ""),
        attr("tcp-established-timeout", Kind::Span, ""),
        attr("tcp-fin-wait-timeout", Kind::Span, ""),
        attr("tcp-last-ack-timeout", Kind::Span, ""),
        attr("tcp-max-retrans-timeout", Kind::Span, ""),
        attr("tcp-syn-received-timeout", Kind::Span, ""),
        attr("tcp-syn-sent-timeout", Kind::Span, ""),
        attr("tcp-time-wait-timeout", Kind::Span, ""),
        attr("tcp-unacked-timeout", Kind::Span, ""),
        attr("udp-stream-timeout", Kind::Span, ""),
        attr("udp-timeout", Kind::Span, ""),
        attr("active-ipv4", Kind::Int, "").read_only(),
        attr("active-ipv6", Kind::Int, "").read_only(),
        attr("max-entries", Kind::Int, "Largest table").read_only(),
        attr("total-entries", Kind::Int, "Connections tracked now").read_only(),
        attr("total-ip4-entries", Kind::Int, "").read_only(),
        attr("total-ip6-entries", Kind::Int, "").read_only(),
    ])
    .synonyms(&["connection tracking", "conntrack settings", "tcp timeout", "udp timeout", "connection table size"])
    .topic(Topic::Firewall)
    .cuts_access();
