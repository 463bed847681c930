//! `/ip/proxy`: web proxy settings.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/132350000/Proxy>

use crate::menus::{Menu, attr, singleton};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = singleton("/ip/proxy", "Web proxy settings")
    .attrs(&[
        attr("always-from-cache", Kind::Flag, ""),
        attr("anonymous", Kind::Flag, ""),
        attr("cache-administrator", Kind::Text, ""),
        attr("cache-hit-dscp", Kind::Text, ""),
        attr("cache-on-disk", Kind::Flag, ""),
        attr("cache-path", Kind::Text, ""),
        attr("enabled", Kind::Flag, "Switched on"),
        attr("max-cache-object-size", Kind::Text, ""),
        attr("max-cache-size", Kind::Enum(&["none", "unlimited"]), ""),
        attr("max-client-connections", Kind::Int, ""),
        attr("max-fresh-time", Kind::Span, ""),
        attr("max-server-connections", Kind::Int, ""),
        attr("parent-proxy", Kind::Text, ""),
        attr("parent-proxy-port", Kind::Int, ""),
        attr("port", Kind::Int, "Port"),
        attr("serialize-connections", Kind::Flag, ""),
        attr("src-address", Kind::Address, "Source address or network"),
    ])
    .synonyms(&["web proxy", "http proxy", "proxy", "open proxy"])
    .commands(&["clear-cache", "monitor", "reset-html"]);
