//! `/system/watchdog`: watchdog settings.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/8978694/Watchdog>

use crate::menus::{Menu, Topic, attr, singleton};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = singleton("/system/watchdog", "Watchdog settings")
    .attrs(&[
        attr("auto-send-supout", Kind::Flag, ""),
        attr("automatic-supout", Kind::Flag, "Makes a support file after a crash"),
        attr("ping-start-after-boot", Kind::Span, ""),
        attr("ping-timeout", Kind::Span, "How long it may be silent"),
        attr("send-email-from", Kind::Text, ""),
        attr("send-email-to", Kind::Text, ""),
        attr("send-smtp-server", Kind::Text, ""),
        attr("watch-address", Kind::Text, "Restarts when this address is silent"),
        attr("watchdog-timer", Kind::Flag, "Restarts when the system hangs"),
    ])
    .synonyms(&["watchdog", "automatic reboot", "hang reboot", "supout"])
    .topic(Topic::System);
