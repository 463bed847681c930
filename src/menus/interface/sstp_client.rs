//! `/interface/sstp-client`: SSTP tunnels this router dials.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/2031645/SSTP>

use crate::menus::{COMMENT, DISABLED, Menu, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/interface/sstp-client", "SSTP tunnels this router dials")
    .key(&["name"])
    .attrs(&[
        attr("add-default-route", Kind::Flag, "Adds a default route"),
        attr("add-sni", Kind::Flag, ""),
        attr("authentication", Kind::Set, "Authentication"),
        attr("certificate", Kind::Name, "Certificate used"),
        attr("ciphers", Kind::Set, "Ciphers taken"),
        COMMENT,
        attr("connect-to", Kind::Text, "Server address").required(),
        attr("default-route-distance", Kind::Int, "Distance of that default route"),
        attr("dial-on-demand", Kind::Flag, "Dials when there is traffic"),
        DISABLED,
        attr("http-proxy", Kind::Text, ""),
        attr("keepalive-timeout", Kind::Span, "Silence after which the other side counts as gone"),
        attr("max-mru", Kind::Int, "Largest packet received, bytes"),
        attr("max-mtu", Kind::Int, "Largest packet sent, bytes"),
        attr("mrru", Kind::Int, "Largest packet over several links, bytes"),
        attr("name", Kind::Name, "Name others refer to"),
        attr("password", Kind::Text, "Password").secret(),
        attr("pfs", Kind::Enum(&["no", "required", "yes"]), ""),
        attr("port", Kind::Int, "Port"),
        attr("profile", Kind::Name, "Profile"),
        attr("proxy-port", Kind::Int, ""),
        attr("tls-version", Kind::Enum(&["any", "only-1.2"]), "TLS versions taken"),
        attr("user", Kind::Name, "User name"),
        attr("verify-server-address-from-certificate", Kind::Flag, ""),
        attr("verify-server-certificate", Kind::Flag, "Check the server's certificate"),
        attr("hw-crypto", Kind::Flag, "").read_only(),
        attr("running", Kind::Flag, "Link is up").read_only(),
    ])
    .synonyms(&["sstp", "sstp client", "vpn client", "vpn over https"])
    .commands(&["monitor"])
    .cuts_access();
