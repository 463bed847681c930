//! `/zerotier`: ZeroTier instances.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/83755083/ZeroTier>

use crate::menus::{COMMENT, DISABLED, Menu, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/zerotier", "ZeroTier instances")
    .key(&["name"])
    .attrs(&[
        COMMENT,
        DISABLED,
        attr("identity", Kind::Text, "Identity with its private part").secret(),
        attr("interfaces", Kind::Set, "Interfaces"),
        attr("name", Kind::Name, "Name others refer to"),
        attr("port", Kind::Int, "Port"),
        attr("route-distance", Kind::Int, ""),
        attr("identity.public", Kind::Text, "Public identity").read_only(),
        attr("online", Kind::Flag, "").read_only(),
        attr("state", Kind::Text, "State").read_only(),
    ])
    .synonyms(&["zerotier", "zerotier vpn"])
    .package("zerotier");
