//! `/ip/vrf`: virtual routing and forwarding.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/328206/Virtual+Routing+and+Forwarding+-+VRF>

use crate::menus::{COMMENT, DISABLED, Menu, Topic, attr, ordered};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = ordered("/ip/vrf", "Virtual routing and forwarding")
    .key(&["name"])
    .attrs(&[
        COMMENT,
        DISABLED,
        attr("interfaces", Kind::Set, "Interfaces").required(),
        attr("name", Kind::Name, "Name others refer to"),
        attr("builtin", Kind::Flag, "Came with RouterOS").read_only(),
    ])
    .synonyms(&["vrf", "virtual routing", "separate routing tables"])
    .topic(Topic::Routing)
    .cuts_access();
