//! `/ppp/aaa`: RADIUS for PPP users.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/132350049/PPP+AAA>

use crate::menus::{Menu, attr, singleton};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = singleton("/ppp/aaa", "RADIUS for PPP users")
    .attrs(&[
        attr("accounting", Kind::Flag, "Tells RADIUS about sessions"),
        attr("enable-ipv6-accounting", Kind::Flag, ""),
        attr("interim-update", Kind::Span, "How often RADIUS is told"),
        attr("use-circuit-id-in-nas-port-id", Kind::Flag, ""),
        attr("use-radius", Kind::Flag, "Ask RADIUS"),
    ])
    .synonyms(&["ppp aaa", "radius for ppp", "pppoe radius"]);
