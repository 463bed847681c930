//! `/ip/ipsec/policy`: which traffic IPsec protects, first match wins.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/11993097/IPsec>

use crate::menus::{COMMENT, DISABLED, DYNAMIC, INVALID, Menu, attr, ordered};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = ordered("/ip/ipsec/policy", "Which traffic IPsec protects, first match wins")
    .key(&["src-address", "dst-address", "peer"])
    .attrs(&[
        attr("action", Kind::Enum(&["discard", "encrypt", "none"]), "What happens to a packet that matches"),
        COMMENT,
        DISABLED,
        attr("dst-address", Kind::Prefix, "Destination address or network"),
        attr("dst-port", Kind::Text, "Destination port or ports"),
        attr("group", Kind::Name, "Group"),
        attr("ipsec-protocols", Kind::Enum(&["ah", "esp"]), "ESP or AH"),
        attr("level", Kind::Enum(&["require", "unique", "use"]), "Whether and how security associations are required"),
        attr("peer", Kind::Name, "Peer"),
        attr("proposal", Kind::Name, "Proposal"),
        attr("protocol", Kind::Text, "IP protocol"),
        attr("sa-dst-address", Kind::Address, "Other end of the tunnel"),
        attr("sa-src-address", Kind::Address, "Own end of the tunnel"),
        attr("src-address", Kind::Prefix, "Source address or network"),
        attr("src-port", Kind::Text, "Source port or ports"),
        attr("template", Kind::Flag, "Template for generated policies"),
        attr("tunnel", Kind::Flag, "Tunnel mode"),
        attr("active", Kind::Flag, "In use now").read_only(),
        attr("backup", Kind::Flag, "Backup policy").read_only(),
        attr("default", Kind::Flag, "").read_only(),
        DYNAMIC,
        INVALID,
        attr("ph2-count", Kind::Int, "Security associations of phase 2").read_only(),
        attr("ph2-state", Kind::Text, "State of phase 2").read_only(),
    ])
    .synonyms(&["ipsec policies", "ipsec tunnel", "encrypted networks", "phase 2"])
    .cuts_access();
