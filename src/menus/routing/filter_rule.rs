//! `/routing/filter/rule`: routing filter rules, first match wins.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/74678285/Route+Selection+and+Filters>

use crate::menus::{COMMENT, DISABLED, Menu, Topic, attr, ordered};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = ordered("/routing/filter/rule", "Routing filter rules, first match wins")
    .attrs(&[
        attr("chain", Kind::Name, "Chain the rule stands in").required(),
        COMMENT,
        DISABLED,
        attr(
            "rule",
            Kind::Enum(&["if", "accept", "reject", "return", "jump", "unset", "set", "append", "filter", "delete", "rpki-verify"]),
            "Filter rule",
        )
        .required(),
        attr("inactive", Kind::Flag, "Configured but not in use now").read_only(),
    ])
    .synonyms(&["routing filters", "route filters", "bgp filters", "prefix filter", "route map"])
    .topic(Topic::Routing)
    .cuts_access();
