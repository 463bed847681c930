//! `/ip/firewall/filter`: IPv4 firewall rules: what is accepted and dropped, first match wins.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/48660574/Filter>

use super::matchers::MATCHERS;
use crate::menus::{Attr, Menu, Topic, attr, join, ordered};
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
            "tarpit",
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
    attr("fragment", Kind::Flag, "Second and later fragments"),
    attr("hotspot", Kind::Text, "State of the hotspot client"),
    attr("ipv4-options", Kind::Text, "IP options present"),
    attr("layer7-protocol", Kind::Text, "Layer 7 pattern that matches"),
    attr("p2p", Kind::Text, "Peer-to-peer protocol"),
    attr("psd", Kind::Text, "Port scan detection"),
    attr("realm", Kind::Text, "Route realm"),
    attr("reject-with", Kind::Text, "Answer sent when rejecting"),
    attr("routing-mark", Kind::Name, "Mark that chose the routing table"),
    attr("tcp-flags", Kind::Text, "TCP flags set or not set"),
    attr("tls-host", Kind::Text, "Name asked for in the TLS hello"),
    attr("ttl", Kind::Text, "Time to live"),
];

const ATTRS: [Attr; MATCHERS.len() + OWN.len()] = join(MATCHERS, OWN);

/// The facts.
pub const MENU: Menu = ordered("/ip/firewall/filter", "IPv4 firewall rules: what is accepted and dropped, first match wins")
    .attrs(&ATTRS)
    .synonyms(&[
        "firewall rules",
        "firewall",
        "filter rules",
        "block traffic",
        "allow traffic",
        "input chain",
        "forward chain",
        "acl",
        "drop rule",
        "packet filter",
        "block an ip",
        "fasttrack",
        "block website by tls host",
    ])
    .commands(&["reset-counters", "reset-counters-all"])
    .topic(Topic::Firewall)
    .cuts_access();
