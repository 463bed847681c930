//! `/ip/ipsec/mode-config`: addresses and routes for IPsec clients.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/11993097/IPsec>

use crate::menus::{Menu, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/ip/ipsec/mode-config", "Addresses and routes for IPsec clients")
    .key(&["name"])
    .attrs(&[
        attr("address", Kind::Address, "Address"),
        attr("address-pool", Kind::Name, "Pool addresses come from"),
        attr("address-prefix-length", Kind::Text, ""),
        attr("connection-mark", Kind::Name, "Mark of the connection"),
        attr("name", Kind::Name, "Name others refer to"),
        attr("responder", Kind::Flag, "Only answers, never starts"),
        attr("split-dns", Kind::Text, ""),
        attr("split-include", Kind::Set, "Networks sent through the tunnel"),
        attr("src-address-list", Kind::Name, "Source is in this address list"),
        attr("static-dns", Kind::Text, ""),
        attr("system-dns", Kind::Flag, ""),
        attr("use-responder-dns", Kind::Enum(&["exclusively", "no", "yes"]), ""),
        attr("default", Kind::Flag, "").read_only(),
    ])
    .synonyms(&["mode config", "ipsec client addresses", "road warrior ipsec", "split tunnel"])
    .cuts_access();
