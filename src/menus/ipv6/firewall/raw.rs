//! `/ipv6/firewall/raw`: IPv6 rules before connection tracking, first match wins.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/250708064/Common+Firewall+Matchers+and+Actions>

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
            "jump",
            "log",
            "notrack",
            "passthrough",
            "return",
        ]),
        "What happens to a packet that matches",
    )
    .required(),
    attr("headers", Kind::Text, "IPv6 extension headers present"),
    attr("hop-limit", Kind::Text, "Hop limit"),
    attr("tcp-flags", Kind::Text, "TCP flags set or not set"),
    attr("tls-host", Kind::Text, "Name asked for in the TLS hello"),
];

const ATTRS: [Attr; MATCHERS.len() + OWN.len()] = join(MATCHERS, OWN);

/// The facts.
pub const MENU: Menu = ordered("/ipv6/firewall/raw", "IPv6 rules before connection tracking, first match wins")
    .attrs(&ATTRS)
    .synonyms(&["ipv6 raw rules", "ipv6 raw firewall", "ipv6 notrack"])
    .commands(&["reset-counters", "reset-counters-all"])
    .topic(Topic::Firewall)
    .cuts_access();
