//! `/system/device-mode`: which features the device mode allows.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/93749258/Device-mode>

use crate::menus::{Menu, Topic, attr, singleton};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = singleton("/system/device-mode", "Which features the device mode allows")
    .attrs(&[
        attr("allowed-versions", Kind::Text, "Versions that may be installed").read_only(),
        attr("attempt-count", Kind::Int, "Changes tried without confirmation").read_only(),
        attr("bandwidth-test", Kind::Flag, "Bandwidth test allowed").read_only(),
        attr("container", Kind::Flag, "Containers allowed").read_only(),
        attr("email", Kind::Flag, "E-mail allowed").read_only(),
        attr("fetch", Kind::Flag, "Fetch allowed").read_only(),
        attr("flagged", Kind::Flag, "The router suspects it was tampered with").read_only(),
        attr("flagging-enabled", Kind::Flag, "Looks for tampering at start").read_only(),
        attr("hotspot", Kind::Flag, "Hotspot allowed").read_only(),
        attr("install-any-version", Kind::Flag, "Any version may be installed").read_only(),
        attr("ipsec", Kind::Flag, "IPsec allowed").read_only(),
        attr("l2tp", Kind::Flag, "L2TP allowed").read_only(),
        attr("mode", Kind::Text, "Mode").read_only(),
        attr("partitions", Kind::Flag, "Partitions may be changed").read_only(),
        attr("pptp", Kind::Flag, "PPTP allowed").read_only(),
        attr("proxy", Kind::Flag, "Proxy allowed").read_only(),
        attr("romon", Kind::Flag, "RoMON allowed").read_only(),
        attr("routerboard", Kind::Flag, "RouterBOARD settings may be changed").read_only(),
        attr("scheduler", Kind::Flag, "Scheduler allowed").read_only(),
        attr("smb", Kind::Flag, "SMB allowed").read_only(),
        attr("sniffer", Kind::Flag, "Sniffer allowed").read_only(),
        attr("socks", Kind::Flag, "SOCKS allowed").read_only(),
        attr("traffic-gen", Kind::Flag, "Traffic generator allowed").read_only(),
        attr("zerotier", Kind::Flag, "ZeroTier allowed").read_only(),
    ])
    .synonyms(&["device mode", "feature lock", "allowed features", "flagged", "home mode", "advanced mode"])
    .commands(&["update"])
    .topic(Topic::System)
    .read_only();
