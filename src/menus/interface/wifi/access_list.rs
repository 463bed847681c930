//! `/interface/wifi/access-list`: which Wi-Fi clients may connect, first match wins.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/224559120/WiFi>

use crate::menus::{COMMENT, DISABLED, Menu, Topic, attr, ordered};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = ordered("/interface/wifi/access-list", "Which Wi-Fi clients may connect, first match wins")
    .attrs(&[
        attr("action", Kind::Enum(&["accept", "query-radius", "reject"]), "What happens to a packet that matches"),
        attr("allow-signal-out-of-range", Kind::Span, "How long the signal may be out of range"),
        attr("client-isolation", Kind::Flag, "Clients do not reach each other"),
        COMMENT,
        attr("days", Kind::Set, "Days it runs on"),
        DISABLED,
        attr("interface", Kind::Name, "Interface it belongs to"),
        attr("mac-address", Kind::Mac, "MAC address"),
        attr("mac-address-mask", Kind::Mac, "Part of the MAC address that counts"),
        attr("multi-passphrase-group", Kind::Text, "Group of passphrases"),
        attr("passphrase", Kind::Text, "WPA passphrase").secret(),
        attr("radius-accounting", Kind::Flag, "RADIUS accounting"),
        attr("signal-range", Kind::Text, "Signals it applies to, dBm"),
        attr("ssid-regexp", Kind::Text, "Network names it applies to"),
        attr("time", Kind::Text, "Hours and days"),
        attr("vlan-id", Kind::Int, "VLAN id"),
        attr("last-logged-in", Kind::Time, "When the user last logged in").read_only(),
        attr("last-logged-out", Kind::Time, "When it ended last").read_only(),
        attr("match-count", Kind::Int, "").read_only(),
    ])
    .synonyms(&["wifi access list", "wifi mac filter", "block wifi client", "allow wifi device", "private passphrase"])
    .topic(Topic::Wireless)
    .cuts_access()
    .since(7, 13);
