//! `/user/active`: users logged in now.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/8978504/User>

use crate::menus::{Menu, Topic, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/user/active", "Users logged in now")
    .key(&["name", "address", "via"])
    .attrs(&[
        attr("address", Kind::Address, "Address").read_only(),
        attr("by-romon", Kind::Flag, "Connected by RoMON").read_only(),
        attr("group", Kind::Name, "Group").read_only(),
        attr("name", Kind::Name, "User name").read_only().untrusted(),
        attr("radius", Kind::Flag, "Comes from RADIUS").read_only(),
        attr("via", Kind::Text, "How the user is connected").read_only(),
        attr("when", Kind::Time, "Since when").read_only(),
    ])
    .synonyms(&["active users", "logged in users", "who is logged in", "sessions", "admin sessions", "current logins"])
    .topic(Topic::System)
    .read_only();
