//! `/user`: users who may log in to the router.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/8978504/User>

use crate::menus::{COMMENT, DISABLED, Menu, Topic, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/user", "Users who may log in to the router")
    .key(&["name"])
    .attrs(&[
        attr("address", Kind::Set, "Networks the user may come from"),
        COMMENT,
        DISABLED,
        attr("group", Kind::Name, "Group that says what the user may do").required(),
        attr("inactivity-policy", Kind::Enum(&["lockscreen", "logout", "none"]), "What happens when idle"),
        attr("inactivity-timeout", Kind::Span, "Idle time after which it acts"),
        attr("name", Kind::Name, "User name").required(),
        attr("password", Kind::Text, "Password; never readable").secret(),
        attr("expired", Kind::Flag, "Past its end").read_only(),
        attr("last-logged-in", Kind::Time, "When the user last logged in").read_only(),
    ])
    .synonyms(&["users", "accounts", "router users", "logins", "admin account", "admins", "passwords", "who can log in"])
    .commands(&["expire-password"])
    .topic(Topic::System)
    .cuts_access();
