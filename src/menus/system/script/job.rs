//! `/system/script/job`: scripts and console sessions running now.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/47579229/Scripting>

use crate::menus::{COMMENT, Menu, Topic, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/system/script/job", "Scripts and console sessions running now")
    .attrs(&[
        COMMENT,
        attr("started", Kind::Time, ""),
        attr("type", Kind::Enum(&["api-login", "command", "login"]), "Kind of job"),
        attr("owner", Kind::Text, "Who holds or made it").read_only(),
        attr("parent", Kind::Name, "Row above it").read_only(),
        attr("policy", Kind::Set, "What it may do").read_only(),
        attr("script", Kind::Script, "Script run on each event").read_only().secret(),
        attr("trace", Kind::Text, "Where it came from").read_only(),
    ])
    .synonyms(&["running scripts", "jobs", "script jobs", "running tasks"])
    .topic(Topic::System)
    .read_only();
