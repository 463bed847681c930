//! What all firewall rule tables match on, IPv4 and IPv6.
//!
//! Absent means not asked. `disabled` and `log` are there or not by how the row was written.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/250708064/Common+Firewall+Matchers+and+Actions>

use crate::menus::{Attr, COMMENT, DYNAMIC, INVALID, attr};
use crate::routeros::value::Kind;

/// The matchers.
pub const MATCHERS: &[Attr] = &[
    attr("address-list", Kind::Name, "Address list entries go into"),
    attr("address-list-timeout", Kind::Span, "How long an entry made by the rule stays"),
    attr("chain", Kind::Name, "Chain the rule stands in").required(),
    COMMENT,
    attr("content", Kind::Text, "Text the packet holds"),
    attr("disabled", Kind::Flag, "Kept in the table but not in use").absent_no(),
    attr("dscp", Kind::Text, "DSCP value"),
    attr("dst-address", Kind::Text, "Destination address or network"),
    attr("dst-address-list", Kind::Name, "Destination is in this address list"),
    attr("dst-address-type", Kind::Text, "Kind of destination address"),
    attr("dst-limit", Kind::Text, "Matches up to a rate per destination"),
    attr("dst-port", Kind::Text, "Destination port or ports"),
    attr("icmp-options", Kind::Text, "ICMP type and code"),
    attr("in-bridge-port", Kind::Name, "Bridge port a packet came in by"),
    attr("in-bridge-port-list", Kind::Name, "List of bridge ports a packet came in by"),
    attr("in-interface", Kind::Name, "Interface a packet came in by"),
    attr("in-interface-list", Kind::Name, "Interface list a packet came in by"),
    attr("ingress-priority", Kind::Text, "Priority the packet came with"),
    attr("ipsec-policy", Kind::Text, "Whether IPsec handles the packet"),
    attr("jump-target", Kind::Name, "Chain to go on in"),
    attr("limit", Kind::Text, "Matches up to a rate"),
    attr("log", Kind::Flag, "Log each match").absent_no(),
    attr("log-prefix", Kind::Text, "Begins each log line of the rule"),
    attr("nth", Kind::Text, "Every n-th packet"),
    attr("out-bridge-port", Kind::Name, "Bridge port a packet leaves by"),
    attr("out-bridge-port-list", Kind::Name, "List of bridge ports a packet leaves by"),
    attr("out-interface", Kind::Name, "Interface a packet leaves by"),
    attr("out-interface-list", Kind::Name, "Interface list a packet leaves by"),
    attr("packet-mark", Kind::Name, "Mark of the packet"),
    attr("packet-size", Kind::Text, "Size of the packet"),
    attr("per-connection-classifier", Kind::Text, "Share of connections, by hash"),
    attr("port", Kind::Text, "Source or destination port"),
    attr("priority", Kind::Text, "Priority"),
    attr("protocol", Kind::Text, "IP protocol"),
    attr("random", Kind::Text, "Matches this share of packets, percent"),
    attr("src-address", Kind::Text, "Source address or network"),
    attr("src-address-list", Kind::Name, "Source is in this address list"),
    attr("src-address-type", Kind::Text, "Kind of source address"),
    attr("src-mac-address", Kind::Text, "Source MAC address"),
    attr("src-port", Kind::Text, "Source port or ports"),
    attr("tcp-mss", Kind::Text, "TCP segment size"),
    attr("time", Kind::Text, "Hours and days"),
    attr("tos", Kind::Text, "Type of service"),
    attr("bytes", Kind::Bytes, "Bytes counted").read_only(),
    DYNAMIC,
    INVALID,
    attr("packets", Kind::Count, "Packets counted").read_only(),
];
