//! `/ip/dhcp-client`: DHCP clients: addresses the router takes itself.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/24805500/DHCP>

use crate::menus::{COMMENT, DISABLED, DYNAMIC, INVALID, Menu, Topic, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/ip/dhcp-client", "DHCP clients: addresses the router takes itself")
    .key(&["interface"])
    .attrs(&[
        attr("add-default-route", Kind::Enum(&["no", "special-classless", "yes"]), "Adds a default route"),
        attr("allow-reconfigure", Kind::Flag, ""),
        attr("check-gateway", Kind::Enum(&["arp", "bfd", "none", "ping"]), "How the gateway is watched"),
        COMMENT,
        attr("default-route-distance", Kind::Int, "Distance of that default route"),
        attr("default-route-tables", Kind::Set, ""),
        attr("dhcp-options", Kind::Set, "Options sent to the server"),
        DISABLED,
        attr("dscp", Kind::Text, "DSCP value"),
        attr("interface", Kind::Name, "Interface it belongs to").required(),
        attr("name", Kind::Name, "Name others refer to"),
        attr("script", Kind::Script, "Script run on each event").secret(),
        attr("use-broadcast", Kind::Enum(&["always", "both", "never"]), ""),
        attr("use-peer-dns", Kind::Flag, "Take DNS servers from the other side"),
        attr("use-peer-ntp", Kind::Flag, "Take NTP servers from the other side"),
        attr("vlan-priority", Kind::Int, ""),
        attr("address", Kind::Prefix, "Address received").read_only(),
        attr("dhcp-server", Kind::Address, "DHCP server").read_only(),
        DYNAMIC,
        attr("expires-after", Kind::Span, "Time until it ends").read_only(),
        attr("gateway", Kind::Address, "Gateway received").read_only(),
        INVALID,
        attr("netmask", Kind::Address, "Network mask").read_only(),
        attr("primary-dns", Kind::Address, "First DNS server received").read_only(),
        attr("primary-ntp", Kind::Address, "First NTP server received").read_only(),
        attr("reconfigure-key", Kind::Text, "").read_only().secret(),
        attr("secondary-dns", Kind::Address, "Second DNS server received").read_only(),
        attr("secondary-ntp", Kind::Address, "Second NTP server received").read_only(),
        attr("status", Kind::Text, "State as the router reports it").read_only(),
    ])
    .synonyms(&["dhcp client", "wan address", "wan dhcp", "internet address", "provider address"])
    .commands(&["release", "renew"])
    .topic(Topic::Dhcp)
    .cuts_access();
