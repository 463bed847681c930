//! `/system/license`: licence of the router.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/328149/RouterOS+license+keys>

use crate::menus::{Menu, Topic, attr, singleton};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = singleton("/system/license", "Licence of the router")
    .attrs(&[
        attr("deadline-at", Kind::Time, "When it must be renewed").read_only(),
        attr("level", Kind::Text, "Licence level").read_only(),
        attr("limited-upgrades", Kind::Text, "Upgrades are limited").read_only(),
        attr("next-renewal-at", Kind::Time, "When it renews itself").read_only(),
        attr("system-id", Kind::Text, "System id").read_only(),
    ])
    .synonyms(&["license", "licence", "license level", "software key", "chr license"])
    .commands(&["generate-new-id", "renew"])
    .topic(Topic::System)
    .read_only();
