//! `/system/package`: packages installed.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/40992872/Packages>

use crate::menus::{Menu, Topic, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/system/package", "Packages installed")
    .key(&["name"])
    .attrs(&[
        attr("available", Kind::Flag, "Free now").read_only(),
        attr("build-time", Kind::Time, "When it was built").read_only(),
        attr("bundle", Kind::Text, "Bundle it belongs to").read_only(),
        attr("disabled", Kind::Flag, "Kept in the table but not in use").read_only(),
        attr("name", Kind::Name, "Package").read_only(),
        attr("scheduled", Kind::Text, "What the next restart does").read_only(),
        attr("size", Kind::Bytes, "Size").read_only(),
        attr("version", Kind::Text, "Version").read_only(),
    ])
    .synonyms(&["packages", "installed packages", "software packages", "extra packages"])
    .commands(&["apply-changes", "downgrade", "uninstall", "unschedule"])
    .topic(Topic::System)
    .read_only();
