//! `/interface/bridge/settings`: settings of all bridges.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/328068/Bridging+and+Switching>

use crate::menus::{Menu, Topic, attr, singleton};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = singleton("/interface/bridge/settings", "Settings of all bridges")
    .attrs(&[
        attr("allow-fast-path", Kind::Flag, "Fast path allowed"),
        attr("use-ip-firewall", Kind::Flag, ""),
        attr("use-ip-firewall-for-pppoe", Kind::Flag, ""),
        attr("use-ip-firewall-for-vlan", Kind::Flag, ""),
        attr("bridge-fast-forward-bytes", Kind::Bytes, "").read_only(),
        attr("bridge-fast-forward-packets", Kind::Count, "").read_only(),
        attr("bridge-fast-path-active", Kind::Flag, "").read_only(),
        attr("bridge-fast-path-bytes", Kind::Bytes, "").read_only(),
        attr("bridge-fast-path-packets", Kind::Count, "").read_only(),
    ])
    .synonyms(&["bridge settings", "use ip firewall on bridge", "bridge fast path"])
    .topic(Topic::Bridge)
    .cuts_access();
