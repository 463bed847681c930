//! `/ip/hotspot/user`: hotspot users.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/56459266/HotSpot+-+Captive+portal>

use crate::menus::{COMMENT, DISABLED, DYNAMIC, Menu, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/ip/hotspot/user", "Hotspot users")
    .key(&["name", "server"])
    .attrs(&[
        attr("address", Kind::Address, "Address"),
        COMMENT,
        DISABLED,
        attr("email", Kind::Text, "E-mail address"),
        attr("limit-bytes-in", Kind::Bytes, "Bytes the client may send"),
        attr("limit-bytes-out", Kind::Bytes, "Bytes the client may receive"),
        attr("limit-bytes-total", Kind::Bytes, "Bytes in all"),
        attr("limit-uptime", Kind::Span, "Longest time online"),
        attr("mac-address", Kind::Mac, "MAC address"),
        attr("name", Kind::Name, "User name"),
        attr("otp-secret", Kind::Text, "Seed of one-time passwords").secret(),
        attr("password", Kind::Text, "Password").secret(),
        attr("profile", Kind::Name, "Profile"),
        attr("routes", Kind::Text, "Routes added while connected"),
        attr("server", Kind::Name, "Server it belongs to"),
        attr("bytes-in", Kind::Bytes, "Bytes from the client").read_only(),
        attr("bytes-out", Kind::Bytes, "Bytes to the client").read_only(),
        attr("default", Kind::Flag, "").read_only(),
        DYNAMIC,
        attr("packets-in", Kind::Text, "Packets from the client").read_only(),
        attr("packets-out", Kind::Text, "Packets to the client").read_only(),
        attr("uptime", Kind::Span, "Time since start").read_only(),
    ])
    .synonyms(&["hotspot users", "vouchers", "guest accounts", "hotspot accounts"])
    .commands(&["reset-counters"]);
