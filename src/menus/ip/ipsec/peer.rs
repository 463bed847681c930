//! `/ip/ipsec/peer`: IPsec peers.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/11993097/IPsec>

use crate::menus::{COMMENT, DISABLED, DYNAMIC, Menu, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/ip/ipsec/peer", "IPsec peers")
    .key(&["name"])
    .attrs(&[
        attr("address", Kind::Prefix, "Address"),
        COMMENT,
        DISABLED,
        attr("exchange-mode", Kind::Text, "IKE exchange"),
        attr("local-address", Kind::Address, "Own address"),
        attr("name", Kind::Name, "Name others refer to"),
        attr("passive", Kind::Flag, "Waits for the other side"),
        attr("port", Kind::Int, "Port"),
        attr("ppk-secret", Kind::Text, "").secret(),
        attr("profile", Kind::Name, "Profile"),
        attr("send-initial-contact", Kind::Flag, "Tells the peer to drop old state"),
        attr("current-address", Kind::Address, "").read_only(),
        DYNAMIC,
        attr("responder", Kind::Flag, "Only answers, never starts").read_only(),
    ])
    .synonyms(&["ipsec peers", "ipsec", "ike", "ike2", "site to site vpn", "vpn peers", "ipsec vpn"])
    .cuts_access();
