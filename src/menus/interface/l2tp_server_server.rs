//! `/interface/l2tp-server/server`: L2TP server settings.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/2031631/L2TP>

use crate::menus::{Menu, attr, singleton};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = singleton("/interface/l2tp-server/server", "L2TP server settings")
    .attrs(&[
        attr("accept-proto-version", Kind::Enum(&["all", "l2tpv2", "l2tpv3"]), ""),
        attr("accept-pseudowire-type", Kind::Enum(&["all", "ether", "ppp"]), ""),
        attr("allow-fast-path", Kind::Flag, "Fast path allowed"),
        attr("authentication", Kind::Set, "Authentication"),
        attr("caller-id-type", Kind::Enum(&["ip-address", "number"]), ""),
        attr("default-profile", Kind::Name, "Profile of users without their own"),
        attr("enabled", Kind::Flag, "Switched on"),
        attr("ipsec-secret", Kind::Text, "Pre-shared key; turns IPsec on").secret(),
        attr("keepalive-timeout", Kind::Span, "Silence after which the other side counts as gone"),
        attr("l2tpv3-circuit-id", Kind::Text, ""),
        attr("l2tpv3-cookie-length", Kind::Enum(&["0", "4-bytes", "8-bytes"]), ""),
        attr("l2tpv3-digest-hash", Kind::Enum(&["md5", "none", "sha1"]), ""),
        attr("l2tpv3-ether-interface-list", Kind::Text, ""),
        attr("max-mru", Kind::Int, "Largest packet received, bytes"),
        attr("max-mtu", Kind::Int, "Largest packet sent, bytes"),
        attr("max-sessions", Kind::Int, "Sessions at once"),
        attr("mrru", Kind::Int, "Largest packet over several links, bytes"),
        attr("one-session-per-host", Kind::Flag, "One session per host"),
        attr("use-ipsec", Kind::Enum(&["no", "required", "yes"]), "Runs inside IPsec"),
    ])
    .synonyms(&["l2tp server", "vpn server", "remote access vpn", "l2tp ipsec server"])
    .cuts_access();
