//! `/ipv6/settings`: IPv6 settings: forwarding, advertisements taken.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/103841817/IP+Settings>

use crate::menus::{Menu, Topic, attr, singleton};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = singleton("/ipv6/settings", "IPv6 settings: forwarding, advertisements taken")
    .attrs(&[
        attr("accept-redirects", Kind::Enum(&["no", "yes-if-forwarding-disabled"]), "Takes ICMP redirects"),
        attr("accept-router-advertisements", Kind::Enum(&["no", "yes", "yes-if-forwarding-disabled"]), "Takes router advertisements"),
        attr("accept-router-advertisements-on", Kind::Text, ""),
        attr("allow-fast-path", Kind::Flag, "Fast path allowed"),
        attr("disable-ipv6", Kind::Flag, "IPv6 switched off"),
        attr("disable-link-local-address", Kind::Flag, ""),
        attr("forward", Kind::Flag, "Forwards IPv6 packets"),
        attr("max-neighbor-entries", Kind::Int, "Largest neighbour table"),
        attr("min-neighbor-entries", Kind::Text, ""),
        attr("multipath-hash-policy", Kind::Enum(&["l3", "l3-inner", "l4"]), ""),
        attr("soft-max-neighbor-entries", Kind::Text, ""),
        attr("stale-neighbor-detect-interval", Kind::Span, ""),
        attr("stale-neighbor-timeout", Kind::Span, ""),
        attr("ipv6-fast-path-active", Kind::Flag, "").read_only(),
        attr("ipv6-fast-path-bytes", Kind::Bytes, "").read_only(),
        attr("ipv6-fast-path-packets", Kind::Count, "").read_only(),
        attr("ipv6-fasttrack-active", Kind::Flag, "").read_only(),
        attr("ipv6-fasttrack-bytes", Kind::Bytes, "").read_only(),
        attr("ipv6-fasttrack-packets", Kind::Count, "").read_only(),
    ])
    .synonyms(&["ipv6 settings", "ipv6 forwarding", "disable ipv6", "turn off ipv6"])
    .topic(Topic::Routing)
    .cuts_access();
