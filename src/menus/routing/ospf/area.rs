//! `/routing/ospf/area`: OSPF areas.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/9863229/OSPF>

use crate::menus::{COMMENT, DISABLED, DYNAMIC, Menu, Topic, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/routing/ospf/area", "OSPF areas")
    .key(&["name"])
    .attrs(&[
        attr("area-id", Kind::Text, "Area id"),
        COMMENT,
        attr("default-cost", Kind::Int, "Cost of the default route"),
        DISABLED,
        attr("instance", Kind::Name, "Instance").required(),
        attr("name", Kind::Name, "Name others refer to"),
        attr("no-summaries", Kind::Flag, "Takes no summaries").absent_no().empty_is_yes(),
        attr("nssa-translator", Kind::Enum(&["candidate", "no", "yes"]), ""),
        attr("type", Kind::Enum(&["default", "nssa", "stub"]), "Kind of entry"),
        DYNAMIC,
        attr("inactive", Kind::Flag, "Configured but not in use now").read_only(),
        attr("transit-capable", Kind::Flag, "").read_only(),
    ])
    .synonyms(&["ospf areas", "backbone area", "stub area"])
    .topic(Topic::Routing)
    .cuts_access();
