//! `/ppp/secret`: PPP users: PPPoE, L2TP, SSTP, PPTP, OpenVPN.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/132350049/PPP+AAA>

use crate::menus::{COMMENT, DISABLED, Menu, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/ppp/secret", "PPP users: PPPoE, L2TP, SSTP, PPTP, OpenVPN")
    .key(&["name", "service"])
    .attrs(&[
        attr("caller-id", Kind::Text, "Who calls: MAC or IP address, number").untrusted(),
        COMMENT,
        DISABLED,
        attr("ipv6-routes", Kind::Text, ""),
        attr("limit-bytes-in", Kind::Bytes, "Bytes the client may send"),
        attr("limit-bytes-out", Kind::Bytes, "Bytes the client may receive"),
        attr("local-address", Kind::Address, "Own address"),
        attr("name", Kind::Name, "User name").required(),
        attr("password", Kind::Text, "Password").secret(),
        attr("profile", Kind::Name, "Profile"),
        attr("remote-address", Kind::Address, "Address of the other side"),
        attr("remote-ipv6-prefix", Kind::Prefix, "IPv6 prefix of the client"),
        attr("routes", Kind::Text, "Routes added while connected"),
        attr("service", Kind::Enum(&["any", "async", "l2tp", "ovpn", "pppoe", "pptp", "sstp"]), "Service"),
        attr("last-caller-id", Kind::Text, "Who called last").read_only().untrusted(),
        attr("last-disconnect-reason", Kind::Text, "Why it ended last").read_only(),
        attr("last-logged-out", Kind::Time, "When it ended last").read_only(),
    ])
    .synonyms(&[
        "ppp secrets",
        "ppp users",
        "vpn users",
        "pppoe users",
        "subscribers",
        "pppoe accounts",
        "l2tp users",
        "pppoe subscribers",
    ]);
