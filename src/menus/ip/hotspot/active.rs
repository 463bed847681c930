//! `/ip/hotspot/active`: hotspot users logged in now.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/56459266/HotSpot+-+Captive+portal>

use crate::menus::{COMMENT, Menu, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/ip/hotspot/active", "Hotspot users logged in now")
    .key(&["user", "mac-address"])
    .attrs(&[
        attr("address", Kind::Address, "Address").read_only(),
        attr("advertisement", Kind::Flag, "").read_only(),
        attr("blocked", Kind::Flag, "Kept out").read_only(),
        attr("bytes-in", Kind::Bytes, "Bytes from the client").read_only(),
        attr("bytes-out", Kind::Bytes, "Bytes to the client").read_only(),
        COMMENT.read_only(),
        attr("domain", Kind::Text, "Domain name").read_only().untrusted(),
        attr("idle-time", Kind::Span, "Time without traffic").read_only(),
        attr("idle-timeout", Kind::Span, "Silence after which the session ends").read_only(),
        attr("keepalive-timeout", Kind::Span, "Silence after which the other side counts as gone").read_only(),
        attr("limit-bytes-in", Kind::Bytes, "Bytes the client may send").read_only(),
        attr("limit-bytes-out", Kind::Bytes, "Bytes the client may receive").read_only(),
        attr("limit-bytes-total", Kind::Bytes, "Bytes in all").read_only(),
        attr("login-by", Kind::Set, "Ways to log in").read_only(),
        attr("mac-address", Kind::Mac, "MAC address").read_only(),
        attr("packets-in", Kind::Text, "Packets from the client").read_only(),
        attr("packets-out", Kind::Text, "Packets to the client").read_only(),
        attr("radius", Kind::Flag, "Comes from RADIUS").read_only(),
        attr("server", Kind::Name, "Server it belongs to").read_only(),
        attr("session-time-left", Kind::Span, "Time left").read_only(),
        attr("uptime", Kind::Span, "Time since start").read_only(),
        attr("user", Kind::Name, "User name").read_only().untrusted(),
    ])
    .synonyms(&["hotspot active", "hotspot sessions", "guests online", "logged in guests"])
    .commands(&["login"])
    .read_only();
