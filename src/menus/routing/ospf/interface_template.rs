//! `/routing/ospf/interface-template`: interfaces OSPF runs on.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/9863229/OSPF>

use crate::menus::{COMMENT, DISABLED, Menu, Topic, attr, ordered};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = ordered("/routing/ospf/interface-template", "Interfaces OSPF runs on")
    .key(&["area", "interfaces", "networks"])
    .attrs(&[
        attr("area", Kind::Name, "Area").required(),
        attr("auth", Kind::Enum(&["md5", "sha1", "sha256", "sha384", "sha512", "simple"]), "Authentication"),
        attr("auth-id", Kind::Int, "Key id"),
        attr("auth-key", Kind::Text, "Authentication key").secret(),
        COMMENT,
        attr("cost", Kind::Int, "Cost"),
        attr("dead-interval", Kind::Span, "Silence after which a neighbour is gone"),
        DISABLED,
        attr("hello-interval", Kind::Span, "Hello interval"),
        attr("instance-id", Kind::Int, ""),
        attr("interfaces", Kind::Set, "Interfaces"),
        attr("networks", Kind::Set, "Networks it applies to"),
        attr("passive", Kind::Flag, "Sends no hellos, only announces the network").absent_no().empty_is_yes(),
        attr("prefix-list", Kind::Text, ""),
        attr("priority", Kind::Int, "Priority"),
        attr("retransmit-interval", Kind::Span, ""),
        attr("transmit-delay", Kind::Span, ""),
        attr(
            "type",
            Kind::Enum(&["broadcast", "nbma", "ptmp", "ptmp-broadcast", "ptp", "ptp-unnumbered", "virtual-link"]),
            "Kind of entry",
        ),
        attr("use-bfd", Kind::Flag, "BFD watches the peer"),
        attr("inactive", Kind::Flag, "Configured but not in use now").read_only(),
    ])
    .synonyms(&["ospf interfaces", "ospf cost", "ospf networks", "ospf hello"])
    .topic(Topic::Routing)
    .cuts_access();
