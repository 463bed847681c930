//! `/interface/wireguard`: WireGuard interfaces.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/69664792/WireGuard>

use crate::menus::{COMMENT, DISABLED, Menu, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/interface/wireguard", "WireGuard interfaces")
    .key(&["name"])
    .attrs(&[
        COMMENT,
        DISABLED,
        attr("listen-port", Kind::Int, "UDP port listened on"),
        attr("mtu", Kind::Int, "Largest layer 3 packet, bytes"),
        attr("name", Kind::Name, "Name others refer to"),
        attr("private-key", Kind::Text, "Private key").secret(),
        attr("vrf", Kind::Name, "VRF it works in"),
        attr("public-key", Kind::Text, "Public key").read_only(),
        attr("running", Kind::Flag, "Link is up").read_only(),
    ])
    .synonyms(&["wireguard", "wg", "vpn", "wireguard tunnels", "wireguard server", "vpn tunnel"])
    .commands(&["wg-export", "wg-import"])
    .cuts_access();
