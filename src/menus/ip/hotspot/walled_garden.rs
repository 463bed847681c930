//! `/ip/hotspot/walled-garden`: sites reachable before hotspot login.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/56459266/HotSpot+-+Captive+portal>

use crate::menus::{COMMENT, DISABLED, DYNAMIC, Menu, attr, ordered};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = ordered("/ip/hotspot/walled-garden", "Sites reachable before hotspot login")
    .attrs(&[
        attr("action", Kind::Enum(&["allow", "deny"]), "What happens to a packet that matches"),
        COMMENT,
        DISABLED,
        attr("dst-host", Kind::Text, ""),
        attr("dst-port", Kind::Text, "Destination port or ports"),
        attr("method", Kind::Text, ""),
        attr("path", Kind::Text, ""),
        attr("server", Kind::Name, "Server it belongs to"),
        attr("src-address", Kind::Address, "Source address or network"),
        attr("dst-address", Kind::Address, "Destination address or network").read_only(),
        DYNAMIC,
    ])
    .synonyms(&["walled garden", "hotspot allowed sites"])
    .commands(&["reset-counters", "reset-counters-all"]);
