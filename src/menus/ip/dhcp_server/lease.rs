//! `/ip/dhcp-server/lease`: DHCP leases: which client has which address.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/24805500/DHCP>

use crate::menus::{COMMENT, DISABLED, DYNAMIC, Menu, Topic, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/ip/dhcp-server/lease", "DHCP leases: which client has which address")
    .key(&["address", "server"])
    .attrs(&[
        attr("address", Kind::Address, "Address"),
        attr("address-lists", Kind::Set, "Address lists the client's address goes into"),
        attr("agent-circuit-id", Kind::Text, "Circuit the relay names (option 82)").untrusted(),
        attr("agent-remote-id", Kind::Text, "Remote end the relay names (option 82)").untrusted(),
        attr("allow-dual-stack-queue", Kind::Flag, ""),
        attr("always-broadcast", Kind::Flag, "Answer by broadcast"),
        attr("block-access", Kind::Flag, "Client gets no address"),
        attr("client-id", Kind::Text, "Identifier the client sends").untrusted(),
        COMMENT,
        attr("dhcp-option", Kind::Text, "DHCP options sent"),
        attr("dhcp-option-set", Kind::Name, "Set of DHCP options sent"),
        DISABLED,
        attr("insert-queue-before", Kind::Enum(&["bottom", "first"]), ""),
        attr("lease-time", Kind::Span, "How long a lease lives"),
        attr("mac-address", Kind::Mac, "MAC address"),
        attr("parent-queue", Kind::Name, "Queue above it"),
        attr("queue-type", Kind::Name, "Queue type"),
        attr("rate-limit", Kind::Text, "Speed limit for the client"),
        attr("routes", Kind::Text, "Routes added while connected"),
        attr("server", Kind::Name, "DHCP server; absent means all"),
        attr("use-src-mac", Kind::Flag, ""),
        attr("active-address", Kind::Address, "Address in use now").read_only(),
        attr("active-agent-circuit-id", Kind::Text, "").read_only().untrusted(),
        attr("active-agent-remote-id", Kind::Text, "").read_only().untrusted(),
        attr("active-client-id", Kind::Text, "Client identifier in use now").read_only().untrusted(),
        attr("active-mac-address", Kind::Mac, "MAC address in use now").read_only(),
        attr("active-server", Kind::Name, "Server that gave the lease").read_only(),
        attr("age", Kind::Span, "Time since first seen").read_only(),
        attr("blocked", Kind::Flag, "Kept out").read_only(),
        attr("class-id", Kind::Text, "Vendor class the client sends").read_only().untrusted(),
        DYNAMIC,
        attr("expires-after", Kind::Span, "Time until it ends").read_only(),
        attr("host-name", Kind::Text, "Name the client calls itself").read_only().untrusted(),
        attr("last-seen", Kind::Span, "Time since it was seen").read_only(),
        attr("radius", Kind::Flag, "Comes from RADIUS").read_only(),
        attr("reconfigure-key", Kind::Text, "").read_only().secret(),
        attr("reconfigure-last-sent", Kind::Span, "").read_only(),
        attr("src-mac-address", Kind::Mac, "Source MAC address").read_only(),
        attr("status", Kind::Text, "bound, waiting, offered, blocked").read_only(),
    ])
    .synonyms(&[
        "dhcp leases",
        "leases",
        "dhcp clients",
        "dhcp reservations",
        "static lease",
        "reservation",
        "which devices got an address",
        "client list",
        "connected devices",
        "hostnames",
    ])
    .commands(&["check-status", "make-static", "send-reconfigure"])
    .topic(Topic::Dhcp)
    .basic();
