//! `/routing/rule`: which routing table is looked up, first match wins.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/59965508/Policy+Routing>

use crate::menus::{COMMENT, DISABLED, Menu, Topic, attr, ordered};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = ordered("/routing/rule", "Which routing table is looked up, first match wins")
    .attrs(&[
        attr(
            "action",
            Kind::Enum(&["drop", "lookup", "lookup-only-in-table", "mangle", "unreachable"]),
            "What happens to a packet that matches",
        ),
        attr("chain", Kind::Name, "Chain the rule stands in"),
        COMMENT,
        DISABLED,
        attr("dst-address", Kind::Prefix, "Destination address or network"),
        attr("interface", Kind::Name, "Interface it belongs to"),
        attr("min-prefix", Kind::Int, "Shortest prefix that counts"),
        attr("realm", Kind::Text, "Route realm"),
        attr("routing-mark", Kind::Name, "Mark that chose the routing table"),
        attr("src-address", Kind::Prefix, "Source address or network"),
        attr("table", Kind::Name, "Table looked up"),
        attr("vrf", Kind::Name, "VRF it works in"),
        attr("default", Kind::Flag, "").read_only(),
        attr("inactive", Kind::Flag, "Configured but not in use now").read_only(),
    ])
    .synonyms(&["routing rules", "policy routing", "policy based routing", "pbr", "multi wan"])
    .topic(Topic::Routing)
    .cuts_access();
