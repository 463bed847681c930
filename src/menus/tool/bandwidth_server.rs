//! `/tool/bandwidth-server`: bandwidth test server settings.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/7962644/Bandwidth+Test>

use crate::menus::{Menu, attr, singleton};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = singleton("/tool/bandwidth-server", "Bandwidth test server settings")
    .attrs(&[
        attr("allocate-udp-ports-from", Kind::Int, ""),
        attr("allowed-addresses4", Kind::Prefix, ""),
        attr("allowed-addresses6", Kind::Prefix, ""),
        attr("authenticate", Kind::Flag, "Needs a user and password"),
        attr("enabled", Kind::Flag, "Switched on"),
        attr("max-sessions", Kind::Int, "Sessions at once"),
    ])
    .synonyms(&["bandwidth server", "btest", "bandwidth test server", "speed test server"]);
