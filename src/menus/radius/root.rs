//! `/radius`: RADIUS servers asked, in order.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/328097/RADIUS>

use crate::menus::{COMMENT, DISABLED, Menu, Topic, attr, ordered};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = ordered("/radius", "RADIUS servers asked, in order")
    .key(&["address", "service"])
    .attrs(&[
        attr("accounting-backup", Kind::Flag, ""),
        attr("accounting-port", Kind::Int, "Accounting port"),
        attr("address", Kind::Text, "Address").required(),
        attr("authentication-port", Kind::Int, "Authentication port"),
        attr("called-id", Kind::Text, ""),
        attr("certificate", Kind::Name, "Certificate used"),
        COMMENT,
        DISABLED,
        attr("domain", Kind::Text, "Windows domain it serves"),
        attr("protocol", Kind::Enum(&["radsec", "udp"]), "IP protocol"),
        attr("radsec-timeout", Kind::Span, ""),
        attr("realm", Kind::Text, "Realm it serves"),
        attr("require-message-auth", Kind::Enum(&["no", "yes-for-request-resp"]), "Answers need a message authenticator"),
        attr("secret", Kind::Text, "Secret shared with the server").secret(),
        attr("service", Kind::Set, "Service"),
        attr("src-address", Kind::Address, "Source address or network"),
        attr("timeout", Kind::Span, "How long a server may take"),
        attr("status", Kind::Text, "State as the router reports it").read_only(),
    ])
    .synonyms(&["radius", "radius servers", "aaa", "radius client", "central authentication"])
    .commands(&["monitor", "reset-counters"])
    .topic(Topic::System)
    .cuts_access();
