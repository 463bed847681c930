//! `/interface/sstp-server/server`: SSTP server settings.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/2031645/SSTP>

use crate::menus::{Menu, attr, singleton};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = singleton("/interface/sstp-server/server", "SSTP server settings")
    .attrs(&[
        attr("authentication", Kind::Set, "Authentication"),
        attr("certificate", Kind::Name, "Certificate used"),
        attr("ciphers", Kind::Set, "Ciphers taken"),
        attr("default-profile", Kind::Name, "Profile of users without their own"),
        attr("enabled", Kind::Flag, "Switched on"),
        attr("keepalive-timeout", Kind::Span, "Silence after which the other side counts as gone"),
        attr("max-mru", Kind::Int, "Largest packet received, bytes"),
        attr("max-mtu", Kind::Int, "Largest packet sent, bytes"),
        attr("mrru", Kind::Int, "Largest packet over several links, bytes"),
        attr("pfs", Kind::Enum(&["no", "required", "yes"]), ""),
        attr("port", Kind::Int, "Port"),
        attr("tls-version", Kind::Enum(&["any", "only-1.2"]), "TLS versions taken"),
        attr("verify-client-certificate", Kind::Flag, ""),
    ])
    .synonyms(&["sstp server", "vpn server", "vpn over https"])
    .cuts_access();
