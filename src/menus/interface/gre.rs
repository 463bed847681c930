//! `/interface/gre`: GRE tunnels.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/24805531/GRE>

use crate::menus::{COMMENT, DISABLED, Menu, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/interface/gre", "GRE tunnels")
    .key(&["name"])
    .attrs(&[
        attr("allow-fast-path", Kind::Flag, "Fast path allowed"),
        attr("clamp-tcp-mss", Kind::Flag, "Fits TCP segments to the tunnel"),
        COMMENT,
        DISABLED,
        attr("dont-fragment", Kind::Enum(&["no", "inherit"]), "Don't-fragment bit of the outer packet"),
        attr("dscp", Kind::Text, "DSCP value"),
        attr("ipsec-secret", Kind::Text, "Pre-shared key; turns IPsec on").secret(),
        attr("keepalive", Kind::Span, "Keepalive interval and retries"),
        attr("local-address", Kind::Address, "Own address"),
        attr("mtu", Kind::Int, "Largest layer 3 packet, bytes"),
        attr("name", Kind::Name, "Name others refer to"),
        attr("remote-address", Kind::Address, "Address of the other side").required(),
        attr("actual-mtu", Kind::Int, "MTU in effect, bytes").read_only(),
        attr("running", Kind::Flag, "Link is up").read_only(),
    ])
    .synonyms(&["gre", "gre tunnels", "tunnel"])
    .cuts_access();
