//! `/tool/graphing/interface`: interfaces with traffic graphs.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/22773810/Graphing>

use crate::menus::{COMMENT, DISABLED, Menu, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/tool/graphing/interface", "Interfaces with traffic graphs")
    .key(&["interface"])
    .attrs(&[
        attr("allow-address", Kind::Prefix, ""),
        COMMENT,
        DISABLED,
        attr("interface", Kind::Name, "Interface it belongs to"),
        attr("store-on-disk", Kind::Flag, ""),
    ])
    .synonyms(&["graphs", "graphing", "traffic graphs"])
    .basic();
