//! `/ip/hotspot/user/profile`: limits of hotspot users.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/56459266/HotSpot+-+Captive+portal>

use crate::menus::{Menu, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/ip/hotspot/user/profile", "Limits of hotspot users")
    .key(&["name"])
    .attrs(&[
        attr("add-mac-cookie", Kind::Flag, ""),
        attr("address-list", Kind::Name, "Address list entries go into"),
        attr("address-pool", Kind::Name, "Pool addresses come from"),
        attr("advertise", Kind::Flag, "Shows advertisements"),
        attr("advertise-interval", Kind::Span, ""),
        attr("advertise-timeout", Kind::Span, ""),
        attr("advertise-url", Kind::Text, ""),
        attr("idle-timeout", Kind::Span, "Silence after which the session ends"),
        attr("incoming-filter", Kind::Text, "Firewall chain for packets from the client"),
        attr("incoming-packet-mark", Kind::Text, ""),
        attr("insert-queue-before", Kind::Enum(&["bottom", "first"]), ""),
        attr("keepalive-timeout", Kind::Span, "Silence after which the other side counts as gone"),
        attr("mac-cookie-timeout", Kind::Span, ""),
        attr("name", Kind::Name, "Name others refer to"),
        attr("on-login", Kind::Script, "").secret(),
        attr("on-logout", Kind::Script, "").secret(),
        attr("open-status-page", Kind::Enum(&["http-login", "always"]), ""),
        attr("outgoing-filter", Kind::Text, "Firewall chain for packets to the client"),
        attr("outgoing-packet-mark", Kind::Text, ""),
        attr("parent-queue", Kind::Name, "Queue above it"),
        attr("queue-type", Kind::Name, "Queue type"),
        attr("rate-limit", Kind::Text, "Speed limit for the client"),
        attr("session-timeout", Kind::Span, "Longest session"),
        attr("shared-users", Kind::Text, "Sessions of one user at once"),
        attr("status-autorefresh", Kind::Span, ""),
        attr("transparent-proxy", Kind::Flag, ""),
        attr("default", Kind::Flag, "").read_only(),
    ])
    .synonyms(&["hotspot user profiles", "hotspot limits", "voucher profile"]);
