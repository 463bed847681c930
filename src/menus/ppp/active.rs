//! `/ppp/active`: PPP users connected now.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/132350049/PPP+AAA>

use crate::menus::{COMMENT, Menu, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/ppp/active", "PPP users connected now")
    .key(&["name", "session-id"])
    .attrs(&[
        attr("address", Kind::Address, "Address").read_only(),
        attr("caller-id", Kind::Text, "Who calls: MAC or IP address, number").read_only().untrusted(),
        COMMENT.read_only(),
        attr("encoding", Kind::Text, "Encryption and compression in use").read_only(),
        attr("limit-bytes-in", Kind::Bytes, "Bytes the client may send").read_only(),
        attr("limit-bytes-out", Kind::Bytes, "Bytes the client may receive").read_only(),
        attr("name", Kind::Name, "User name").read_only().untrusted(),
        attr("radius", Kind::Flag, "Comes from RADIUS").read_only(),
        attr("service", Kind::Text, "Service").read_only(),
        attr("session-id", Kind::Text, "Session id").read_only(),
        attr("uptime", Kind::Span, "Time since start").read_only(),
    ])
    .synonyms(&[
        "ppp active",
        "active vpn users",
        "connected vpn clients",
        "pppoe sessions",
        "vpn sessions",
        "online subscribers",
        "vpn status",
    ])
    .read_only();
