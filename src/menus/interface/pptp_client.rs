//! `/interface/pptp-client`: PPTP tunnels this router dials.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/2031638/PPTP>

use crate::menus::{COMMENT, DISABLED, Menu, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/interface/pptp-client", "PPTP tunnels this router dials")
    .key(&["name"])
    .attrs(&[
        attr("add-default-route", Kind::Flag, "Adds a default route"),
        attr("allow", Kind::Set, "Login protocols allowed"),
        COMMENT,
        attr("connect-to", Kind::Text, "Server address").required(),
        attr("default-route-distance", Kind::Int, "Distance of that default route"),
        attr("dial-on-demand", Kind::Flag, "Dials when there is traffic"),
        DISABLED,
        attr("keepalive-timeout", Kind::Span, "Silence after which the other side counts as gone"),
        attr("max-mru", Kind::Int, "Largest packet received, bytes"),
        attr("max-mtu", Kind::Int, "Largest packet sent, bytes"),
        attr("mrru", Kind::Int, "Largest packet over several links, bytes"),
        attr("name", Kind::Name, "Name others refer to"),
        attr("password", Kind::Text, "Password").secret(),
        attr("profile", Kind::Name, "Profile"),
        attr("use-peer-dns", Kind::Enum(&["exclusively", "no", "yes"]), "Take DNS servers from the other side"),
        attr("user", Kind::Name, "User name"),
        attr("running", Kind::Flag, "Link is up").read_only(),
    ])
    .synonyms(&["pptp", "pptp client", "vpn client"])
    .commands(&["monitor"])
    .cuts_access();
