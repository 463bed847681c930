//! `/caps-man/remote-cap`: access points old CAPsMAN manages.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/7962638/CAPsMAN>

use crate::menus::{Menu, Topic, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/caps-man/remote-cap", "Access points old CAPsMAN manages")
    .key(&["identity"])
    .attrs(&[
        attr("address", Kind::Address, "Address").read_only(),
        attr("base-mac", Kind::Mac, "Base MAC address").read_only(),
        attr("board", Kind::Text, "Board the neighbour names").read_only().untrusted(),
        attr("identity", Kind::Text, "Name the other side calls itself").read_only().untrusted(),
        attr("name", Kind::Name, "Name others refer to").read_only().untrusted(),
        attr("radios", Kind::Count, "").read_only(),
        attr("serial", Kind::Text, "Serial number").read_only().untrusted(),
        attr("state", Kind::Text, "State").read_only(),
        attr("version", Kind::Text, "Version").read_only().untrusted(),
    ])
    .synonyms(&["capsman remote caps", "managed access points"])
    .package("wireless")
    .commands(&["provision", "set-identity", "upgrade"])
    .topic(Topic::Wireless)
    .read_only();
