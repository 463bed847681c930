//! `/ip/traffic-flow`: NetFlow export settings.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/21102653/Traffic+Flow>

use crate::menus::{Menu, attr, singleton};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = singleton("/ip/traffic-flow", "NetFlow export settings")
    .attrs(&[
        attr("active-flow-timeout", Kind::Span, ""),
        attr(
            "cache-entries",
            Kind::Enum(&["128k", "16M", "16k", "1M", "1k", "256k", "2M", "2k", "32M", "32k", "4M", "4k", "512k", "64k", "8M", "8k"]),
            "",
        ),
        attr("enabled", Kind::Flag, "Switched on"),
        attr("inactive-flow-timeout", Kind::Span, ""),
        attr("interfaces", Kind::Set, "Interfaces"),
        attr("packet-sampling", Kind::Flag, ""),
        attr("sampling-interval", Kind::Int, ""),
        attr("sampling-space", Kind::Int, ""),
    ])
    .synonyms(&["netflow", "ipfix", "traffic flow", "flow export"])
    .commands(&["monitor"]);
