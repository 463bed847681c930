//! `/routing/table`: routing tables.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/59965508/Policy+Routing>

use crate::menus::{COMMENT, DISABLED, DYNAMIC, INVALID, Menu, Topic, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/routing/table", "Routing tables")
    .key(&["name"])
    .attrs(&[
        COMMENT,
        DISABLED,
        attr("fib", Kind::Flag, "Has its own forwarding table").absent_no().empty_is_yes(),
        attr("name", Kind::Name, "Name others refer to"),
        DYNAMIC,
        INVALID,
        attr("used", Kind::Int, "In use now").read_only(),
    ])
    .synonyms(&["routing tables", "policy routing tables", "fib"])
    .topic(Topic::Routing)
    .cuts_access();
