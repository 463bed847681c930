//! `/interface/vrrp`: VRRP: an address shared with a second router.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/81362945/VRRP>

use crate::menus::{COMMENT, DISABLED, INVALID, Menu, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/interface/vrrp", "VRRP: an address shared with a second router")
    .key(&["name"])
    .attrs(&[
        attr("arp", Kind::Enum(&["disabled", "enabled", "local-proxy-arp", "proxy-arp", "reply-only"]), "How ARP is answered"),
        attr("arp-timeout", Kind::Span, "How long an ARP entry lives"),
        attr("authentication", Kind::Enum(&["ah", "none", "simple"]), "Authentication"),
        COMMENT,
        attr("connection-tracking-mode", Kind::Enum(&["active-active", "passive-active"]), ""),
        attr("connection-tracking-port", Kind::Text, ""),
        DISABLED,
        attr("group-authority", Kind::Text, ""),
        attr("group-master", Kind::Text, ""),
        attr("interface", Kind::Name, "Interface it belongs to").required(),
        attr("interval", Kind::Span, "Interval"),
        attr("name", Kind::Name, "Name others refer to"),
        attr("on-backup", Kind::Script, "Script run on becoming backup").secret(),
        attr("on-fail", Kind::Script, "Script run on failure").secret(),
        attr("on-master", Kind::Script, "Script run on becoming master").secret(),
        attr("password", Kind::Text, "Password").secret(),
        attr("preemption-mode", Kind::Flag, "Takes over from a lower priority"),
        attr("priority", Kind::Int, "Priority"),
        attr("remote-address", Kind::Address, "Address of the other side"),
        attr("sync-connection-tracking", Kind::Flag, ""),
        attr("v3-checksum-as-v2", Kind::Text, ""),
        attr("v3-protocol", Kind::Enum(&["ipv4", "ipv6"]), ""),
        attr("version", Kind::Enum(&["2", "3"]), "Version"),
        attr("vrid", Kind::Int, "Virtual router id"),
        attr("backup", Kind::Flag, "Backup now").read_only().absent_no(),
        attr("failure", Kind::Flag, "").read_only().absent_no(),
        INVALID,
        attr("mac-address", Kind::Mac, "MAC address").read_only(),
        attr("master", Kind::Flag, "Master now").read_only().absent_no(),
        attr("mtu", Kind::Int, "Largest layer 3 packet, bytes").read_only(),
        attr("running", Kind::Flag, "Link is up").read_only(),
    ])
    .synonyms(&["vrrp", "high availability", "failover router", "virtual router", "redundancy", "ha"])
    .cuts_access();
