//! `/system/ntp/client`: NTP client: time servers and state.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/40992869/NTP>

use crate::menus::{Menu, Topic, attr, singleton};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = singleton("/system/ntp/client", "NTP client: time servers and state")
    .attrs(&[
        attr("enabled", Kind::Flag, "Switched on"),
        attr("mode", Kind::Enum(&["broadcast", "manycast", "multicast", "unicast"]), "Mode"),
        attr("servers", Kind::List, "Servers asked, in order"),
        attr("vrf", Kind::Name, "VRF it works in"),
        attr("freq-drift", Kind::Real, "Clock drift, parts per million").read_only(),
        attr("status", Kind::Text, "State as the router reports it").read_only(),
        attr("synced-server", Kind::Text, "Server in use").read_only(),
        attr("synced-stratum", Kind::Int, "Stratum of the server in use").read_only(),
        attr("system-offset", Kind::Real, "Offset to the server, ms").read_only(),
    ])
    .synonyms(&["ntp", "ntp client", "time sync", "time synchronisation", "sntp", "time server", "clock drift"])
    .commands(&["reset-freq-drift"])
    .topic(Topic::System)
    .basic();
