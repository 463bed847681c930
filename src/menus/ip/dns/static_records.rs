//! `/ip/dns/static`: DNS records the router answers itself.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/37748767/DNS>

use crate::menus::{COMMENT, DISABLED, DYNAMIC, Menu, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/ip/dns/static", "DNS records the router answers itself")
    .key(&["name", "regexp", "type"])
    .attrs(&[
        attr("address", Kind::Address, "Address of an A or AAAA record"),
        attr("address-list", Kind::Name, "Address list answers are put into"),
        attr("cname", Kind::Text, "Name it is an alias of"),
        COMMENT,
        DISABLED,
        attr("forward-to", Kind::List, "Server or servers that answer for this name"),
        attr("match-subdomain", Kind::Flag, "Also all names below it"),
        attr("mx-exchange", Kind::Text, "Mail server"),
        attr("mx-preference", Kind::Int, "Preference of the mail server"),
        attr("name", Kind::Name, "Name others refer to"),
        attr("ns", Kind::Text, "Name server"),
        attr("regexp", Kind::Text, "Regular expression"),
        attr("srv-port", Kind::Int, "Service port"),
        attr("srv-priority", Kind::Int, "Service priority"),
        attr("srv-target", Kind::Text, "Service host"),
        attr("srv-weight", Kind::Int, "Service weight"),
        attr("text", Kind::Text, "Text of the record"),
        attr("ttl", Kind::Span, "How long others may keep the answer"),
        attr("type", Kind::Enum(&["A", "AAAA", "CNAME", "FWD", "MX", "NS", "NXDOMAIN", "SRV", "TXT"]), "Record type"),
        DYNAMIC,
    ])
    .synonyms(&[
        "static dns",
        "dns records",
        "local dns",
        "hosts file",
        "dns entries",
        "dns override",
        "a record",
        "cname",
        "split dns",
        "dns forward",
        "block website",
        "block domain",
        "sinkhole",
    ])
    .basic();
