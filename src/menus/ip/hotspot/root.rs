//! `/ip/hotspot`: hotspots: captive portals.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/56459266/HotSpot+-+Captive+portal>

use crate::menus::{DISABLED, INVALID, Menu, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/ip/hotspot", "Hotspots: captive portals")
    .key(&["name"])
    .attrs(&[
        attr("address-pool", Kind::Name, "Pool addresses come from"),
        attr("addresses-per-mac", Kind::Int, ""),
        DISABLED,
        attr("idle-timeout", Kind::Span, "Silence after which the session ends"),
        attr("interface", Kind::Name, "Interface it belongs to").required(),
        attr("keepalive-timeout", Kind::Span, "Silence after which the other side counts as gone"),
        attr("login-timeout", Kind::Span, ""),
        attr("name", Kind::Name, "Name others refer to"),
        attr("profile", Kind::Name, "Profile"),
        attr("HTTPS", Kind::Flag, "").read_only(),
        INVALID,
    ])
    .synonyms(&["hotspot", "captive portal", "guest portal", "hotspot servers"])
    .commands(&["reset-html", "setup"])
    .cuts_access();
