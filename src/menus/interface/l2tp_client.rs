//! `/interface/l2tp-client`: L2TP tunnels this router dials.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/2031631/L2TP>

use crate::menus::{COMMENT, DISABLED, Menu, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/interface/l2tp-client", "L2TP tunnels this router dials")
    .key(&["name"])
    .attrs(&[
        attr("add-default-route", Kind::Flag, "Adds a default route"),
        attr("allow", Kind::Set, "Login protocols allowed"),
        attr("allow-fast-path", Kind::Flag, "Fast path allowed"),
        COMMENT,
        attr("connect-to", Kind::Text, "Server address").required(),
        attr("default-route-distance", Kind::Int, "Distance of that default route"),
        attr("dial-on-demand", Kind::Flag, "Dials when there is traffic"),
        DISABLED,
        attr("ipsec-secret", Kind::Text, "Pre-shared key; turns IPsec on").secret(),
        attr("keepalive-timeout", Kind::Span, "Silence after which the other side counts as gone"),
        attr("l2tp-proto-version", Kind::Enum(&["l2tpv2", "l2tpv3-ip", "l2tpv3-udp"]), ""),
        attr("l2tpv3-circuit-id", Kind::Text, ""),
        attr("l2tpv3-cookie-length", Kind::Enum(&["0", "4-bytes", "8-bytes"]), ""),
        attr("l2tpv3-digest-hash", Kind::Enum(&["md5", "none", "sha1"]), ""),
        attr("max-mru", Kind::Int, "Largest packet received, bytes"),
        attr("max-mtu", Kind::Int, "Largest packet sent, bytes"),
        attr("mrru", Kind::Int, "Largest packet over several links, bytes"),
        attr("name", Kind::Name, "Name others refer to"),
        attr("password", Kind::Text, "Password").secret(),
        attr("profile", Kind::Name, "Profile"),
        attr("random-source-port", Kind::Flag, ""),
        attr("src-address", Kind::Address, "Source address or network"),
        attr("use-ipsec", Kind::Flag, "Runs inside IPsec"),
        attr("use-peer-dns", Kind::Enum(&["exclusively", "no", "yes"]), "Take DNS servers from the other side"),
        attr("user", Kind::Name, "User name"),
        attr("running", Kind::Flag, "Link is up").read_only(),
    ])
    .synonyms(&["l2tp", "l2tp client", "vpn client", "l2tp ipsec"])
    .commands(&["monitor"])
    .cuts_access();
