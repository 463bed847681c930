//! `/interface/wifi/registration-table`: Wi-Fi clients connected now.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/224559120/WiFi>

use crate::menus::{COMMENT, Menu, Topic, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/interface/wifi/registration-table", "Wi-Fi clients connected now")
    .key(&["mac-address", "interface"])
    .attrs(&[
        attr("auth-type", Kind::Text, "How the client authenticated").read_only(),
        attr("authorized", Kind::Flag, "Let in").read_only(),
        attr("band", Kind::Text, "Band").read_only(),
        attr("bytes", Kind::Text, "Bytes counted").read_only(),
        COMMENT.read_only(),
        attr("eap-identity", Kind::Text, "EAP identity the client gave").read_only().untrusted(),
        attr("interface", Kind::Name, "Interface the client is on").read_only(),
        attr("last-activity", Kind::Span, "Time since the last frame").read_only(),
        attr("mac-address", Kind::Mac, "MAC address").read_only(),
        attr("packets", Kind::Text, "Packets counted").read_only(),
        attr("rx-bits-per-second", Kind::Rate, "Traffic from the client, bit/s").read_only(),
        attr("rx-rate", Kind::Text, "Link rate from the client").read_only(),
        attr("signal", Kind::Int, "Signal of the client, dBm").read_only(),
        attr("ssid", Kind::Text, "Network name").read_only().untrusted(),
        attr("tx-bits-per-second", Kind::Rate, "Traffic to the client, bit/s").read_only(),
        attr("tx-rate", Kind::Text, "Link rate to the client").read_only(),
        attr("uptime", Kind::Span, "Time since start").read_only(),
        attr("vlan-id", Kind::Int, "VLAN id").read_only(),
    ])
    .synonyms(&[
        "wifi clients",
        "wireless clients",
        "connected wifi devices",
        "wifi stations",
        "wifi signal",
        "wlan clients",
        "wireless signal strength",
        "registration table",
    ])
    .topic(Topic::Wireless)
    .read_only()
    .since(7, 13);
