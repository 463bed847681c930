//! `/interface/bridge/port`: member ports of bridges.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/328068/Bridging+and+Switching>

use crate::menus::{COMMENT, DISABLED, DYNAMIC, Menu, Topic, attr, ordered};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = ordered("/interface/bridge/port", "Member ports of bridges")
    .key(&["interface"])
    .attrs(&[
        attr("auto-isolate", Kind::Flag, ""),
        attr("bpdu-guard", Kind::Flag, "Shuts the port when it hears spanning tree"),
        attr("bridge", Kind::Name, "Bridge").required(),
        attr("broadcast-flood", Kind::Flag, ""),
        COMMENT,
        DISABLED,
        attr("edge", Kind::Enum(&["auto", "no", "no-discover", "yes", "yes-discover"]), "Edge port of spanning tree"),
        attr("fast-leave", Kind::Flag, ""),
        attr(
            "frame-types",
            Kind::Enum(&["admit-all", "admit-only-untagged-and-priority-tagged", "admit-only-vlan-tagged"]),
            "Frames taken in",
        ),
        attr("horizon", Kind::Text, "Ports with equal horizon do not talk"),
        attr("hw", Kind::Flag, "Hardware offloading wanted"),
        attr("ingress-filtering", Kind::Flag, "Refuse VLANs the port is no member of"),
        attr("interface", Kind::Name, "Interface that is the port").required(),
        attr("internal-path-cost", Kind::Int, "Path cost inside an MST region"),
        attr("learn", Kind::Enum(&["auto", "no", "yes"]), "Learns addresses"),
        attr("multicast-router", Kind::Enum(&["disabled", "permanent", "temporary-query"]), ""),
        attr("mvrp-applicant-state", Kind::Enum(&["non-participant", "normal-participant"]), ""),
        attr("mvrp-registrar-state", Kind::Enum(&["fixed", "normal"]), ""),
        attr("path-cost", Kind::Int, "Spanning tree path cost"),
        attr("point-to-point", Kind::Enum(&["auto", "no", "yes"]), "Point-to-point link"),
        attr("priority", Kind::Text, "Priority"),
        attr("pvid", Kind::Int, "VLAN of untagged frames"),
        attr("restricted-role", Kind::Flag, ""),
        attr("restricted-tcn", Kind::Flag, ""),
        attr("tag-stacking", Kind::Flag, ""),
        attr("trusted", Kind::Flag, "Trusted for DHCP snooping"),
        attr("trusted-dhcpv6", Kind::Text, ""),
        attr("trusted-ra", Kind::Flag, ""),
        attr("unknown-multicast-flood", Kind::Flag, ""),
        attr("unknown-unicast-flood", Kind::Flag, ""),
        attr("actual-path-cost", Kind::Int, "Spanning tree path cost in effect").read_only(),
        attr("debug-info", Kind::Text, "Internals of spanning tree, several lines").read_only(),
        attr("declared-vlan-ids", Kind::Set, "").read_only(),
        attr("designated-bridge-id", Kind::Text, "Bridge that speaks for the segment").read_only(),
        attr("designated-cost", Kind::Int, "").read_only(),
        attr("designated-port-id", Kind::Text, "").read_only(),
        attr("discard-transitions", Kind::Count, "").read_only(),
        DYNAMIC,
        attr("edge-port", Kind::Flag, "").read_only(),
        attr("edge-port-discovery", Kind::Flag, "").read_only(),
        attr("external-fdb-status", Kind::Flag, "").read_only(),
        attr("forward-transitions", Kind::Count, "").read_only(),
        attr("forwarding", Kind::Flag, "Forwards frames").read_only(),
        attr("hw-offload", Kind::Flag, "Done in hardware").read_only(),
        attr("hw-offload-group", Kind::Text, "").read_only(),
        attr("inactive", Kind::Flag, "Configured but not in use now").read_only(),
        attr("internal-root-path-cost", Kind::Int, "").read_only(),
        attr("last-topology-change", Kind::Span, "").read_only(),
        attr("learning", Kind::Flag, "Learns addresses now").read_only(),
        attr("managed", Kind::Flag, "").read_only(),
        attr("parent", Kind::Name, "Row above it").read_only(),
        attr("point-to-point-port", Kind::Flag, "").read_only(),
        attr("port-id", Kind::Text, "").read_only(),
        attr("registered-vlan-ids", Kind::Set, "").read_only(),
        attr("role", Kind::Text, "Spanning tree role").read_only(),
        attr("root-path-cost", Kind::Int, "").read_only(),
        attr("rx-bpdu", Kind::Count, "").read_only(),
        attr("rx-tc", Kind::Count, "").read_only(),
        attr("sending-rstp", Kind::Flag, "").read_only(),
        attr("status", Kind::Text, "State as the router reports it").read_only(),
        attr("topology-changes", Kind::Count, "").read_only(),
        attr("tx-bpdu", Kind::Count, "").read_only(),
        attr("tx-tc", Kind::Count, "").read_only(),
    ])
    .synonyms(&["bridge ports", "switch ports", "bridge members", "access port", "pvid", "trunk port", "stp state"])
    .commands(&["monitor"])
    .topic(Topic::Bridge)
    .cuts_access();
