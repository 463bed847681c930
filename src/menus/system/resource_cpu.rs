//! `/system/resource/cpu`: load of each CPU core.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/40992875/Resource>

use crate::menus::{Menu, Topic, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/system/resource/cpu", "Load of each CPU core")
    .key(&["cpu"])
    .attrs(&[
        attr("cpu", Kind::Text, "Core").read_only(),
        attr("disk", Kind::Int, "Load by disk, percent").read_only(),
        attr("irq", Kind::Percent, "Load by interrupts, percent").read_only(),
        attr("load", Kind::Percent, "Load, percent").read_only(),
    ])
    .synonyms(&["cpu cores", "load per core", "cpu usage per core"])
    .topic(Topic::System)
    .read_only();
