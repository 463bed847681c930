//! `/system/ntp/client/servers`: NTP servers asked.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/40992869/NTP>

use crate::menus::{COMMENT, DISABLED, DYNAMIC, Menu, Topic, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/system/ntp/client/servers", "NTP servers asked")
    .key(&["address"])
    .attrs(&[
        attr("address", Kind::Text, "Address").required(),
        attr("auth-key", Kind::Text, "Authentication key").secret(),
        COMMENT,
        DISABLED,
        attr("iburst", Kind::Flag, "Fast start"),
        attr("max-poll", Kind::Int, "Longest poll, power of two seconds"),
        attr("min-poll", Kind::Int, "Shortest poll, power of two seconds"),
        DYNAMIC,
        attr("resolved-address", Kind::Address, "Address in use").read_only(),
    ])
    .synonyms(&["ntp servers", "time servers"])
    .topic(Topic::System)
    .basic();
