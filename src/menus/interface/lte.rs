//! `/interface/lte`: mobile modems.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/30146563/LTE>

use crate::menus::{COMMENT, DISABLED, Menu, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/interface/lte", "Mobile modems")
    .key(&["name"])
    .attrs(&[
        attr("allow-roaming", Kind::Flag, "Roaming allowed"),
        attr("apn-profiles", Kind::Set, "APN profiles"),
        attr("band", Kind::Text, "Band"),
        COMMENT,
        DISABLED,
        attr("modem-init", Kind::Text, ""),
        attr("mtu", Kind::Int, "Largest layer 3 packet, bytes"),
        attr("name", Kind::Name, "Name others refer to"),
        attr("network-mode", Kind::Text, "Mobile networks used"),
        attr("nr-band", Kind::Text, ""),
        attr("operator", Kind::Text, "Operator locked to"),
        attr("pin", Kind::Text, "SIM PIN").secret(),
        attr("sms-protocol", Kind::Enum(&["at", "auto", "mbim"]), ""),
        attr("sms-read", Kind::Flag, ""),
        attr("advertised-mtu", Kind::Int, "").read_only(),
        attr("default-name", Kind::Name, "Name given at the factory").read_only(),
        attr("inactive", Kind::Flag, "Configured but not in use now").read_only(),
        attr("master", Kind::Flag, "Master now").read_only(),
        attr("running", Kind::Flag, "Connected").read_only(),
    ])
    .synonyms(&["lte", "4g", "5g", "mobile", "cellular", "modem", "sim card", "lte signal"])
    .commands(&["at-chat", "cell-monitor", "firmware-upgrade", "monitor", "scan", "show-capabilities"])
    .cuts_access();
