//! `/ipv6/route`: IPv6 routes.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/328084/IP+Routing>

use crate::menus::{COMMENT, Menu, Topic, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/ipv6/route", "IPv6 routes")
    .key(&["dst-address", "gateway", "routing-table"])
    .attrs(&[
        attr("blackhole", Kind::Flag, "Packets are dropped silently").absent_no().empty_is_yes(),
        attr("check-gateway", Kind::Enum(&["arp", "none", "ping"]), "How the gateway is watched"),
        COMMENT,
        attr("disabled", Kind::Flag, "Kept in the table but not in use").absent_no(),
        attr("distance", Kind::Int, "Administrative distance; the lowest wins"),
        attr("dst-address", Kind::Prefix, "Destination network, ::/0 for the default route").required(),
        attr("gateway", Kind::Text, "Next hop: address, interface, or address%interface"),
        attr("pref-src", Kind::Address, "Source address of the router's own packets"),
        attr("routing-table", Kind::Name, "Routing table"),
        attr("scope", Kind::Int, "How near the route's next hop is"),
        attr("target-scope", Kind::Int, "How near a next hop must be to resolve through"),
        attr("vrf-interface", Kind::Text, ""),
        attr("active", Kind::Flag, "In use now").read_only().absent_no(),
        attr("bgp", Kind::Flag, "").read_only().absent_no(),
        attr("bgp-mpls-vpn", Kind::Flag, "").read_only().absent_no(),
        attr("connect", Kind::Flag, "Route of a connected network").read_only().absent_no(),
        attr("dhcp", Kind::Flag, "Learnt from DHCP").read_only().absent_no(),
        attr("dynamic", Kind::Flag, "Made by the router, not by hand").read_only().absent_no(),
        attr("ecmp", Kind::Flag, "One of several equal routes").read_only().absent_no(),
        attr("hw-offloaded", Kind::Flag, "Done in hardware").read_only().absent_no(),
        attr("immediate-gw", Kind::Text, "Next hop in effect, with interface").read_only(),
        attr("inactive", Kind::Flag, "Configured but not in use now").read_only().absent_no(),
        attr("is-is", Kind::Flag, "").read_only().absent_no(),
        attr("modem", Kind::Flag, "").read_only().absent_no(),
        attr("ospf", Kind::Flag, "").read_only().absent_no(),
        attr("rip", Kind::Flag, "").read_only().absent_no(),
        attr("slaac", Kind::Flag, "").read_only().absent_no(),
        attr("static", Kind::Flag, "Set by hand").read_only().absent_no(),
        attr("vpn", Kind::Flag, "").read_only().absent_no(),
    ])
    .synonyms(&["ipv6 routes", "ipv6 routing table", "ipv6 default route", "ipv6 gateway", "v6 routes"])
    .topic(Topic::Routing)
    .cuts_access();
