//! `/ipv6/firewall/filter`: IPv6 firewall rules: what is accepted and dropped, first match wins.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/48660574/Filter>

use crate::menus::{Attr, Menu, Topic, attr, ip::firewall::matchers::MATCHERS, join, ordered};
use crate::routeros::value::Kind;

const OWN: &[Attr] = &[
    attr(
        "action",
        Kind::Enum(&[
            "accept",
            "add-dst-to-address-list",
            "add-src-to-address-list",
            "drop",
            "fasttrack-connection",
            "jump",
            "log",
            "passthrough",
            "reject",
            "return",
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
    attr("headers", Kind::Text, "IPv6 extension headers present"),
    attr("hop-limit", Kind::Text, "Hop limit"),
    attr("reject-with", Kind::Text, "Answer sent when rejecting"),
    attr("routing-mark", Kind::Name, "Mark that chose the routing table"),
    attr("tcp-flags", Kind::Text, "TCP flags set or not set"),
    attr("tls-host", Kind::Text, "Name asked for in the TLS hello"),
];

const ATTRS: [Attr; MATCHERS.len() + OWN.len()] = join(MATCHERS, OWN);

/// The facts.
pub const MENU: Menu = ordered("/ipv6/firewall/filter", "IPv6 firewall rules: what is accepted and dropped, first match wins")
    .attrs(&ATTRS)
    .synonyms(&[
        "ipv6 firewall rules",
        "ipv6 firewall",
        "ipv6 filter rules",
        "ipv6 block traffic",
        "ipv6 allow traffic",
        "ipv6 input chain",
        "ipv6 forward chain",
        "ipv6 acl",
        "ipv6 drop rule",
        "ipv6 packet filter",
    ])
    .commands(&["reset-counters", "reset-counters-all"])
    .topic(Topic::Firewall)
    .cuts_access();
