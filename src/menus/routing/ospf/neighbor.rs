//! `/routing/ospf/neighbor`: OSPF neighbours and their state.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/9863229/OSPF>

use crate::menus::{COMMENT, DYNAMIC, Menu, Topic, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/routing/ospf/neighbor", "OSPF neighbours and their state")
    .key(&["instance", "router-id", "address"])
    .attrs(&[
        COMMENT,
        attr("address", Kind::Address, "Address").read_only(),
        attr("adjacency", Kind::Span, "Time since it became full").read_only(),
        attr("area", Kind::Name, "Area").read_only(),
        attr("bdr", Kind::Address, "Backup designated router").read_only(),
        attr("dr", Kind::Address, "Designated router").read_only(),
        DYNAMIC,
        attr("instance", Kind::Name, "Instance").read_only(),
        attr("interface", Kind::Name, "Interface it belongs to").read_only(),
        attr("priority", Kind::Text, "Priority").read_only(),
        attr("router-id", Kind::Address, "Router id").read_only(),
        attr("state", Kind::Text, "State").read_only(),
        attr("state-changes", Kind::Int, "How often the state changed").read_only(),
        attr("timeout", Kind::Span, "Time left; set: how long it stays").read_only(),
        attr("virtual", Kind::Flag, "").read_only(),
    ])
    .synonyms(&["ospf neighbors", "ospf neighbours", "ospf adjacency", "ospf state", "ospf full"])
    .topic(Topic::Routing)
    .read_only();
