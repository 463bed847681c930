//! `/routing/bgp/connection`: BGP connections to peers.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/328220/BGP>

use crate::menus::{COMMENT, DISABLED, DYNAMIC, Menu, Topic, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/routing/bgp/connection", "BGP connections to peers")
    .key(&["name"])
    .attrs(&[
        attr("afi", Kind::Set, "Address families"),
        attr("as", Kind::Int, "AS number"),
        attr("cisco-vpls-nlri-len-fmt", Kind::Enum(&["auto-bits", "auto-bytes", "bits", "bytes"]), ""),
        COMMENT,
        attr("connect", Kind::Flag, "Opens the connection itself"),
        DISABLED,
        attr("hold-time", Kind::Span, "Silence after which the peer counts as gone"),
        attr("input.accept-communities", Kind::Text, ""),
        attr("input.accept-ext-communities", Kind::Text, ""),
        attr("input.accept-large-communities", Kind::Text, ""),
        attr("input.accept-nlri", Kind::Text, ""),
        attr("input.add-path", Kind::Set, ""),
        attr("input.affinity", Kind::Text, ""),
        attr("input.allow-as", Kind::Text, ""),
        attr("input.attr-error-handling", Kind::Enum(&["default", "revised"]), ""),
        attr("input.filter", Kind::Text, "Filter for routes received"),
        attr("input.filter-communities", Kind::Text, ""),
        attr("input.filter-ext-communities", Kind::Text, ""),
        attr("input.filter-large-communities", Kind::Text, ""),
        attr("input.filter-nlri", Kind::Text, ""),
        attr("input.filter-unknown", Kind::Text, ""),
        attr("input.limit-process-routes-ipv4", Kind::Enum(&["10", "100", "1000", "10000", "100000", "1000000", "10000000"]), ""),
        attr("input.limit-process-routes-ipv6", Kind::Enum(&["10", "100", "1000", "10000", "100000", "1000000", "10000000"]), ""),
        attr("instance", Kind::Name, "Instance"),
        attr("keepalive-time", Kind::Span, "Keepalive interval"),
        attr("listen", Kind::Flag, "Takes connections"),
        attr("local.address", Kind::Address, "Own address"),
        attr("local.port", Kind::Int, "Own port"),
        attr(
            "local.role",
            Kind::Enum(&["ebgp", "ebgp-customer", "ebgp-peer", "ebgp-provider", "ebgp-rs", "ebgp-rs-client", "ibgp", "ibgp-rr"]),
            "Role towards the peer",
        ),
        attr("local.ttl", Kind::Text, ""),
        attr("multihop", Kind::Flag, "Peer is not directly connected"),
        attr("name", Kind::Name, "Name others refer to").required(),
        attr("nexthop-choice", Kind::Enum(&["default", "force-self", "propagate"]), "Next hop told to the peer"),
        attr("output.add-path", Kind::Set, ""),
        attr("output.affinity", Kind::Text, ""),
        attr("output.as-override", Kind::Flag, ""),
        attr("output.default-originate", Kind::Enum(&["always", "if-installed", "never"]), "Sends a default route"),
        attr("output.default-prepend", Kind::Text, ""),
        attr("output.filter-chain", Kind::Text, "Filter for routes sent"),
        attr("output.filter-select", Kind::Text, ""),
        attr("output.keep-sent-attributes", Kind::Flag, ""),
        attr("output.network", Kind::Text, "Address list of networks sent"),
        attr("output.network-blackhole", Kind::Flag, ""),
        attr("output.no-client-to-client-reflection", Kind::Flag, ""),
        attr("output.no-early-cut", Kind::Flag, ""),
        attr("output.redistribute", Kind::Set, "Routes sent, by origin"),
        attr("output.remove-private-as", Kind::Flag, ""),
        attr("remote.address", Kind::Address, "Peer address"),
        attr("remote.allowed-as", Kind::Text, ""),
        attr("remote.as", Kind::Int, "Peer AS number"),
        attr("remote.port", Kind::Int, "Peer port"),
        attr("remote.ttl", Kind::Text, ""),
        attr("routing-table", Kind::Name, "Routing table"),
        attr("save-to", Kind::Text, ""),
        attr("tcp-md5-key", Kind::Text, "TCP MD5 key").secret(),
        attr("templates", Kind::Set, "Templates it takes values from"),
        attr("use-bfd", Kind::Flag, "BFD watches the peer"),
        attr("vrf", Kind::Name, "VRF it works in"),
        DYNAMIC,
        attr("inactive", Kind::Flag, "Configured but not in use now").read_only(),
    ])
    .synonyms(&["bgp", "bgp peers", "bgp connections", "bgp neighbors", "bgp configuration", "peering", "as number"])
    .topic(Topic::Routing)
    .cuts_access();
