//! `/interface/wireless/registration-table`: clients of the old wireless driver.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/8978446/Wireless+Interface>

use crate::menus::{COMMENT, Menu, Topic, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/interface/wireless/registration-table", "Clients of the old wireless driver")
    .key(&["mac-address", "interface"])
    .attrs(&[
        attr("ap", Kind::Flag, "It is an access point").read_only(),
        attr("authentication-type", Kind::Text, "How the client authenticated").read_only(),
        attr("bridge", Kind::Flag, "Bridge").read_only(),
        attr("bytes", Kind::Text, "Bytes counted").read_only(),
        COMMENT.read_only(),
        attr("distance", Kind::Int, "Distance to the client, km").read_only(),
        attr("encryption", Kind::Set, "Ciphers").read_only(),
        attr("group-encryption", Kind::Text, "Cipher of broadcasts").read_only(),
        attr("interface", Kind::Name, "Interface the client is on").read_only(),
        attr("last-activity", Kind::Span, "Time since the last frame").read_only(),
        attr("last-ip", Kind::Address, "Last IP address seen").read_only(),
        attr("mac-address", Kind::Mac, "MAC address").read_only(),
        attr("p-throughput", Kind::Int, "").read_only(),
        attr("packets", Kind::Text, "Packets counted").read_only(),
        attr("radio-name", Kind::Text, "Name the radio calls itself").read_only().untrusted(),
        attr("routeros-version", Kind::Text, "").read_only().untrusted(),
        attr("rx-ccq", Kind::Percent, "Quality of receiving, percent").read_only(),
        attr("rx-rate", Kind::Text, "Link rate from the client").read_only(),
        attr("signal-strength", Kind::Text, "Signal, dBm").read_only(),
        attr("signal-to-noise", Kind::Int, "Signal to noise, dB").read_only(),
        attr("tx-ccq", Kind::Percent, "Quality of sending, percent").read_only(),
        attr("tx-frames-timed-out", Kind::Count, "").read_only(),
        attr("tx-signal-strength", Kind::Text, "Signal the client hears, dBm").read_only(),
        attr("tx-rate", Kind::Text, "Link rate to the client").read_only(),
        attr("uptime", Kind::Span, "Time since start").read_only(),
        attr("wds", Kind::Flag, "").read_only(),
        attr("wmm-enabled", Kind::Flag, "").read_only(),
        attr("802.1x-port-enabled", Kind::Flag, "").read_only(),
        attr("compression", Kind::Flag, "").read_only(),
        attr("management-protection", Kind::Flag, "Management frame protection").read_only(),
    ])
    .synonyms(&["wireless clients", "wifi clients", "wireless stations", "wireless signal", "ccq", "registration table"])
    .package("wireless")
    .commands(&["reset-counters"])
    .topic(Topic::Wireless)
    .read_only();
