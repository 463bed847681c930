//! `/ipv6/nd`: router advertisements.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/40992815/IPv6+Neighbor+Discovery>

use crate::menus::{COMMENT, DISABLED, INVALID, Menu, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/ipv6/nd", "Router advertisements")
    .key(&["interface"])
    .attrs(&[
        attr("advertise-dns", Kind::Enum(&["no", "self", "yes"]), "DNS servers announced"),
        attr("advertise-mac-address", Kind::Flag, ""),
        COMMENT,
        DISABLED,
        attr("dns", Kind::List, "DNS servers"),
        attr("hop-limit", Kind::Text, "Hop limit"),
        attr("interface", Kind::Name, "Interface it belongs to").required(),
        attr("managed-address-configuration", Kind::Flag, "Hosts shall ask DHCPv6 for addresses"),
        attr("mtu", Kind::Int, "Largest layer 3 packet, bytes"),
        attr("other-configuration", Kind::Flag, "Hosts shall ask DHCPv6 for the rest"),
        attr("pref64", Kind::Prefix, ""),
        attr("ra-delay", Kind::Span, ""),
        attr("ra-interval", Kind::Span, "How often the router announces itself"),
        attr("ra-lifetime", Kind::Span, "How long hosts use the router"),
        attr("ra-preference", Kind::Enum(&["high", "low", "medium"]), ""),
        attr("reachable-time", Kind::Span, ""),
        attr("retransmit-interval", Kind::Span, ""),
        attr("default", Kind::Flag, "").read_only(),
        INVALID,
    ])
    .synonyms(&["router advertisements", "ra", "slaac", "ipv6 neighbor discovery", "ipv6 autoconfiguration"]);
