//! `/system/leds`: LEDs.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/40992859/LEDs>

use crate::menus::{DISABLED, Menu, Topic, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/system/leds", "LEDs")
    .key(&["leds", "type"])
    .attrs(&[
        attr(
            "color",
            Kind::Enum(&[
                "blue",
                "blue-cyan",
                "blue-magenta",
                "cyan",
                "green",
                "green-cyan",
                "green-yellow",
                "magenta",
                "none",
                "orange",
                "red",
                "red-magenta",
                "yellow",
            ]),
            "",
        ),
        DISABLED,
        attr("interface", Kind::Name, "Interface it belongs to"),
        attr("leds", Kind::Text, ""),
        attr("modem-signal-threshold", Kind::Text, ""),
        attr(
            "type",
            Kind::Enum(&[
                "ap-cap",
                "fan-fault",
                "flash-access",
                "interface-activity",
                "interface-receive",
                "interface-speed",
                "interface-speed-100G",
                "interface-speed-1G",
                "interface-speed-25G",
                "interface-status",
                "interface-transmit",
                "modem-signal",
                "modem-technology",
                "off",
                "on",
                "poe-fault",
                "poe-out",
                "wireless-signal-strength",
                "wireless-status",
            ]),
            "Kind of entry",
        ),
        attr("default", Kind::Flag, "").read_only(),
    ])
    .synonyms(&["leds", "lights", "turn off leds", "dark mode"])
    .topic(Topic::System)
    .basic();
