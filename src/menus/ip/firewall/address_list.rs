//! `/ip/firewall/address-list`: IPv4 address lists that firewall rules refer to.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/130220135/Address-lists>

use crate::menus::{Attr, COMMENT, Menu, Topic, attr, list};
use crate::routeros::value::Kind;

/// Its attributes; the IPv6 menu has the same.
pub const ATTRS: &[Attr] = &[
    attr("address", Kind::Text, "Address").required(),
    COMMENT,
    attr("disabled", Kind::Flag, "Kept in the table but not in use"),
    attr("dynamic", Kind::Flag, "Made by the router, not by hand"),
    attr("list", Kind::Name, "List the entry belongs to").required(),
    attr("timeout", Kind::Span, "Time left; set: how long it stays"),
    attr("creation-time", Kind::Time, "When the entry was made").read_only(),
];

/// The facts.
pub const MENU: Menu = list("/ip/firewall/address-list", "IPv4 address lists that firewall rules refer to")
    .key(&["list", "address"])
    .attrs(ATTRS)
    .synonyms(&["address lists", "blocklist", "blacklist", "whitelist", "allowlist", "ip list", "blocked addresses"])
    .topic(Topic::Firewall)
    .basic()
    .cuts_access();
