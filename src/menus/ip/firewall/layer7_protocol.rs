//! `/ip/firewall/layer7-protocol`: layer 7 patterns.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/130220161/Layer7>

use crate::menus::{COMMENT, Menu, Topic, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/ip/firewall/layer7-protocol", "Layer 7 patterns")
    .key(&["name"])
    .attrs(&[COMMENT, attr("name", Kind::Name, "Name others refer to"), attr("regexp", Kind::Text, "Regular expression").required()])
    .synonyms(&["layer 7", "l7", "layer7 patterns", "deep packet inspection"])
    .topic(Topic::Firewall);
