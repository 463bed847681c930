//! `/routing/bgp/session`: BGP sessions and their state.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/328220/BGP>

use crate::menus::{Menu, Topic, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/routing/bgp/session", "BGP sessions and their state")
    .key(&["name"])
    .attrs(&[
        attr("ebgp", Kind::Flag, "Peer is in another AS").read_only(),
        attr("established", Kind::Flag, "Session is up").read_only(),
        attr("hold-time", Kind::Text, "Silence after which the peer counts as gone").read_only(),
        attr("ibgp", Kind::Flag, "Peer is in our AS").read_only(),
        attr("input.filter", Kind::Text, "Filter for routes received").read_only(),
        attr("input.last-notification", Kind::Text, "Why the peer ended the session last").read_only().untrusted(),
        attr("instance", Kind::Name, "Instance").read_only(),
        attr("keepalive-time", Kind::Text, "Keepalive interval").read_only(),
        attr("keepalive-timer", Kind::Span, "").read_only(),
        attr("last-started", Kind::Time, "When it last started").read_only(),
        attr("last-stopped", Kind::Time, "When it last stopped").read_only(),
        attr("limit-exceeded", Kind::Flag, "").read_only(),
        attr("local.address", Kind::Address, "Own address").read_only(),
        attr("local.afi", Kind::Set, "").read_only(),
        attr("local.as", Kind::Int, "").read_only(),
        attr("local.bytes", Kind::Bytes, "").read_only(),
        attr("local.capabilities", Kind::Set, "").read_only(),
        attr("local.id", Kind::Address, "Our router id").read_only(),
        attr("local.port", Kind::Int, "Own port").read_only(),
        attr("local.role", Kind::Text, "Role towards the peer").read_only(),
        attr("multihop", Kind::Flag, "Peer is not directly connected").read_only(),
        attr("name", Kind::Name, "Name others refer to").read_only(),
        attr("nexthop-choice", Kind::Text, "Next hop told to the peer").read_only(),
        attr("output.default-originate", Kind::Text, "Sends a default route").read_only(),
        attr("output.filter-chain", Kind::Text, "Filter for routes sent").read_only(),
        attr("output.last-notification", Kind::Text, "Why we ended the session last").read_only(),
        attr("output.network", Kind::Text, "Address list of networks sent").read_only(),
        attr("prefix-count", Kind::Int, "Prefixes received").read_only(),
        attr("remote.address", Kind::Address, "Peer address").read_only(),
        attr("remote.afi", Kind::Set, "").read_only(),
        attr("remote.as", Kind::Int, "Peer AS number").read_only(),
        attr("remote.bytes", Kind::Bytes, "").read_only(),
        attr("remote.capabilities", Kind::Set, "").read_only(),
        attr("remote.id", Kind::Address, "The peer's router id").read_only(),
        attr("remote.port", Kind::Int, "Peer port").read_only(),
        attr("restart-timer", Kind::Span, "").read_only(),
        attr("routing-table", Kind::Name, "Routing table").read_only(),
        attr("stopped", Kind::Flag, "").read_only(),
        attr("uptime", Kind::Span, "Time since start").read_only(),
        attr("use-bfd", Kind::Flag, "BFD watches the peer").read_only(),
        attr("vrf", Kind::Name, "VRF it works in").read_only(),
    ])
    .synonyms(&["bgp sessions", "bgp status", "bgp state", "bgp established", "bgp prefixes", "bgp down"])
    .commands(&["clear", "dump-saved-advertisements", "refresh", "resend", "stop"])
    .topic(Topic::Routing)
    .read_only();
