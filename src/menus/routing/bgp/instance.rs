//! `/routing/bgp/instance`: BGP instances.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/328220/BGP>

use crate::menus::{COMMENT, DISABLED, Menu, Topic, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/routing/bgp/instance", "BGP instances")
    .key(&["name"])
    .attrs(&[
        attr("as", Kind::Int, "AS number"),
        attr("cluster-id", Kind::Text, "Route reflector cluster"),
        COMMENT,
        DISABLED,
        attr("ignore-as-path-len", Kind::Flag, ""),
        attr("multipath", Kind::Text, ""),
        attr("name", Kind::Name, "Name others refer to"),
        attr("router-id", Kind::Address, "Router id"),
        attr("routing-table", Kind::Name, "Routing table"),
        attr("vrf", Kind::Name, "VRF it works in"),
        attr("inactive", Kind::Flag, "Configured but not in use now").read_only(),
    ])
    .synonyms(&["bgp instances", "bgp router id", "local as"])
    .topic(Topic::Routing)
    .cuts_access()
    .since(7, 20);
