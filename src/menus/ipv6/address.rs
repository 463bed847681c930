//! `/ipv6/address`: IPv6 addresses on interfaces.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/328247/IP+Addressing>

use crate::menus::{COMMENT, DISABLED, DYNAMIC, INVALID, Menu, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/ipv6/address", "IPv6 addresses on interfaces")
    .key(&["address", "interface"])
    .attrs(&[
        attr("address", Kind::Prefix, "Address with prefix length, e.g. 2001:db8::1/64"),
        attr("advertise", Kind::Flag, "Prefix is announced to hosts"),
        attr("auto-link-local", Kind::Flag, ""),
        COMMENT,
        DISABLED,
        attr("eui-64", Kind::Flag, "Host part from the MAC address"),
        attr("from-pool", Kind::Name, "Pool the prefix comes from"),
        attr("from-pool-policy", Kind::Text, ""),
        attr("interface", Kind::Name, "Interface it belongs to").required(),
        attr("no-dad", Kind::Flag, "No duplicate address detection"),
        attr("actual-interface", Kind::Name, "Interface in effect: the bridge of a member port").read_only(),
        attr("deprecated", Kind::Flag, "No longer preferred").read_only(),
        DYNAMIC,
        attr("global", Kind::Flag, "Global address").read_only(),
        INVALID,
        attr("link-local", Kind::Flag, "Link-local address").read_only(),
        attr("preferred", Kind::Flag, "").read_only(),
        attr("slave", Kind::Flag, "Member of a bridge or bond").read_only(),
        attr("valid", Kind::Flag, "").read_only(),
        attr("vrf", Kind::Name, "VRF it works in").read_only(),
    ])
    .synonyms(&["ipv6 addresses", "ipv6", "ipv6 prefix on interface", "v6 addresses"])
    .basic()
    .cuts_access();
