//! `/ipv6/dhcp-client`: DHCPv6 clients: prefixes the router takes itself.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/24805500/DHCP>

use crate::menus::{COMMENT, DISABLED, DYNAMIC, INVALID, Menu, Topic, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/ipv6/dhcp-client", "DHCPv6 clients: prefixes the router takes itself")
    .key(&["interface"])
    .attrs(&[
        attr("accept-prefix-without-address", Kind::Flag, ""),
        attr("add-default-route", Kind::Flag, "Adds a default route"),
        attr("allow-reconfigure", Kind::Flag, ""),
        attr("check-gateway", Kind::Enum(&["arp", "bfd", "none", "ping"]), "How the gateway is watched"),
        COMMENT,
        attr("custom-duid", Kind::Text, ""),
        attr("custom-iana-id", Kind::Text, ""),
        attr("custom-iapd-id", Kind::Text, ""),
        attr("default-route-distance", Kind::Int, "Distance of that default route"),
        attr("default-route-tables", Kind::Set, ""),
        attr("dhcp-options", Kind::Set, "Options sent to the server"),
        DISABLED,
        attr("interface", Kind::Name, "Interface it belongs to").required(),
        attr("pool-name", Kind::Name, "Pool the prefix goes into"),
        attr("pool-prefix-length", Kind::Int, "Prefix length of the pool"),
        attr("prefix-address-lists", Kind::Text, ""),
        attr("prefix-hint", Kind::Prefix, ""),
        attr("rapid-commit", Kind::Flag, ""),
        attr("request", Kind::Set, "What is asked for").required(),
        attr("script", Kind::Script, "Script run on each event").secret(),
        attr("use-interface-duid", Kind::Flag, ""),
        attr("use-peer-dns", Kind::Flag, "Take DNS servers from the other side"),
        attr("validate-server-duid", Kind::Flag, ""),
        attr("address", Kind::Address, "Address").read_only(),
        attr("duid", Kind::Text, "DHCP unique identifier").read_only(),
        DYNAMIC,
        INVALID,
        attr("prefix", Kind::Text, "Prefix received, with its lifetime").read_only(),
        attr("reconfigure-key", Kind::Text, "").read_only().secret(),
        attr("status", Kind::Text, "State as the router reports it").read_only(),
    ])
    .synonyms(&["dhcpv6 client", "ipv6 prefix delegation", "pd", "ipv6 wan", "ia pd"])
    .commands(&["release", "renew"])
    .topic(Topic::Dhcp)
    .cuts_access();
