//! `/routing/ospf/interface`: interfaces OSPF runs on now, one a template made or (from 7.23) set by hand.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/9863229/OSPF>

use crate::menus::{COMMENT, DISABLED, DYNAMIC, Menu, Topic, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/routing/ospf/interface", "Interfaces OSPF runs on now, with their state")
    .key(&["address", "interface", "area"])
    .attrs(&[
        attr("address", Kind::Text, "Address and interface, 192.0.2.1%ether2"),
        attr("area", Kind::Name, "Area"),
        attr("auth", Kind::Text, "Authentication"),
        attr("auth-id", Kind::Int, "Key id"),
        attr("auth-key", Kind::Text, "Authentication key").secret(),
        COMMENT,
        attr("cost", Kind::Int, "Cost"),
        attr("dead-interval", Kind::Span, "Silence after which a neighbour is gone"),
        DISABLED,
        attr("hello-interval", Kind::Span, "Hello interval"),
        attr("instance-id", Kind::Int, ""),
        attr("interface", Kind::Name, "Interface"),
        attr("passive", Kind::Flag, "Sends no hellos, only announces the network").absent_no().empty_is_yes(),
        attr("priority", Kind::Int, "Priority"),
        attr("retransmit-interval", Kind::Span, ""),
        attr("transmit-delay", Kind::Span, ""),
        attr("type", Kind::Text, "Kind of network"),
        attr("use-bfd", Kind::Flag, "BFD watches the peer"),
        attr("vlink-neighbor-id", Kind::Address, ""),
        attr("vlink-transit-area", Kind::Name, ""),
        attr("bdr", Kind::Address, "Backup designated router").read_only(),
        attr("dr", Kind::Address, "Designated router").read_only(),
        DYNAMIC,
        attr("network-type", Kind::Text, "Kind of network in effect").read_only(),
        attr("state", Kind::Text, "State").read_only(),
        attr("vlink-remote-address", Kind::Address, "").read_only(),
    ])
    .synonyms(&["ospf interface state", "designated router"])
    .topic(Topic::Routing)
    .cuts_access();
