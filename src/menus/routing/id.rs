//! `/routing/id`: router ids.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/30474294/routing+id>

use crate::menus::{COMMENT, DISABLED, DYNAMIC, Menu, Topic, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/routing/id", "Router ids")
    .key(&["name"])
    .attrs(&[
        COMMENT,
        DISABLED,
        attr("id", Kind::Text, "Identifier"),
        attr("name", Kind::Name, "Name others refer to"),
        attr("select-dynamic-id", Kind::Set, ""),
        attr("select-from-vrf", Kind::Text, ""),
        DYNAMIC,
        attr("inactive", Kind::Flag, "Configured but not in use now").read_only(),
    ])
    .synonyms(&["router id", "router ids"])
    .topic(Topic::Routing)
    .cuts_access();
