//! `/interface/pppoe-server/server`: PPPoE services offered to subscribers.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/2031625/PPPoE>

use crate::menus::{COMMENT, DISABLED, INVALID, Menu, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/interface/pppoe-server/server", "PPPoE services offered to subscribers")
    .key(&["service-name", "interface"])
    .attrs(&[
        attr("accept-empty-service", Kind::Flag, "Accepts clients that name no service"),
        attr("accept-untagged", Kind::Flag, ""),
        attr("authentication", Kind::Set, "Authentication"),
        COMMENT,
        attr("default-profile", Kind::Name, "Profile of users without their own"),
        DISABLED,
        attr("interface", Kind::Name, "Interface it belongs to").required(),
        attr("keepalive-timeout", Kind::Span, "Silence after which the other side counts as gone"),
        attr("max-mru", Kind::Int, "Largest packet received, bytes"),
        attr("max-mtu", Kind::Int, "Largest packet sent, bytes"),
        attr("max-sessions", Kind::Int, "Sessions at once"),
        attr("mrru", Kind::Int, "Largest packet over several links, bytes"),
        attr("one-session-per-host", Kind::Flag, "One session per host"),
        attr("pado-delay", Kind::Span, ""),
        attr("pppoe-over-vlan-range", Kind::Text, ""),
        attr("service-name", Kind::Text, "Service name"),
        INVALID,
    ])
    .synonyms(&["pppoe server", "subscriber access", "bras"]);
