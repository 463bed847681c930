//! `/interface/wifi/capsman/remote-cap`: access points the Wi-Fi controller manages.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/224559120/WiFi>

use crate::menus::{Menu, Topic, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/interface/wifi/capsman/remote-cap", "Access points the Wi-Fi controller manages")
    .key(&["base-mac"])
    .attrs(&[
        attr("address", Kind::Address, "Address").read_only(),
        attr("base-mac", Kind::Mac, "Base MAC address").read_only(),
        attr("board-name", Kind::Text, "Model").read_only().untrusted(),
        attr("common-name", Kind::Text, "Common name").read_only().untrusted(),
        attr("connected-time", Kind::Span, "Time since it connected").read_only(),
        attr("identity", Kind::Text, "Name the other side calls itself").read_only().untrusted(),
        attr("serial", Kind::Text, "Serial number").read_only().untrusted(),
        attr("state", Kind::Text, "State").read_only(),
        attr("uptime", Kind::Span, "Time since start").read_only(),
        attr("version", Kind::Text, "Version").read_only().untrusted(),
    ])
    .synonyms(&["managed access points", "caps", "controlled access points", "remote caps"])
    .commands(&["provision", "set-identity", "upgrade"])
    .topic(Topic::Wireless)
    .read_only()
    .since(7, 13);
