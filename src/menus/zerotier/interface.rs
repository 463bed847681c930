//! `/zerotier/interface`: ZeroTier networks joined.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/83755083/ZeroTier>

use crate::menus::{COMMENT, DISABLED, Menu, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/zerotier/interface", "ZeroTier networks joined")
    .key(&["name"])
    .attrs(&[
        attr("allow-default", Kind::Flag, "May change the default route"),
        attr("allow-global", Kind::Flag, "May set public addresses"),
        attr("allow-managed", Kind::Flag, "May set addresses and routes"),
        attr("arp-timeout", Kind::Span, "How long an ARP entry lives"),
        COMMENT,
        attr("disable-running-check", Kind::Flag, ""),
        DISABLED,
        attr("instance", Kind::Name, "Instance"),
        attr("name", Kind::Name, "Name others refer to"),
        attr("network", Kind::Address, "Network id").required(),
        attr("bridge", Kind::Flag, "Bridge").read_only(),
        attr("dhcp", Kind::Flag, "Learnt from DHCP").read_only(),
        attr("mac-address", Kind::Mac, "MAC address").read_only(),
        attr("mtu", Kind::Int, "Largest layer 3 packet, bytes").read_only(),
        attr("network-name", Kind::Text, "").read_only().untrusted(),
        attr("running", Kind::Flag, "Link is up").read_only(),
        attr("status", Kind::Text, "State as the router reports it").read_only(),
        attr("type", Kind::Text, "Kind of entry").read_only(),
    ])
    .synonyms(&["zerotier networks", "zerotier interfaces"])
    .package("zerotier")
    .cuts_access();
