//! `/ip/dhcp-relay`: DHCP relays.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/24805500/DHCP>

use crate::menus::{DISABLED, INVALID, Menu, Topic, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/ip/dhcp-relay", "DHCP relays")
    .key(&["name"])
    .attrs(&[
        attr("add-relay-info", Kind::Flag, ""),
        attr("delay-threshold", Kind::Span, "Answer only clients waiting this long"),
        attr("dhcp-server", Kind::Address, "DHCP servers asked").required(),
        attr("dhcp-server-vrf", Kind::Text, ""),
        DISABLED,
        attr("interface", Kind::Name, "Interface it belongs to").required(),
        attr("local-address", Kind::Address, "Own address"),
        attr("local-address-as-src-ip", Kind::Flag, ""),
        attr("name", Kind::Name, "Name others refer to"),
        attr("relay-info-remote-id", Kind::Text, ""),
        INVALID,
    ])
    .synonyms(&["dhcp relay", "ip helper", "helper address"])
    .commands(&["monitor", "reset-counters"])
    .topic(Topic::Dhcp);
