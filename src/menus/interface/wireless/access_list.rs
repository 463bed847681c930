//! `/interface/wireless/access-list`: which clients of the old driver may connect, first match wins.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/8978446/Wireless+Interface>

use crate::menus::{COMMENT, DISABLED, Menu, Topic, attr, ordered};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = ordered("/interface/wireless/access-list", "Which clients of the old driver may connect, first match wins")
    .attrs(&[
        attr("allow-signal-out-of-range", Kind::Text, "How long the signal may be out of range"),
        attr("ap-tx-limit", Kind::Text, ""),
        attr("authentication", Kind::Flag, "Authentication"),
        attr("client-tx-limit", Kind::Text, ""),
        COMMENT,
        DISABLED,
        attr("forwarding", Kind::Flag, "Forwards frames"),
        attr("interface", Kind::Name, "Interface it belongs to"),
        attr("mac-address", Kind::Mac, "MAC address"),
        attr("management-protection-key", Kind::Text, "").secret(),
        attr("private-algo", Kind::Text, ""),
        attr("private-key", Kind::Text, "Private key").secret(),
        attr("private-pre-shared-key", Kind::Text, "").secret(),
        attr("signal-range", Kind::Text, "Signals it applies to, dBm"),
        attr("time", Kind::Text, "Hours and days"),
        attr("vlan-id", Kind::Int, "VLAN id"),
        attr("vlan-mode", Kind::Text, ""),
    ])
    .synonyms(&["wireless access list", "mac filter", "block wireless client"])
    .package("wireless")
    .topic(Topic::Wireless)
    .cuts_access();
