//! `/ip/dhcp-server/option`: additional DHCP options.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/24805500/DHCP>

use crate::menus::{COMMENT, Menu, Topic, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/ip/dhcp-server/option", "Additional DHCP options")
    .key(&["name"])
    .attrs(&[
        attr("code", Kind::Text, "Option number").required(),
        COMMENT,
        attr("force", Kind::Flag, "Sent even if the client did not ask"),
        attr("name", Kind::Name, "Name others refer to"),
        attr("value", Kind::Text, "Value"),
        attr("raw-value", Kind::Text, "Value as sent, in hex").read_only(),
    ])
    .synonyms(&["dhcp options", "option 66", "option 43", "pxe boot", "tftp option", "voip option"])
    .topic(Topic::Dhcp);
