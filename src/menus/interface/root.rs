//! `/interface`: all network interfaces with state and counters.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/139526175/Interface+stats+and+monitor-traffic>

use crate::menus::{COMMENT, DISABLED, DYNAMIC, Menu, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/interface", "All network interfaces with state and counters")
    .key(&["name"])
    .attrs(&[
        COMMENT,
        DISABLED,
        attr("l2mtu", Kind::Int, "Largest layer 2 frame without its MAC header, bytes"),
        attr("mtu", Kind::Int, "Largest layer 3 packet, bytes"),
        attr("name", Kind::Name, "Name others refer to"),
        attr("actual-mtu", Kind::Int, "MTU in effect, bytes").read_only(),
        attr("default-name", Kind::Name, "Name given at the factory").read_only(),
        DYNAMIC,
        attr("fp-rps-drop", Kind::Count, "").read_only(),
        attr("fp-rx-byte", Kind::Bytes, "").read_only(),
        attr("fp-rx-packet", Kind::Count, "").read_only(),
        attr("fp-tx-byte", Kind::Bytes, "").read_only(),
        attr("fp-tx-packet", Kind::Count, "").read_only(),
        attr("inactive", Kind::Flag, "Configured but not in use now").read_only(),
        attr("last-link-down-time", Kind::Time, "When the link last went down").read_only(),
        attr("last-link-up-time", Kind::Time, "When the link last came up").read_only(),
        attr("link-downs", Kind::Int, "How often the link went down since start").read_only(),
        attr("mac-address", Kind::Mac, "MAC address").read_only(),
        attr("max-l2mtu", Kind::Int, "Largest L2MTU the hardware takes, bytes").read_only(),
        attr("passthrough", Kind::Flag, "Go on with the next rule").read_only(),
        attr("running", Kind::Flag, "Link is up").read_only(),
        attr("rx-byte", Kind::Bytes, "Bytes received").read_only(),
        attr("rx-drop", Kind::Count, "Received packets dropped").read_only(),
        attr("rx-error", Kind::Count, "Packets received with errors").read_only(),
        attr("rx-packet", Kind::Count, "Packets received").read_only(),
        attr("slave", Kind::Flag, "Member of a bridge or bond").read_only(),
        attr("tx-byte", Kind::Bytes, "Bytes sent").read_only(),
        attr("tx-drop", Kind::Count, "Packets dropped before sending").read_only(),
        attr("tx-error", Kind::Count, "Packets that failed to be sent").read_only(),
        attr("tx-packet", Kind::Count, "Packets sent").read_only(),
        attr("tx-queue-drop", Kind::Count, "Packets dropped by a full transmit queue").read_only(),
        attr("type", Kind::Text, "Kind of interface").read_only(),
        attr("vrf", Kind::Name, "VRF it works in").read_only(),
    ])
    .synonyms(&["interfaces", "ports", "links", "nics", "network cards", "link state", "traffic counters", "port up or down"])
    .commands(&["blink", "monitor-traffic", "reset-counters"])
    .cuts_access();
