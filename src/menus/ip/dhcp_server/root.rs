//! `/ip/dhcp-server`: DHCP servers.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/24805500/DHCP>

use crate::menus::{COMMENT, DISABLED, DYNAMIC, INVALID, Menu, Topic, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/ip/dhcp-server", "DHCP servers")
    .key(&["name"])
    .attrs(&[
        attr("add-arp", Kind::Flag, "Adds an ARP entry for each lease"),
        attr("add-dns-entries", Kind::Text, ""),
        attr("add-dns-entries-suffix", Kind::Text, ""),
        attr("address-lists", Kind::Set, "Address lists the client's address goes into"),
        attr("address-pool", Kind::Name, "Pool addresses come from"),
        attr("allow-dual-stack-queue", Kind::Flag, ""),
        attr("always-broadcast", Kind::Flag, "Answer by broadcast"),
        attr(
            "authoritative",
            Kind::Enum(&["after-10sec-delay", "after-2sec-delay", "no", "yes"]),
            "Whether foreign leases are refused, and after how long",
        ),
        attr("bootp-lease-time", Kind::Span, ""),
        attr("bootp-support", Kind::Text, "Answers BOOTP clients"),
        attr("client-mac-limit", Kind::Text, "Clients per MAC address"),
        COMMENT,
        attr("conflict-detection", Kind::Flag, "Probe an address before it is given out"),
        attr("delay-threshold", Kind::Span, "Answer only clients waiting this long"),
        attr("dhcp-option-set", Kind::Name, "Set of DHCP options sent"),
        DISABLED,
        attr("dynamic-lease-identifiers", Kind::Set, ""),
        attr("insert-queue-before", Kind::Enum(&["bottom", "first"]), ""),
        attr("interface", Kind::Name, "Interface it belongs to").required(),
        attr("lease-script", Kind::Script, "Script run when a lease starts or ends").secret(),
        attr("lease-time", Kind::Span, "How long a lease lives"),
        attr("name", Kind::Name, "Name others refer to"),
        attr("parent-queue", Kind::Name, "Queue above it"),
        attr("relay", Kind::Address, "Relay it serves; 0.0.0.0 means clients on the interface"),
        attr("server-address", Kind::Address, "Server address told to clients"),
        attr("support-broadband-tr101", Kind::Flag, ""),
        attr("use-framed-as-classless", Kind::Flag, ""),
        attr("use-radius", Kind::Enum(&["accounting", "no", "yes"]), "Ask RADIUS"),
        attr("use-reconfigure", Kind::Flag, ""),
        DYNAMIC,
        INVALID,
    ])
    .synonyms(&["dhcp", "dhcp servers", "dhcp scope", "address assignment", "lease time"])
    .commands(&["setup"])
    .topic(Topic::Dhcp);
