//! `/ip/firewall/raw`: IPv4 rules before connection tracking, first match wins.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/250708064/Common+Firewall+Matchers+and+Actions>

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
            "jump",
            "log",
            "notrack",
            "passthrough",
            "return",
        ]),
        "What happens to a packet that matches",
    )
    .required(),
    attr("fragment", Kind::Flag, "Second and later fragments"),
    attr("hotspot", Kind::Text, "State of the hotspot client"),
    attr("ipv4-options", Kind::Text, "IP options present"),
    attr("psd", Kind::Text, "Port scan detection"),
    attr("tcp-flags", Kind::Text, "TCP flags set or not set"),
    attr("tls-host", Kind::Text, "Name asked for in the TLS hello"),
    attr("ttl", Kind::Text, "Time to live"),
];

const ATTRS: [Attr; MATCHERS.len() + OWN.len()] = join(MATCHERS, OWN);

/// The facts.
pub const MENU: Menu = ordered("/ip/firewall/raw", "IPv4 rules before connection tracking, first match wins")
    .attrs(&ATTRS)
    .synonyms(&["raw rules", "raw firewall", "notrack", "ddos protection", "drop before connection tracking"])
    .commands(&["reset-counters", "reset-counters-all"])
    .topic(Topic::Firewall)
    .cuts_access();
