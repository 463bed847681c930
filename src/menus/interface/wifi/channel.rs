//! `/interface/wifi/channel`: Wi-Fi channel profiles.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/224559120/WiFi>

use crate::menus::{COMMENT, DISABLED, Menu, Topic, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/interface/wifi/channel", "Wi-Fi channel profiles")
    .key(&["name"])
    .attrs(&[
        attr("afc", Kind::Text, ""),
        attr(
            "band",
            Kind::Enum(&[
                "2ghz-ax", "2ghz-be", "2ghz-g", "2ghz-n", "5ghz-a", "5ghz-ac", "5ghz-ax", "5ghz-be", "5ghz-n", "6ghz-ax", "6ghz-be",
                "s1ghz-ah",
            ]),
            "Band",
        ),
        COMMENT,
        attr("deprioritize-unii-3-4", Kind::Flag, ""),
        DISABLED,
        attr("frequency", Kind::Text, "Frequencies, MHz"),
        attr("name", Kind::Name, "Name others refer to"),
        attr("preamble-puncturing", Kind::Flag, ""),
        attr("reselect-interval", Kind::Span, "How often a channel is chosen anew"),
        attr("reselect-time", Kind::Text, ""),
        attr("secondary-frequency", Kind::Text, "Second frequency, MHz"),
        attr("skip-dfs-channels", Kind::Enum(&["10min-cac", "all", "disabled"]), "Leaves out radar channels"),
        attr(
            "width",
            Kind::Enum(&[
                "1/2/4/8mhz",
                "1/2/4mhz",
                "1/2mhz",
                "1mhz",
                "20/40/80+80mhz",
                "20/40/80/160/320mhz",
                "20/40/80/160mhz",
                "20/40/80mhz",
                "20/40mhz",
                "20/40mhz-Ce",
                "20/40mhz-eC",
                "20mhz",
            ]),
            "Channel width",
        ),
    ])
    .synonyms(&["wifi channel", "wifi frequency", "channel width", "5ghz", "2.4ghz", "dfs"])
    .topic(Topic::Wireless)
    .cuts_access()
    .since(7, 13);
