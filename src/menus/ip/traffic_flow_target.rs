//! `/ip/traffic-flow/target`: where flows are sent.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/21102653/Traffic+Flow>

use crate::menus::{DISABLED, Menu, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/ip/traffic-flow/target", "Where flows are sent")
    .key(&["dst-address", "port"])
    .attrs(&[
        DISABLED,
        attr("dst-address", Kind::Address, "Destination address or network").required(),
        attr("port", Kind::Int, "Port"),
        attr("src-address", Kind::Address, "Source address or network"),
        attr("v9-template-refresh", Kind::Text, ""),
        attr("v9-template-timeout", Kind::Span, ""),
        attr("version", Kind::Enum(&["1", "5", "9", "ipfix"]), "Version"),
    ])
    .synonyms(&["netflow collector", "flow target", "flow collector"]);
