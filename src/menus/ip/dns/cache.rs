//! `/ip/dns/cache`: DNS answers the router remembers.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/37748767/DNS>

use crate::menus::{Menu, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/ip/dns/cache", "DNS answers the router remembers")
    .key(&["name", "type", "data"])
    .attrs(&[
        attr("data", Kind::Text, "What the name stands for").read_only().untrusted(),
        attr("name", Kind::Name, "Name others refer to").read_only().untrusted(),
        attr("static", Kind::Flag, "Set by hand").read_only(),
        attr("ttl", Kind::Span, "Time left").read_only(),
        attr("type", Kind::Text, "Record type").read_only(),
    ])
    .synonyms(&["dns cache", "cached names", "resolved names"])
    .commands(&["flush"])
    .read_only();
