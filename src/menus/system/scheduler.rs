//! `/system/scheduler`: scripts run at a time.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/40992881/Scheduler>

use crate::menus::{COMMENT, DISABLED, Menu, Topic, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/system/scheduler", "Scripts run at a time")
    .key(&["name"])
    .attrs(&[
        COMMENT,
        attr("days", Kind::Set, "Days it runs on"),
        DISABLED,
        attr("interval", Kind::Span, "Time between runs; 0 s runs once"),
        attr("name", Kind::Name, "Name others refer to"),
        attr("on-event", Kind::Script, "Script run").secret(),
        attr("policy", Kind::Set, "What it may do"),
        attr("start-date", Kind::Text, "First day"),
        attr("start-time", Kind::Text, "Time of day, or startup"),
        attr("next-run", Kind::Time, "When it runs next").read_only(),
        attr("owner", Kind::Text, "Who holds or made it").read_only(),
        attr("run-count", Kind::Int, "How often it ran").read_only(),
    ])
    .synonyms(&["scheduler", "scheduled tasks", "cron", "timer", "scheduled jobs", "run every day"])
    .topic(Topic::System)
    .cuts_access();
