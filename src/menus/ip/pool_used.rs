//! `/ip/pool/used`: pool addresses in use.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/129531938/IP+Pools>

use crate::menus::{Menu, Topic, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/ip/pool/used", "Pool addresses in use")
    .key(&["pool", "address"])
    .attrs(&[
        attr("address", Kind::Address, "Address"),
        attr("info", Kind::Text, "What the owner says of itself").untrusted(),
        attr("owner", Kind::Text, "Who holds or made it"),
        attr("pool", Kind::Name, "Pool"),
    ])
    .synonyms(&["used addresses", "pool usage", "pool allocation"])
    .topic(Topic::Dhcp)
    .read_only();
