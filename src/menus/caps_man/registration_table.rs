//! `/caps-man/registration-table`: clients of access points under old CAPsMAN.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/7962638/CAPsMAN>

use crate::menus::{COMMENT, Menu, Topic, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/caps-man/registration-table", "Clients of access points under old CAPsMAN")
    .key(&["mac-address", "interface"])
    .attrs(&[
        attr("bytes", Kind::Text, "Bytes counted").read_only(),
        COMMENT.read_only(),
        attr("eap-identity", Kind::Text, "EAP identity the client gave").read_only().untrusted(),
        attr("interface", Kind::Name, "Interface it belongs to").read_only(),
        attr("mac-address", Kind::Mac, "MAC address").read_only(),
        attr("packets", Kind::Text, "Packets counted").read_only(),
        attr("rx-rate", Kind::Text, "Link rate from the client").read_only(),
        attr("rx-signal", Kind::Int, "").read_only(),
        attr("ssid", Kind::Text, "Network name").read_only().untrusted(),
        attr("tx-rate", Kind::Text, "Link rate to the client").read_only(),
        attr("tx-signal", Kind::Int, "").read_only(),
        attr("uptime", Kind::Span, "Time since start").read_only(),
    ])
    .synonyms(&["capsman clients", "capsman registration table", "wifi clients"])
    .package("wireless")
    .topic(Topic::Wireless)
    .read_only();
