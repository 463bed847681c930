//! `/ipv6/firewall/connection`: IPv6 connections tracked now.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/130220087/Connection+tracking>

use crate::menus::{Menu, Topic, ip::firewall::connection::ATTRS, list};

/// The facts.
pub const MENU: Menu = list("/ipv6/firewall/connection", "IPv6 connections tracked now")
    .key(&["protocol", "src-address", "src-port", "dst-address", "dst-port"])
    .attrs(ATTRS)
    .synonyms(&[
        "ipv6 connections",
        "ipv6 active connections",
        "ipv6 sessions",
        "ipv6 connection table",
        "ipv6 conntrack",
        "ipv6 open connections",
        "ipv6 nat sessions",
    ])
    .topic(Topic::Firewall)
    .read_only();
