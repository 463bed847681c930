//! `/interface/bonding`: bonds: several links used as one.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/8323193/Bonding>

use crate::menus::{COMMENT, DISABLED, Menu, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/interface/bonding", "Bonds: several links used as one")
    .key(&["name"])
    .attrs(&[
        attr("arp", Kind::Enum(&["disabled", "enabled", "local-proxy-arp", "proxy-arp", "reply-only"]), "How ARP is answered"),
        attr("arp-interval", Kind::Span, ""),
        attr("arp-ip-targets", Kind::Text, ""),
        attr("arp-timeout", Kind::Span, "How long an ARP entry lives"),
        COMMENT,
        DISABLED,
        attr("down-delay", Kind::Span, ""),
        attr("forced-mac-address", Kind::Mac, ""),
        attr("lacp-mode", Kind::Enum(&["active", "passive"]), ""),
        attr("lacp-rate", Kind::Enum(&["1sec", "30secs"]), "How often LACP frames are sent"),
        attr("lacp-system-id", Kind::Mac, ""),
        attr("lacp-system-priority", Kind::Int, ""),
        attr("lacp-user-key", Kind::Text, ""),
        attr("link-monitoring", Kind::Enum(&["arp", "mii", "none"]), "How member links are watched"),
        attr("mii-interval", Kind::Span, ""),
        attr("min-links", Kind::Int, "Links needed to be up"),
        attr("mlag-id", Kind::Text, ""),
        attr(
            "mode",
            Kind::Enum(&["802.3ad", "active-backup", "balance-alb", "balance-rr", "balance-tlb", "balance-xor", "broadcast"]),
            "Mode",
        ),
        attr("mtu", Kind::Int, "Largest layer 3 packet, bytes"),
        attr("name", Kind::Name, "Name others refer to"),
        attr("primary", Kind::Name, "Preferred member"),
        attr("slaves", Kind::Set, "Member interfaces").required(),
        attr(
            "transmit-hash-policy",
            Kind::Enum(&["encap-2-and-3", "encap-3-and-4", "layer-2", "layer-2-and-3", "layer-3-and-4"]),
            "How traffic is spread over members",
        ),
        attr("up-delay", Kind::Span, ""),
        attr("mac-address", Kind::Mac, "MAC address").read_only(),
        attr("running", Kind::Flag, "Link is up").read_only(),
    ])
    .synonyms(&["bonding", "bond", "lacp", "link aggregation", "lag", "802.3ad", "port channel", "trunk group"])
    .commands(&["monitor", "monitor-slaves"])
    .cuts_access();
