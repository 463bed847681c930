//! `/interface/bridge/vlan`: VLAN table of bridges.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/28606465/Bridge+VLAN+Table>

use crate::menus::{COMMENT, DISABLED, DYNAMIC, Menu, Topic, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/interface/bridge/vlan", "VLAN table of bridges")
    .key(&["bridge", "vlan-ids"])
    .attrs(&[
        attr("bridge", Kind::Name, "Bridge").required(),
        COMMENT,
        DISABLED,
        attr("mvrp-forbidden", Kind::Set, "Ports the VLAN never spreads to"),
        attr("tagged", Kind::Set, "Ports that carry the VLAN tagged"),
        attr("untagged", Kind::Set, "Ports that carry the VLAN untagged"),
        attr("vlan-ids", Kind::Set, "VLAN ids or ranges").required(),
        attr("current-tagged", Kind::Set, "Tagged ports in effect").read_only(),
        attr("current-untagged", Kind::Set, "Untagged ports in effect").read_only(),
        DYNAMIC,
        attr("managed", Kind::Flag, "").read_only(),
    ])
    .synonyms(&["vlan table", "bridge vlans", "tagged ports", "untagged ports", "trunk"])
    .topic(Topic::Bridge)
    .cuts_access();
