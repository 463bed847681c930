//! `/ip/firewall/nat`: IPv4 network address translation, first match wins.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/3211299/NAT>

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
            "dst-nat",
            "endpoint-independent-nat",
            "jump",
            "log",
            "masquerade",
            "netmap",
            "passthrough",
            "redirect",
            "return",
            "same",
            "socksify",
            "src-nat",
        ]),
        "What happens to a packet that matches",
    )
    .required(),
    attr("connection-bytes", Kind::Text, "Bytes the connection moved"),
    attr("connection-limit", Kind::Text, "Connections per address or network"),
    attr("connection-mark", Kind::Name, "Mark of the connection"),
    attr("connection-rate", Kind::Text, "Current speed of the connection"),
    attr("connection-type", Kind::Text, "Helper that follows the connection"),
    attr("fragment", Kind::Flag, "Second and later fragments"),
    attr("hotspot", Kind::Text, "State of the hotspot client"),
    attr("ipv4-options", Kind::Text, "IP options present"),
    attr("layer7-protocol", Kind::Text, "Layer 7 pattern that matches"),
    attr("psd", Kind::Text, "Port scan detection"),
    attr("randomise-ports", Kind::Flag, ""),
    attr("realm", Kind::Text, "Route realm"),
    attr("routing-mark", Kind::Name, "Mark that chose the routing table"),
    attr("same-not-by-dst", Kind::Flag, ""),
    attr("socks5-port", Kind::Text, ""),
    attr("socks5-server", Kind::Text, ""),
    attr("socksify-service", Kind::Text, ""),
    attr("to-addresses", Kind::Text, "Address or range put in place"),
    attr("to-ports", Kind::Text, "Port or range put in place"),
    attr("ttl", Kind::Text, "Time to live"),
];

const ATTRS: [Attr; MATCHERS.len() + OWN.len()] = join(MATCHERS, OWN);

/// The facts.
pub const MENU: Menu = ordered("/ip/firewall/nat", "IPv4 network address translation, first match wins")
    .attrs(&ATTRS)
    .synonyms(&[
        "nat",
        "nat rules",
        "dst nat",
        "src nat",
        "masquerade",
        "port forward",
        "port forwarding",
        "port forwards",
        "dnat",
        "snat",
        "open a port",
        "publish a server",
        "hairpin nat",
        "redirect port",
        "virtual server",
    ])
    .commands(&["reset-counters", "reset-counters-all"])
    .topic(Topic::Firewall)
    .cuts_access();
