//! `/interface/lte/apn`: APN profiles of mobile modems.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/30146563/LTE>

use crate::menus::{COMMENT, Menu, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/interface/lte/apn", "APN profiles of mobile modems")
    .key(&["name"])
    .attrs(&[
        attr("add-default-route", Kind::Flag, "Adds a default route"),
        attr("apn", Kind::Text, "Access point name"),
        attr("authentication", Kind::Enum(&["chap", "none", "pap"]), "Authentication"),
        COMMENT,
        attr("default-route-distance", Kind::Int, "Distance of that default route"),
        attr("ip-type", Kind::Enum(&["auto", "ipv4", "ipv6"]), "IP version asked for"),
        attr("ipv6-interface", Kind::Text, ""),
        attr("name", Kind::Name, "Name others refer to"),
        attr("passthrough-interface", Kind::Name, "Interface that gets the mobile address"),
        attr("passthrough-mac", Kind::Mac, ""),
        attr("passthrough-subnet-size", Kind::Enum(&["32", "auto"]), ""),
        attr("password", Kind::Text, "Password").secret(),
        attr("use-network-apn", Kind::Flag, "Takes the APN from the network"),
        attr("use-peer-dns", Kind::Flag, "Take DNS servers from the other side"),
        attr("user", Kind::Name, "User name"),
        attr("default", Kind::Flag, "").read_only(),
    ])
    .synonyms(&["apn", "mobile apn", "lte profile", "access point name"])
    .cuts_access();
