//! `/routing/ospf/instance`: OSPF instances.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/9863229/OSPF>

use crate::menus::{COMMENT, DISABLED, Menu, Topic, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/routing/ospf/instance", "OSPF instances")
    .key(&["name"])
    .attrs(&[
        COMMENT,
        DISABLED,
        attr("domain-id", Kind::Text, ""),
        attr("domain-tag", Kind::Text, ""),
        attr("in-filter-chain", Kind::Name, "Filter for routes received"),
        attr("mpls-te-address", Kind::Text, ""),
        attr("mpls-te-area", Kind::Text, ""),
        attr("name", Kind::Name, "Name others refer to").required(),
        attr("originate-default", Kind::Enum(&["always", "if-installed", "never"]), "Offers a default route"),
        attr("out-filter-chain", Kind::Name, "Filter for routes sent"),
        attr("out-filter-select", Kind::Text, ""),
        attr("redistribute", Kind::Set, "Routes taken in, by origin"),
        attr("router-id", Kind::Address, "Router id"),
        attr("routing-table", Kind::Name, "Routing table"),
        attr("use-dn", Kind::Flag, ""),
        attr("version", Kind::Enum(&["2", "3"]), "Version"),
        attr("vrf", Kind::Name, "VRF it works in"),
        attr("inactive", Kind::Flag, "Configured but not in use now").read_only(),
    ])
    .synonyms(&["ospf", "ospf instances", "ospf router id", "ospf configuration"])
    .topic(Topic::Routing)
    .cuts_access();
