//! `/ip/dhcp-server/network`: what DHCP clients are told: gateway, DNS, domain.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/24805500/DHCP>

use crate::menus::{COMMENT, DYNAMIC, Menu, Topic, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/ip/dhcp-server/network", "What DHCP clients are told: gateway, DNS, domain")
    .key(&["address"])
    .attrs(&[
        attr("address", Kind::Prefix, "Address").required(),
        attr("boot-file-name", Kind::Text, "Boot file for network boot"),
        attr("caps-manager", Kind::Text, ""),
        COMMENT,
        attr("dhcp-option", Kind::Text, "DHCP options sent"),
        attr("dhcp-option-set", Kind::Name, "Set of DHCP options sent"),
        attr("dns-none", Kind::Flag, "Give no DNS server"),
        attr("dns-server", Kind::List, "DNS servers given to clients"),
        attr("domain", Kind::Text, "Domain name"),
        attr("gateway", Kind::Address, "Gateway given to clients"),
        attr("netmask", Kind::Address, "Network mask"),
        attr("next-server", Kind::Address, "Boot server for network boot"),
        attr("ntp-none", Kind::Flag, "Give no NTP server"),
        attr("ntp-server", Kind::List, "NTP servers given to clients"),
        attr("wins-server", Kind::List, "WINS servers given to clients"),
        DYNAMIC,
    ])
    .synonyms(&["dhcp networks", "dhcp gateway", "dhcp dns", "dhcp scope options", "subnet options"])
    .topic(Topic::Dhcp);
