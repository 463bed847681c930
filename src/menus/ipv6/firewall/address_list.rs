//! `/ipv6/firewall/address-list`: IPv6 address lists that firewall rules refer to.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/130220135/Address-lists>

use crate::menus::{Menu, Topic, ip::firewall::address_list::ATTRS, list};

/// The facts.
pub const MENU: Menu = list("/ipv6/firewall/address-list", "IPv6 address lists that firewall rules refer to")
    .key(&["list", "address"])
    .attrs(ATTRS)
    .synonyms(&[
        "ipv6 address lists",
        "ipv6 blocklist",
        "ipv6 blacklist",
        "ipv6 whitelist",
        "ipv6 allowlist",
        "ipv6 ip list",
        "ipv6 blocked addresses",
    ])
    .topic(Topic::Firewall)
    .basic()
    .cuts_access();
