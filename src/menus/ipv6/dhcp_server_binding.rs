//! `/ipv6/dhcp-server/binding`: which DHCPv6 client has which prefix or address.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/24805500/DHCP>

use crate::menus::{COMMENT, DISABLED, DYNAMIC, INVALID, Menu, Topic, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/ipv6/dhcp-server/binding", "DHCPv6 bindings: which client has which prefix or address")
    .key(&["duid", "iaid", "server"])
    .attrs(&[
        attr("address", Kind::Prefix, "Prefix or address given out"),
        attr("address-lists", Kind::Set, "Address lists the client's address goes into"),
        attr("allow-dual-stack-queue", Kind::Flag, ""),
        COMMENT,
        attr("dhcp-option", Kind::Text, "DHCP options sent"),
        DISABLED,
        attr("duid", Kind::Text, "DHCP unique identifier the client sends").untrusted(),
        attr("ia-type", Kind::Enum(&["na", "pd"]), "Address (na) or prefix (pd)"),
        attr("iaid", Kind::Text, "Number of the client's association"),
        attr("insert-queue-before", Kind::Enum(&["bottom", "first"]), ""),
        attr("life-time", Kind::Span, "How long a binding lives"),
        attr("parent-queue", Kind::Name, "Queue above it"),
        attr("prefix-pool", Kind::Name, "Pool the prefix comes from"),
        attr("queue-type", Kind::Name, "Queue type"),
        attr("rate-limit", Kind::Text, "Speed limit for the client"),
        attr("server", Kind::Name, "DHCPv6 server"),
        attr("active-server", Kind::Name, "Server that gave the binding").read_only(),
        attr("client-address", Kind::Address, "Address the client asks from").read_only(),
        DYNAMIC,
        attr("expires-after", Kind::Span, "Time until it ends").read_only(),
        INVALID,
        attr("last-seen", Kind::Span, "Time since it was seen").read_only(),
        attr("radius", Kind::Flag, "Comes from RADIUS").read_only(),
        attr("reconfigure-key", Kind::Text, "").read_only().secret(),
        attr("reconfigure-last-sent", Kind::Span, "").read_only(),
        attr("reconfigure-status", Kind::Text, "").read_only(),
        attr("status", Kind::Text, "bound, waiting, offered").read_only(),
    ])
    .synonyms(&["dhcpv6 leases", "ipv6 leases", "ipv6 bindings", "delegated prefixes", "prefix delegation clients"])
    .commands(&["make-static", "send-reconfigure"])
    .topic(Topic::Dhcp);
