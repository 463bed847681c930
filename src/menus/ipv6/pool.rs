//! `/ipv6/pool`: IPv6 prefix pools.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/129531938/IP+Pools>

use crate::menus::{COMMENT, DYNAMIC, Menu, Topic, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/ipv6/pool", "IPv6 prefix pools")
    .key(&["name"])
    .attrs(&[
        COMMENT,
        attr("from-pool", Kind::Name, "Pool the prefix comes from"),
        attr("name", Kind::Name, "Name others refer to"),
        attr("prefix", Kind::Prefix, "Prefix handed out in parts").required(),
        attr("prefix-length", Kind::Int, "Prefix length handed out").required(),
        attr("actual-prefix", Kind::Prefix, "Prefix in effect").read_only(),
        DYNAMIC,
        attr("inactive", Kind::Flag, "Configured but not in use now").read_only(),
        attr("preferred-lifetime", Kind::Span, "").read_only(),
        attr("valid-lifetime", Kind::Span, "").read_only(),
    ])
    .synonyms(&["ipv6 pools", "prefix pool", "delegated prefix"])
    .topic(Topic::Dhcp);
