//! `/routing/bgp/template`: BGP templates.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/328220/BGP>

use crate::menus::{COMMENT, DISABLED, Menu, Topic, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/routing/bgp/template", "BGP templates")
    .key(&["name"])
    .attrs(&[
        attr("afi", Kind::Set, "Address families"),
        attr("as", Kind::Int, "AS number"),
        attr("cisco-vpls-nlri-len-fmt", Kind::Enum(&["auto-bits", "auto-bytes", "bits", "bytes"]), ""),
        COMMENT,
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
        attr("keepalive-time", Kind::Span, "Keepalive interval"),
        attr("multihop", Kind::Flag, "Peer is not directly connected"),
        attr("name", Kind::Name, "Name others refer to"),
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
        attr("routing-table", Kind::Name, "Routing table"),
        attr("save-to", Kind::Text, ""),
        attr("templates", Kind::Set, "Templates it takes values from"),
        attr("use-bfd", Kind::Flag, "BFD watches the peer"),
        attr("vrf", Kind::Name, "VRF it works in"),
        attr("default", Kind::Flag, "").read_only(),
        attr("inactive", Kind::Flag, "Configured but not in use now").read_only(),
    ])
    .synonyms(&["bgp templates", "bgp defaults"])
    .topic(Topic::Routing)
    .cuts_access();
