//! `/caps-man/access-list`: which clients may connect under old CAPsMAN, first match wins.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/7962638/CAPsMAN>

use crate::menus::{COMMENT, DISABLED, Menu, Topic, attr, ordered};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = ordered("/caps-man/access-list", "Which clients may connect under old CAPsMAN, first match wins")
    .attrs(&[
        attr("action", Kind::Text, "What happens to a packet that matches"),
        attr("allow-signal-out-of-range", Kind::Text, "How long the signal may be out of range"),
        attr("ap-tx-limit", Kind::Text, ""),
        attr("client-to-client-forwarding", Kind::Flag, "Clients reach each other"),
        attr("client-tx-limit", Kind::Text, ""),
        COMMENT,
        DISABLED,
        attr("interface", Kind::Name, "Interface it belongs to"),
        attr("mac-address", Kind::Mac, "MAC address"),
        attr("mac-address-mask", Kind::Mac, "Part of the MAC address that counts"),
        attr("private-passphrase", Kind::Text, "Passphrase of this client").secret(),
        attr("radius-accounting", Kind::Flag, "RADIUS accounting"),
        attr("signal-range", Kind::Text, "Signals it applies to, dBm"),
        attr("ssid-regexp", Kind::Text, "Network names it applies to"),
        attr("time", Kind::Text, "Hours and days"),
        attr("vlan-id", Kind::Int, "VLAN id"),
        attr("vlan-mode", Kind::Text, ""),
    ])
    .synonyms(&["capsman access list"])
    .package("wireless")
    .topic(Topic::Wireless)
    .cuts_access();
