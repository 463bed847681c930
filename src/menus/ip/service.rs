//! `/ip/service`: services the router offers: www, ssh, api, winbox.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/103841820/Services>

use crate::menus::{DISABLED, DYNAMIC, INVALID, Menu, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/ip/service", "Services the router offers: www, ssh, api, winbox")
    .key(&["name"])
    .attrs(&[
        attr("address", Kind::Set, "Networks that may connect; empty means all"),
        attr("available-from", Kind::Text, ""),
        attr("certificate", Kind::Name, "Certificate used"),
        DISABLED,
        attr("max-sessions", Kind::Int, "Sessions at once"),
        attr("port", Kind::Int, "Port listened on"),
        attr("tls-version", Kind::Enum(&["any", "only-1.2"]), "TLS versions taken"),
        attr("vrf", Kind::Name, "VRF it works in"),
        attr("connection", Kind::Flag, "An open connection, not a service").read_only(),
        attr("container", Kind::Flag, "Belongs to a container").read_only(),
        DYNAMIC,
        INVALID,
        attr("local", Kind::Text, "Own end").read_only(),
        attr("name", Kind::Name, "Service").read_only(),
        attr("proto", Kind::Text, "Transport protocol").read_only(),
        attr("remote", Kind::Text, "Other end").read_only(),
    ])
    .synonyms(&[
        "services",
        "management services",
        "winbox port",
        "ssh port",
        "api",
        "www",
        "https",
        "telnet",
        "open ports",
        "exposed services",
        "management access",
        "webfig",
    ])
    .cuts_access();
