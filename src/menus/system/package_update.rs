//! `/system/package/update`: update channel and newest version.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/328142/Upgrading+and+installation>

use crate::menus::{Menu, Topic, attr, singleton};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = singleton("/system/package/update", "Update channel and newest version")
    .attrs(&[
        attr("channel", Kind::Name, "Channel profile"),
        attr("check-certificate", Kind::Text, ""),
        attr("ip-version", Kind::Text, ""),
        attr("mode", Kind::Text, "Mode"),
        attr("installed-version", Kind::Text, "Version installed").read_only(),
        attr("latest-version", Kind::Text, "Newest version of the channel").read_only(),
        attr("status", Kind::Text, "State as the router reports it").read_only(),
    ])
    .synonyms(&["updates", "upgrade", "routeros update", "check for updates", "new version", "update channel", "latest version"])
    .commands(&["cancel", "check-for-updates", "download", "install"])
    .topic(Topic::System);
