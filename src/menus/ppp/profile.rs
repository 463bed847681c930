//! `/ppp/profile`: settings shared by PPP users.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/132350049/PPP+AAA>

use crate::menus::{COMMENT, Menu, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/ppp/profile", "Settings shared by PPP users")
    .key(&["name"])
    .attrs(&[
        attr("address-list", Kind::Name, "Address list entries go into"),
        attr("bridge", Kind::Name, "Bridge"),
        attr("bridge-horizon", Kind::Text, "Horizon of its bridge port"),
        attr("bridge-learning", Kind::Enum(&["default", "no", "yes"]), ""),
        attr("bridge-path-cost", Kind::Int, ""),
        attr("bridge-port-priority", Kind::Text, ""),
        attr("bridge-port-trusted", Kind::Flag, ""),
        attr("bridge-port-vid", Kind::Text, ""),
        attr("change-tcp-mss", Kind::Enum(&["default", "no", "yes"]), "Fits TCP segments to the link"),
        COMMENT,
        attr("dhcpv6-lease-time", Kind::Span, ""),
        attr("dhcpv6-pd-pool", Kind::Text, ""),
        attr("dhcpv6-use-radius", Kind::Flag, ""),
        attr("dns-server", Kind::List, "DNS servers given to clients"),
        attr("idle-timeout", Kind::Span, "Silence after which the session ends"),
        attr("incoming-filter", Kind::Enum(&["forward", "input", "output"]), "Firewall chain for packets from the client"),
        attr("insert-queue-before", Kind::Enum(&["bottom", "first"]), ""),
        attr("interface-list", Kind::Name, "Interface list it joins"),
        attr("local-address", Kind::Address, "Own address"),
        attr("name", Kind::Name, "Name others refer to"),
        attr("on-down", Kind::Script, "Script run on disconnect").secret(),
        attr("on-up", Kind::Script, "Script run on connect").secret(),
        attr("only-one", Kind::Enum(&["default", "no", "yes"]), "One session a user"),
        attr("outgoing-filter", Kind::Enum(&["forward", "input", "output"]), "Firewall chain for packets to the client"),
        attr("parent-queue", Kind::Name, "Queue above it"),
        attr("queue-type", Kind::Name, "Queue type"),
        attr("rate-limit", Kind::Text, "Speed limit for the client"),
        attr("remote-address", Kind::Address, "Address of the other side"),
        attr("remote-ipv6-prefix-pool", Kind::Text, ""),
        attr("remote-ipv6-prefix-reuse", Kind::Flag, ""),
        attr("session-timeout", Kind::Span, "Longest session"),
        attr("use-compression", Kind::Enum(&["default", "no", "yes"]), ""),
        attr("use-encryption", Kind::Enum(&["default", "no", "required", "yes"]), "Encryption"),
        attr("use-ipv6", Kind::Enum(&["default", "no", "required", "yes"]), ""),
        attr("use-mpls", Kind::Enum(&["default", "no", "required", "yes"]), ""),
        attr("use-upnp", Kind::Enum(&["default", "no", "yes"]), ""),
        attr("wins-server", Kind::List, "WINS servers given to clients"),
        attr("default", Kind::Flag, "").read_only(),
    ])
    .synonyms(&["ppp profiles", "vpn profiles", "pppoe profiles", "subscriber profiles"]);
