//! `/interface/wifi/radio`: Wi-Fi radios and what they can do.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/224559120/WiFi>

use crate::menus::{Menu, Topic, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/interface/wifi/radio", "Wi-Fi radios and what they can do")
    .key(&["radio-mac"])
    .attrs(&[
        attr("bands", Kind::Set, "").read_only(),
        attr("cap", Kind::Text, "Managed access point it runs on").read_only(),
        attr("ciphers", Kind::Set, "Ciphers taken").read_only(),
        attr("countries", Kind::Set, "").read_only(),
        attr("current-channels", Kind::Set, "").read_only(),
        attr("current-max-reg-power", Kind::Int, "").read_only(),
        attr("hw-caps", Kind::Set, "").read_only(),
        attr("interface", Kind::Name, "Interface it belongs to").read_only(),
        attr("local", Kind::Text, "Own end").read_only(),
        attr("max-interfaces", Kind::Int, "").read_only(),
        attr("max-peers", Kind::Int, "").read_only(),
        attr("max-station-interfaces", Kind::Int, "").read_only(),
        attr("max-vlans", Kind::Int, "").read_only(),
        attr("radio-mac", Kind::Mac, "MAC address of the radio").read_only(),
    ])
    .synonyms(&["radios", "wifi hardware", "radio capabilities", "supported channels"])
    .commands(&["provision", "reg-info"])
    .topic(Topic::Wireless)
    .read_only()
    .since(7, 13);
