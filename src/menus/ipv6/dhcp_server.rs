//! `/ipv6/dhcp-server`: DHCPv6 servers.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/24805500/DHCP>

use crate::menus::{COMMENT, DISABLED, DYNAMIC, INVALID, Menu, Topic, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/ipv6/dhcp-server", "DHCPv6 servers")
    .key(&["name"])
    .attrs(&[
        attr("address-lists", Kind::Set, "Address lists the client's address goes into"),
        attr("address-pool", Kind::Name, "Pool addresses come from"),
        attr("allow-dual-stack-queue", Kind::Flag, ""),
        attr("binding-script", Kind::Script, "").secret(),
        COMMENT,
        attr("dhcp-option", Kind::Text, "DHCP options sent"),
        DISABLED,
        attr("ignore-ia-na-bindings", Kind::Flag, ""),
        attr("insert-queue-before", Kind::Enum(&["bottom", "first"]), ""),
        attr("interface", Kind::Name, "Interface it belongs to").required(),
        attr("lease-time", Kind::Span, "How long a lease lives"),
        attr("name", Kind::Name, "Name others refer to"),
        attr("parent-queue", Kind::Name, "Queue above it"),
        attr("preference", Kind::Text, ""),
        attr("prefix-pool", Kind::Name, ""),
        attr("rapid-commit", Kind::Flag, ""),
        attr("route-distance", Kind::Int, ""),
        attr("use-radius", Kind::Enum(&["accounting", "no", "yes"]), "Ask RADIUS"),
        attr("use-reconfigure", Kind::Flag, ""),
        attr("duid", Kind::Text, "DHCP unique identifier").read_only(),
        DYNAMIC,
        INVALID,
    ])
    .synonyms(&["dhcpv6 server", "ipv6 dhcp", "prefix delegation server"])
    .topic(Topic::Dhcp);
