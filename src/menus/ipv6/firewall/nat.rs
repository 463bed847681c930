//! `/ipv6/firewall/nat`: IPv6 network address translation, first match wins.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/3211299/NAT>

use crate::menus::{Attr, Menu, Topic, attr, ip::firewall::matchers::MATCHERS, join, ordered};
use crate::routeros::value::Kind;

const OWN: &[Attr] = &[
    attr(
        "action",
        Kind::Enum(&[
            "accept",
            "add-dst-to-address-list",
            "add-src-to-address-list",
            "dst-nat",
            "jump",
            "log",
            "masquerade",
            "netmap",
            "passthrough",
            "redirect",
            "return",
            "src-nat",
        ]),
        "What happens to a packet that matches",
    )
    .required(),
    attr("connection-bytes", Kind::Text, "Bytes the connection moved"),
    attr("connection-limit", Kind::Text, "Connections per address or network"),
    attr("connection-mark", Kind::Name, "Mark of the connection"),
    attr("connection-rate", Kind::Text, "Current speed of the connection"),
    attr("connection-state", Kind::Text, "State of the connection: established, related, new, invalid, untracked"),
    attr("connection-type", Kind::Text, "Helper that follows the connection"),
    attr("headers", Kind::Text, "IPv6 extension headers present"),
    attr("hop-limit", Kind::Text, "Hop limit"),
    attr("routing-mark", Kind::Name, "Mark that chose the routing table"),
    attr("tcp-flags", Kind::Text, "TCP flags set or not set"),
    attr("to-address", Kind::Text, "Address put in place"),
    attr("to-ports", Kind::Text, "Port or range put in place"),
];

const ATTRS: [Attr; MATCHERS.len() + OWN.len()] = join(MATCHERS, OWN);

/// The facts.
pub const MENU: Menu = ordered("/ipv6/firewall/nat", "IPv6 network address translation, first match wins")
    .attrs(&ATTRS)
    .synonyms(&["ipv6 nat", "ipv6 nat rules", "ipv6 dst nat", "ipv6 src nat", "ipv6 masquerade"])
    .commands(&["reset-counters", "reset-counters-all"])
    .topic(Topic::Firewall)
    .cuts_access();
