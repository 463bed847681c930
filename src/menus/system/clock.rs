//! `/system/clock`: date, time and time zone.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/40992866/Clock>

use crate::menus::{Menu, Topic, attr, singleton};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = singleton("/system/clock", "Date, time and time zone")
    .attrs(&[
        attr("date", Kind::Text, "Date"),
        attr("time", Kind::Text, "Time of day"),
        attr("time-zone-autodetect", Kind::Flag, "Finds the time zone itself"),
        attr("time-zone-name", Kind::Text, "Time zone"),
        attr("dst-active", Kind::Flag, "Summer time is on").read_only(),
        attr("gmt-offset", Kind::Text, "Offset to UTC").read_only(),
    ])
    .synonyms(&["clock", "time", "date", "time zone", "timezone", "system time"])
    .topic(Topic::System)
    .basic();
