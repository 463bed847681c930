//! `/ip/pool`: IPv4 address pools.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/129531938/IP+Pools>

use crate::menus::{COMMENT, Menu, Topic, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/ip/pool", "IPv4 address pools")
    .key(&["name"])
    .attrs(&[
        COMMENT,
        attr("name", Kind::Name, "Name others refer to"),
        attr("next-pool", Kind::Name, "Pool used when this one is empty"),
        attr("ranges", Kind::List, "Address ranges, e.g. 192.0.2.10-192.0.2.99").required(),
        attr("available", Kind::Int, "Free now").read_only(),
        attr("total", Kind::Int, "All there are").read_only(),
        attr("used", Kind::Int, "In use now").read_only(),
    ])
    .synonyms(&["ip pools", "address pools", "dhcp range", "address range", "pool exhausted"])
    .topic(Topic::Dhcp);
