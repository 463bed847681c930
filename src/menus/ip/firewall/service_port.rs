//! `/ip/firewall/service-port`: protocol helpers: FTP, SIP, PPTP.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/328229/IP+Services>

use crate::menus::{DISABLED, INVALID, Menu, Topic, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/ip/firewall/service-port", "Protocol helpers: FTP, SIP, PPTP")
    .key(&["name"])
    .attrs(&[
        DISABLED,
        attr("ports", Kind::Set, "Ports watched"),
        attr("sip-direct-media", Kind::Flag, "Lets SIP media go directly"),
        attr("sip-timeout", Kind::Span, ""),
        INVALID,
        attr("name", Kind::Name, "Name others refer to").read_only(),
    ])
    .synonyms(&["alg", "sip alg", "service ports", "nat helpers", "application layer gateway"])
    .topic(Topic::Firewall);
