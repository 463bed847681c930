//! `/interface/eoip`: EoIP tunnels: Ethernet over IP.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/24805521/EoIP>

use crate::menus::{COMMENT, DISABLED, Menu, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/interface/eoip", "EoIP tunnels: Ethernet over IP")
    .key(&["name"])
    .attrs(&[
        attr("allow-fast-path", Kind::Flag, "Fast path allowed"),
        attr("arp", Kind::Enum(&["disabled", "enabled", "local-proxy-arp", "proxy-arp", "reply-only"]), "How ARP is answered"),
        attr("arp-timeout", Kind::Span, "How long an ARP entry lives"),
        attr("clamp-tcp-mss", Kind::Flag, "Fits TCP segments to the tunnel"),
        COMMENT,
        DISABLED,
        attr("dont-fragment", Kind::Enum(&["no", "inherit"]), "Don't-fragment bit of the outer packet"),
        attr("dscp", Kind::Text, "DSCP value"),
        attr("ipsec-secret", Kind::Text, "Pre-shared key; turns IPsec on").secret(),
        attr("keepalive", Kind::Span, "Keepalive interval and retries"),
        attr("local-address", Kind::Address, "Own address"),
        attr("loop-protect", Kind::Enum(&["default", "off", "on"]), "Loop protection"),
        attr("loop-protect-disable-time", Kind::Span, ""),
        attr("loop-protect-send-interval", Kind::Span, ""),
        attr("mac-address", Kind::Mac, "MAC address"),
        attr("mtu", Kind::Int, "Largest layer 3 packet, bytes"),
        attr("name", Kind::Name, "Name others refer to"),
        attr("remote-address", Kind::Address, "Address of the other side").required(),
        attr("tunnel-id", Kind::Int, "Tunnel id, equal on both ends").required(),
        attr("actual-mtu", Kind::Int, "MTU in effect, bytes").read_only(),
        attr("l2mtu", Kind::Int, "Largest layer 2 frame without its MAC header, bytes").read_only(),
        attr("loop-protect-status", Kind::Text, "State of loop protection").read_only(),
        attr("running", Kind::Flag, "Link is up").read_only(),
    ])
    .synonyms(&["eoip", "ethernet over ip", "layer 2 tunnel", "tunnel"])
    .cuts_access();
