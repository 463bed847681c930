//! `/ip/firewall/mangle`: IPv4 marks on packets and connections, first match wins.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/48660587/Mangle>

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
            "change-dscp",
            "change-mss",
            "change-ttl",
            "clear-df",
            "fasttrack-connection",
            "jump",
            "log",
            "mark-connection",
            "mark-packet",
            "mark-routing",
            "passthrough",
            "return",
            "route",
            "set-priority",
            "sniff-pc",
            "sniff-tzsp",
            "strip-ipv4-options",
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
    attr("new-connection-mark", Kind::Name, "Mark put on the connection"),
    attr("new-dscp", Kind::Text, "DSCP put on the packet"),
    attr("new-mss", Kind::Text, "TCP segment size put in place"),
    attr("new-packet-mark", Kind::Name, "Mark put on the packet"),
    attr("new-priority", Kind::Text, "Priority put on the packet"),
    attr("new-routing-mark", Kind::Name, "Routing table put on the packet"),
    attr("new-ttl", Kind::Text, "TTL put in place"),
    attr("p2p", Kind::Text, "Peer-to-peer protocol"),
    attr("passthrough", Kind::Flag, "Go on with the next rule"),
    attr("psd", Kind::Text, "Port scan detection"),
    attr("realm", Kind::Text, "Route realm"),
    attr("route-dst", Kind::Text, ""),
    attr("routing-mark", Kind::Name, "Mark that chose the routing table"),
    attr("sniff-id", Kind::Text, ""),
    attr("sniff-target", Kind::Text, ""),
    attr("sniff-target-port", Kind::Text, ""),
    attr("tcp-flags", Kind::Text, "TCP flags set or not set"),
    attr("tls-host", Kind::Text, "Name asked for in the TLS hello"),
    attr("ttl", Kind::Text, "Time to live"),
];

const ATTRS: [Attr; MATCHERS.len() + OWN.len()] = join(MATCHERS, OWN);

/// The facts.
pub const MENU: Menu = ordered("/ip/firewall/mangle", "IPv4 marks on packets and connections, first match wins")
    .attrs(&ATTRS)
    .synonyms(&["mangle", "packet marks", "connection marks", "routing marks", "mss clamp", "policy routing marks", "qos marks"])
    .commands(&["reset-counters", "reset-counters-all"])
    .topic(Topic::Firewall)
    .cuts_access();
