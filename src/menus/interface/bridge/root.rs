//! `/interface/bridge`: bridges: software and hardware switches.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/328068/Bridging+and+Switching>

use crate::menus::{COMMENT, DISABLED, DYNAMIC, Menu, Topic, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/interface/bridge", "Bridges: software and hardware switches")
    .key(&["name"])
    .attrs(&[
        attr("admin-mac", Kind::Mac, "MAC address set by hand"),
        attr("ageing-time", Kind::Span, "How long a learnt address stays"),
        attr("arp", Kind::Enum(&["disabled", "enabled", "local-proxy-arp", "proxy-arp", "reply-only"]), "How ARP is answered"),
        attr("arp-timeout", Kind::Span, "How long an ARP entry lives"),
        attr("auto-mac", Kind::Flag, "Takes the MAC address of a port"),
        COMMENT,
        attr("dhcp-agent-circuit-id", Kind::Text, ""),
        attr("dhcp-agent-remote-id", Kind::Text, ""),
        attr("dhcp-snooping", Kind::Flag, "Takes DHCP offers from trusted ports only"),
        attr("dhcpv6-agent-circuit-id", Kind::Text, ""),
        attr("dhcpv6-agent-remote-id", Kind::Text, ""),
        attr("dhcpv6-snooping", Kind::Text, ""),
        DISABLED,
        attr("ether-type", Kind::Enum(&["0x8100", "0x88a8", "0x9100"]), "EtherType of VLAN tags"),
        attr("fast-forward", Kind::Flag, "Short cut for two-port bridges"),
        attr("forward-delay", Kind::Span, "Spanning tree forward delay"),
        attr("forward-reserved-addresses", Kind::Flag, ""),
        attr(
            "frame-types",
            Kind::Enum(&["admit-all", "admit-only-untagged-and-priority-tagged", "admit-only-vlan-tagged"]),
            "Frames taken in",
        ),
        attr("igmp-snooping", Kind::Flag, "IGMP and MLD snooping"),
        attr("igmp-version", Kind::Enum(&["2", "3"]), ""),
        attr("ingress-filtering", Kind::Flag, "Refuse VLANs the port is no member of"),
        attr("last-member-interval", Kind::Span, ""),
        attr("last-member-query-count", Kind::Text, ""),
        attr("max-hops", Kind::Int, ""),
        attr("max-learned-entries", Kind::Enum(&["auto", "unlimited"]), ""),
        attr("max-message-age", Kind::Span, "Spanning tree maximum age"),
        attr("membership-interval", Kind::Span, ""),
        attr("mlag-heartbeat", Kind::Span, ""),
        attr("mlag-peer-port", Kind::Text, ""),
        attr("mlag-priority", Kind::Text, ""),
        attr("mld-version", Kind::Enum(&["1", "2"]), ""),
        attr("mtu", Kind::Int, "Largest layer 3 packet, bytes"),
        attr("multicast-querier", Kind::Flag, ""),
        attr("multicast-router", Kind::Enum(&["disabled", "permanent", "temporary-query"]), ""),
        attr("mvrp", Kind::Flag, ""),
        attr("name", Kind::Name, "Name others refer to"),
        attr("port-cost-mode", Kind::Enum(&["short", "long"]), ""),
        attr("priority", Kind::Text, "Priority"),
        attr("protocol-mode", Kind::Enum(&["mstp", "none", "rstp", "stp"]), "Spanning tree protocol"),
        attr("pvid", Kind::Int, "VLAN of untagged frames"),
        attr("querier-interval", Kind::Span, ""),
        attr("querier-uses-bridge-address", Kind::Text, ""),
        attr("query-interval", Kind::Span, ""),
        attr("query-response-interval", Kind::Span, ""),
        attr("ra-guard", Kind::Flag, ""),
        attr("region-name", Kind::Text, ""),
        attr("region-revision", Kind::Text, ""),
        attr("startup-query-count", Kind::Text, ""),
        attr("startup-query-interval", Kind::Span, ""),
        attr("transmit-hold-count", Kind::Int, ""),
        attr("vlan-filtering", Kind::Flag, "VLAN table in effect"),
        attr("actual-mtu", Kind::Int, "MTU in effect, bytes").read_only(),
        attr("add-dhcp-option82", Kind::Flag, "").read_only(),
        DYNAMIC,
        attr("l2mtu", Kind::Int, "Largest layer 2 frame without its MAC header, bytes").read_only(),
        attr("mac-address", Kind::Mac, "MAC address").read_only(),
        attr("managed", Kind::Flag, "").read_only(),
        attr("running", Kind::Flag, "Link is up").read_only(),
    ])
    .synonyms(&["bridges", "switch", "layer 2", "spanning tree", "stp", "rstp", "vlan filtering", "igmp snooping"])
    .commands(&["monitor"])
    .topic(Topic::Bridge)
    .cuts_access();
