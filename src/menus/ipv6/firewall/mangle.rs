//! `/ipv6/firewall/mangle`: IPv6 marks on packets and connections, first match wins.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/48660587/Mangle>

use crate::menus::{Attr, Menu, Topic, attr, ip::firewall::matchers::MATCHERS, join, ordered};
use crate::routeros::value::Kind;

const OWN: &[Attr] = &[
    attr(
        "action",
        Kind::Enum(&[
            "accept",
            "add-dst-to-address-list",
            "add-src-to-address-list",
            "change-dscp",
            "change-hop-limit",
            "change-mss",
            "dnpt",
            "jump",
            "log",
            "mark-connection",
            "mark-packet",
            "mark-routing",
            "passthrough",
            "return",
            "set-priority",
            "sniff-pc",
            "sniff-tzsp",
            "snpt",
        ]),
        "What happens to a packet that matches",
    )
    .required(),
    attr("connection-bytes", Kind::Text, "Bytes the connection moved"),
    attr("connection-limit", Kind::Text, "Connections per address or network"),
    attr("connection-mark", Kind::Name, "Mark of the connection"),
    attr("connection-nat-state", Kind::Text, "Connection went through source or destination NAT"),
    attr("connection-rate", Kind::Text, "Current speed of the connection"),
    attr("connection-state", Kind::Text, "State of the connection: established, related, new, invalid, untracked"),
    attr("connection-type", Kind::Text, "Helper that follows the connection"),
    attr("dst-prefix", Kind::Text, ""),
    attr("headers", Kind::Text, "IPv6 extension headers present"),
    attr("hop-limit", Kind::Text, "Hop limit"),
    attr("new-connection-mark", Kind::Name, "Mark put on the connection"),
    attr("new-dscp", Kind::Text, "DSCP put on the packet"),
    attr("new-hop-limit", Kind::Text, "Hop limit put in place"),
    attr("new-mss", Kind::Text, "TCP segment size put in place"),
    attr("new-packet-mark", Kind::Name, "Mark put on the packet"),
    attr("new-priority", Kind::Text, "Priority put on the packet"),
    attr("new-routing-mark", Kind::Name, "Routing table put on the packet"),
    attr("passthrough", Kind::Flag, "Go on with the next rule"),
    attr("routing-mark", Kind::Name, "Mark that chose the routing table"),
    attr("sniff-id", Kind::Text, ""),
    attr("sniff-target", Kind::Text, ""),
    attr("sniff-target-port", Kind::Text, ""),
    attr("src-prefix", Kind::Text, ""),
    attr("tcp-flags", Kind::Text, "TCP flags set or not set"),
    attr("tls-host", Kind::Text, "Name asked for in the TLS hello"),
];

const ATTRS: [Attr; MATCHERS.len() + OWN.len()] = join(MATCHERS, OWN);

/// The facts.
pub const MENU: Menu = ordered("/ipv6/firewall/mangle", "IPv6 marks on packets and connections, first match wins")
    .attrs(&ATTRS)
    .synonyms(&["ipv6 mangle", "ipv6 packet marks", "ipv6 connection marks", "ipv6 routing marks", "ipv6 mss clamp"])
    .commands(&["reset-counters", "reset-counters-all"])
    .topic(Topic::Firewall)
    .cuts_access();
