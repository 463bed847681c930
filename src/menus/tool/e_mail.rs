//! `/tool/e-mail`: mail server settings.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/24805377/E-mail>

use crate::menus::{Menu, Topic, attr, singleton};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = singleton("/tool/e-mail", "Mail server settings")
    .attrs(&[
        attr("certificate-verification", Kind::Enum(&["no", "yes", "yes-without-crl"]), ""),
        attr("from", Kind::Text, "Sender"),
        attr("password", Kind::Text, "Password").secret(),
        attr("port", Kind::Int, "Port"),
        attr("server", Kind::Name, "Server it belongs to"),
        attr("tls", Kind::Enum(&["no", "starttls", "yes"]), "TLS"),
        attr("user", Kind::Name, "User name"),
        attr("vrf", Kind::Name, "VRF it works in"),
        attr("last-address", Kind::Text, "Server of the last one").read_only(),
        attr("last-status", Kind::Text, "Result of the last one").read_only(),
    ])
    .synonyms(&["email", "mail", "smtp", "mail server", "email settings"])
    .commands(&["send"])
    .topic(Topic::System);
