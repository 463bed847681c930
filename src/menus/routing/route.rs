//! `/routing/route`: all routes of all protocols, read-only.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/59965493/routing+route>

use crate::menus::{COMMENT, Menu, Topic, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/routing/route", "All routes of all protocols, read-only")
    .key(&["dst-address", "gateway", "routing-table", "belongs-to"])
    .attrs(&[
        COMMENT,
        attr("disabled", Kind::Flag, "Kept in the table but not in use").absent_no(),
        attr("active", Kind::Flag, "In use now").read_only().absent_no(),
        attr("afi", Kind::Set, "Address families").read_only(),
        attr("belongs-to", Kind::Text, "Where the route came from").read_only(),
        attr("bgp", Kind::Flag, "").read_only().absent_no(),
        attr("bgp-mpls-vpn", Kind::Flag, "").read_only(),
        attr("blackhole", Kind::Flag, "Packets are dropped silently").read_only().absent_no().empty_is_yes(),
        attr("check-gateway", Kind::Text, "How the gateway is watched").read_only(),
        attr("connect", Kind::Flag, "Route of a connected network").read_only().absent_no(),
        attr("contribution", Kind::Text, "Whether it is active, a candidate, filtered …").read_only(),
        attr("dhcp", Kind::Flag, "Learnt from DHCP").read_only().absent_no(),
        attr("distance", Kind::Int, "Administrative distance; the lowest wins").read_only(),
        attr("dst-address", Kind::Prefix, "Destination address or network").read_only(),
        attr("ecmp", Kind::Flag, "One of several equal routes").read_only().absent_no(),
        attr("filtered", Kind::Flag, "").read_only().absent_no(),
        attr("gateway", Kind::Text, "Next hop: address, interface, or address%interface").read_only(),
        attr("hw-offloaded", Kind::Flag, "Done in hardware").read_only(),
        attr("immediate-gw", Kind::Text, "Next hop in effect, with interface").read_only(),
        attr("isis", Kind::Flag, "").read_only().absent_no(),
        attr("local-address", Kind::Address, "Own address").read_only(),
        attr("modem", Kind::Flag, "").read_only().absent_no(),
        attr("mtu", Kind::Int, "Largest layer 3 packet, bytes").read_only(),
        attr("ospf", Kind::Flag, "").read_only().absent_no(),
        attr("pref-src", Kind::Address, "Source address of the router's own packets").read_only(),
        attr("rip", Kind::Flag, "").read_only().absent_no(),
        attr("routing-table", Kind::Name, "Routing table").read_only(),
        attr("scope", Kind::Int, "How near the route's next hop is").read_only(),
        attr("slaac", Kind::Flag, "").read_only().absent_no(),
        attr("static", Kind::Flag, "Set by hand").read_only().absent_no(),
        attr("target-scope", Kind::Int, "How near a next hop must be to resolve through").read_only(),
        attr("unreachable", Kind::Flag, "").read_only().absent_no(),
        attr("vpn", Kind::Flag, "").read_only().absent_no(),
    ])
    .synonyms(&["full routing table", "rib", "all routes", "bgp routes", "ospf routes", "as path"])
    .topic(Topic::Routing)
    .read_only();
