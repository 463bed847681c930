//! `/ip/hotspot/ip-binding`: devices that pass or are kept out of a hotspot.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/56459266/HotSpot+-+Captive+portal>

use crate::menus::{COMMENT, DISABLED, Menu, attr, ordered};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = ordered("/ip/hotspot/ip-binding", "Devices that pass or are kept out of a hotspot")
    .key(&["mac-address", "address"])
    .attrs(&[
        attr("address", Kind::Address, "Address"),
        COMMENT,
        DISABLED,
        attr("mac-address", Kind::Mac, "MAC address"),
        attr("server", Kind::Name, "Server it belongs to"),
        attr("to-address", Kind::Address, "Address put in place"),
        attr("type", Kind::Enum(&["blocked", "bypassed", "regular"]), "Kind of entry"),
        attr("blocked", Kind::Flag, "Kept out").read_only(),
        attr("bypassed", Kind::Flag, "").read_only(),
    ])
    .synonyms(&["hotspot bypass", "ip bindings", "bypass captive portal"]);
