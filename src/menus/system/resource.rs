//! `/system/resource`: CPU, memory, disk, version and uptime.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/40992875/Resource>

use crate::menus::{Menu, Topic, attr, singleton};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = singleton("/system/resource", "CPU, memory, disk, version and uptime")
    .attrs(&[
        attr("architecture-name", Kind::Text, "CPU architecture").read_only(),
        attr("bad-blocks", Kind::Percent, "Bad flash blocks, percent").read_only(),
        attr("board-name", Kind::Text, "Model").read_only(),
        attr("build-time", Kind::Time, "When it was built").read_only(),
        attr("cpu", Kind::Text, "CPU").read_only(),
        attr("cpu-count", Kind::Int, "CPU cores").read_only(),
        attr("cpu-frequency", Kind::Int, "CPU clock, MHz").read_only(),
        attr("cpu-load", Kind::Percent, "CPU load, percent").read_only(),
        attr("factory-software", Kind::Text, "Version it was shipped with").read_only(),
        attr("free-hdd-space", Kind::Bytes, "Free disk, bytes").read_only(),
        attr("free-memory", Kind::Bytes, "Free memory, bytes").read_only(),
        attr("platform", Kind::Text, "Platform").read_only(),
        attr("total-hdd-space", Kind::Bytes, "Disk size, bytes").read_only(),
        attr("total-memory", Kind::Bytes, "Memory size, bytes").read_only(),
        attr("uptime", Kind::Span, "Time since start").read_only(),
        attr("version", Kind::Text, "RouterOS version").read_only(),
        attr("write-sect-since-reboot", Kind::Int, "Sectors written since start").read_only(),
        attr("write-sect-total", Kind::Int, "Sectors written in its life").read_only(),
    ])
    .synonyms(&[
        "resources",
        "cpu",
        "cpu load",
        "memory",
        "ram",
        "uptime",
        "version",
        "disk space",
        "free memory",
        "architecture",
        "routeros version",
        "model",
        "how long running",
        "performance",
    ])
    .commands(&["monitor"])
    .topic(Topic::System)
    .read_only();
