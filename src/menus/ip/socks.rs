//! `/ip/socks`: SOCKS proxy settings.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/73826308/SOCKS>

use crate::menus::{Menu, attr, singleton};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = singleton("/ip/socks", "SOCKS proxy settings")
    .attrs(&[
        attr("auth-method", Kind::Enum(&["none", "password"]), "How peers prove who they are"),
        attr("connection-idle-timeout", Kind::Span, ""),
        attr("enabled", Kind::Flag, "Switched on"),
        attr("max-connections", Kind::Int, ""),
        attr("port", Kind::Int, "Port"),
        attr("version", Kind::Enum(&["4", "5"]), "Version"),
        attr("vrf", Kind::Name, "VRF it works in"),
    ])
    .synonyms(&["socks", "socks proxy", "open proxy"]);
