//! `/ip/settings`: IPv4 settings: forwarding, reverse path check, ICMP.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/103841817/IP+Settings>

use crate::menus::{Menu, Topic, attr, singleton};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = singleton("/ip/settings", "IPv4 settings: forwarding, reverse path check, ICMP")
    .attrs(&[
        attr("accept-redirects", Kind::Flag, "Takes ICMP redirects"),
        attr("accept-source-route", Kind::Flag, "Takes source-routed packets"),
        attr("allow-fast-path", Kind::Flag, "Fast path allowed"),
        attr("arp-timeout", Kind::Span, "How long an ARP entry lives"),
        attr("icmp-errors-use-inbound-interface-address", Kind::Flag, ""),
        attr("icmp-rate-limit", Kind::Int, ""),
        attr("icmp-rate-mask", Kind::Text, ""),
        attr("ip-forward", Kind::Flag, "Forwards IPv4 packets"),
        attr("ipv4-fragment-time", Kind::Span, ""),
        attr("ipv4-high-fragment-thresh", Kind::Text, ""),
        attr("ipv4-multipath-hash-policy", Kind::Enum(&["l3", "l3-inner", "l4"]), ""),
        attr("max-neighbor-entries", Kind::Int, "Largest neighbour table"),
        attr("rp-filter", Kind::Enum(&["loose", "no", "strict"]), "Reverse path check"),
        attr("secure-redirects", Kind::Flag, "Takes redirects of known gateways only"),
        attr("send-redirects", Kind::Flag, "Sends ICMP redirects"),
        attr("tcp-syncookies", Kind::Flag, "SYN cookies against floods"),
        attr("tcp-timestamps", Kind::Enum(&["disabled", "enabled", "random-offset"]), ""),
        attr("ipv4-fast-path-active", Kind::Flag, "").read_only(),
        attr("ipv4-fast-path-bytes", Kind::Bytes, "").read_only(),
        attr("ipv4-fast-path-packets", Kind::Count, "").read_only(),
        attr("ipv4-fasttrack-active", Kind::Flag, "").read_only(),
        attr("ipv4-fasttrack-bytes", Kind::Bytes, "").read_only(),
        attr("ipv4-fasttrack-packets", Kind::Count, "").read_only(),
    ])
    .synonyms(&["ip settings", "ip forwarding", "rp filter", "reverse path", "fasttrack active", "syn cookies"])
    .topic(Topic::Routing)
    .cuts_access();
