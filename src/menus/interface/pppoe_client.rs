//! `/interface/pppoe-client`: PPPoE dial-out to an internet provider.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/2031625/PPPoE>

use crate::menus::{COMMENT, DISABLED, INVALID, Menu, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/interface/pppoe-client", "PPPoE dial-out to an internet provider")
    .key(&["name"])
    .attrs(&[
        attr("ac-name", Kind::Text, "Access concentrator name").untrusted(),
        attr("add-default-route", Kind::Flag, "Adds a default route"),
        attr("allow", Kind::Set, "Login protocols allowed"),
        COMMENT,
        attr("default-route-distance", Kind::Int, "Distance of that default route"),
        attr("dial-on-demand", Kind::Flag, "Dials when there is traffic"),
        DISABLED,
        attr("host-uniq", Kind::Text, ""),
        attr("interface", Kind::Name, "Interface it dials over").required(),
        attr("keepalive-timeout", Kind::Span, "Silence after which the other side counts as gone"),
        attr("max-mru", Kind::Int, "Largest packet received, bytes"),
        attr("max-mtu", Kind::Int, "Largest packet sent, bytes"),
        attr("mrru", Kind::Int, "Largest packet over several links, bytes"),
        attr("name", Kind::Name, "Name others refer to"),
        attr("password", Kind::Text, "Password").secret(),
        attr("profile", Kind::Name, "Profile"),
        attr("service-name", Kind::Text, "Service name"),
        attr("use-peer-dns", Kind::Flag, "Take DNS servers from the other side"),
        attr("user", Kind::Name, "User name"),
        INVALID,
        attr("running", Kind::Flag, "Link is up").read_only(),
    ])
    .synonyms(&["pppoe", "pppoe client", "dsl", "wan dial", "internet login", "fiber login", "provider login"])
    .commands(&["monitor", "scan"])
    .cuts_access();
