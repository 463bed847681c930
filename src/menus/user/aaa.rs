//! `/user/aaa`: RADIUS for router logins.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/8978504/User>

use crate::menus::{Menu, Topic, attr, singleton};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = singleton("/user/aaa", "RADIUS for router logins")
    .attrs(&[
        attr("accounting", Kind::Flag, "Tells RADIUS about sessions"),
        attr("default-group", Kind::Name, "Group of users without one"),
        attr("exclude-groups", Kind::Text, ""),
        attr("interim-update", Kind::Span, "How often RADIUS is told"),
        attr("use-radius", Kind::Flag, "Ask RADIUS"),
    ])
    .synonyms(&["user aaa", "radius login", "central login", "radius for admins"])
    .topic(Topic::System)
    .cuts_access();
