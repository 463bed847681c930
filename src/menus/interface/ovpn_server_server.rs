//! `/interface/ovpn-server/server`: OpenVPN servers.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/2031655/OpenVPN>

use crate::menus::{COMMENT, DISABLED, Menu, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/interface/ovpn-server/server", "OpenVPN servers")
    .key(&["name"])
    .attrs(&[
        attr("auth", Kind::Set, "Authentication"),
        attr("certificate", Kind::Name, "Certificate used"),
        attr("cipher", Kind::Set, ""),
        COMMENT,
        attr("default-profile", Kind::Name, "Profile of users without their own"),
        DISABLED,
        attr("enable-tun-ipv6", Kind::Flag, ""),
        attr("ipv6-prefix-len", Kind::Int, ""),
        attr("keepalive-timeout", Kind::Span, "Silence after which the other side counts as gone"),
        attr("mac-address", Kind::Mac, "MAC address"),
        attr("max-mtu", Kind::Int, "Largest packet sent, bytes"),
        attr("mode", Kind::Enum(&["ethernet", "ip"]), "Mode"),
        attr("name", Kind::Name, "Name others refer to"),
        attr("netmask", Kind::Address, "Network mask"),
        attr("port", Kind::Int, "Port"),
        attr("protocol", Kind::Enum(&["tcp", "udp"]), "IP protocol"),
        attr("push-routes", Kind::Text, ""),
        attr("push-routes-ipv6", Kind::Text, ""),
        attr("redirect-gateway", Kind::Set, ""),
        attr("reneg-sec", Kind::Int, ""),
        attr("require-client-certificate", Kind::Flag, ""),
        attr("tls-version", Kind::Enum(&["any", "only-1.2"]), "TLS versions taken"),
        attr("tun-server-ipv6", Kind::Text, ""),
        attr("user-auth-method", Kind::Enum(&["mschap2", "pap"]), ""),
        attr("vrf", Kind::Name, "VRF it works in"),
        attr("inactive", Kind::Flag, "Configured but not in use now").read_only(),
    ])
    .synonyms(&["openvpn server", "ovpn server", "vpn server"])
    .commands(&["export-client-configuration"])
    .cuts_access();
