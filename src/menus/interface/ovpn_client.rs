//! `/interface/ovpn-client`: OpenVPN tunnels this router dials.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/2031655/OpenVPN>

use crate::menus::{COMMENT, DISABLED, Menu, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/interface/ovpn-client", "OpenVPN tunnels this router dials")
    .key(&["name"])
    .attrs(&[
        attr("add-default-route", Kind::Flag, "Adds a default route"),
        attr("auth", Kind::Enum(&["md5", "null", "sha1", "sha256", "sha384", "sha512"]), "Authentication"),
        attr("certificate", Kind::Name, "Certificate used"),
        attr(
            "cipher",
            Kind::Enum(&["aes128-cbc", "aes128-gcm", "aes192-cbc", "aes192-gcm", "aes256-cbc", "aes256-gcm", "blowfish128", "null"]),
            "",
        ),
        COMMENT,
        attr("connect-to", Kind::Text, "Server address").required(),
        DISABLED,
        attr("disconnect-notify", Kind::Flag, ""),
        attr("mac-address", Kind::Mac, "MAC address"),
        attr("max-mtu", Kind::Int, "Largest packet sent, bytes"),
        attr("mode", Kind::Enum(&["ethernet", "ip"]), "Mode"),
        attr("name", Kind::Name, "Name others refer to"),
        attr("password", Kind::Text, "Password").secret(),
        attr("port", Kind::Int, "Port"),
        attr("profile", Kind::Name, "Profile"),
        attr("protocol", Kind::Enum(&["tcp", "udp"]), "IP protocol"),
        attr("route-nopull", Kind::Flag, ""),
        attr("tls-version", Kind::Enum(&["any", "only-1.2"]), "TLS versions taken"),
        attr("use-peer-dns", Kind::Enum(&["exclusively", "no", "yes"]), "Take DNS servers from the other side"),
        attr("user", Kind::Name, "User name"),
        attr("verify-server-certificate", Kind::Flag, "Check the server's certificate"),
        attr("hw-crypto", Kind::Flag, "").read_only(),
        attr("running", Kind::Flag, "Link is up").read_only(),
        attr("tls-auth", Kind::Text, "").read_only().secret(),
        attr("tls-crypt", Kind::Text, "").read_only().secret(),
    ])
    .synonyms(&["openvpn", "ovpn", "openvpn client", "vpn client"])
    .commands(&["import-ovpn-configuration", "monitor"])
    .cuts_access();
