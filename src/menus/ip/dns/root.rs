//! `/ip/dns`: DNS resolver of the router.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/37748767/DNS>

use crate::menus::{Menu, attr, singleton};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = singleton("/ip/dns", "DNS resolver of the router")
    .attrs(&[
        attr("address-list-extra-time", Kind::Span, ""),
        attr("allow-remote-requests", Kind::Flag, "Answers the network, not only the router itself"),
        attr("cache-max-ttl", Kind::Span, "Longest an answer is kept"),
        attr("cache-size", Kind::Int, "Size of the cache, KiB"),
        attr("doh-max-concurrent-queries", Kind::Int, ""),
        attr("doh-max-server-connections", Kind::Int, ""),
        attr("doh-timeout", Kind::Span, "How long the DoH server may take"),
        attr("max-concurrent-queries", Kind::Int, "Queries under way at once"),
        attr("max-concurrent-tcp-sessions", Kind::Int, "TCP sessions at once"),
        attr("max-udp-packet-size", Kind::Int, "Largest UDP answer, bytes"),
        attr("mdns-repeat-ifaces", Kind::Set, "Interfaces between which mDNS is repeated"),
        attr("query-server-timeout", Kind::Span, "How long one server may take"),
        attr("query-total-timeout", Kind::Span, "How long all servers together may take"),
        attr("servers", Kind::List, "Servers asked, in order"),
        attr("use-doh-server", Kind::Text, "DNS over HTTPS server (URL)"),
        attr("verify-doh-cert", Kind::Flag, "Check the DoH server's certificate"),
        attr("vrf", Kind::Name, "VRF it works in"),
        attr("cache-used", Kind::Int, "Part of the cache in use, KiB").read_only(),
        attr("dynamic-servers", Kind::List, "Servers learnt from DHCP or PPP").read_only(),
    ])
    .synonyms(&["dns", "dns servers", "name servers", "resolver", "dns settings", "doh", "dns over https", "upstream dns", "open resolver"])
    .basic();
