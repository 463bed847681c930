//! `/queue/type`: kinds of queues.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/328088/Queues>

use crate::menus::{Menu, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/queue/type", "Kinds of queues")
    .key(&["name"])
    .attrs(&[
        attr("bfifo-limit", Kind::Text, ""),
        attr("cake-ack-filter", Kind::Enum(&["aggressive", "filter", "none"]), ""),
        attr("cake-atm", Kind::Enum(&["atm", "none", "ptm"]), ""),
        attr("cake-autorate-ingress", Kind::Flag, ""),
        attr("cake-bandwidth", Kind::Text, ""),
        attr("cake-diffserv", Kind::Enum(&["besteffort", "diffserv3", "diffserv4", "diffserv8", "precedence"]), ""),
        attr(
            "cake-flowmode",
            Kind::Enum(&["dsthost", "dual-dsthost", "dual-srchost", "flowblind", "flows", "hosts", "srchost", "triple-isolate"]),
            "",
        ),
        attr("cake-memlimit", Kind::Text, ""),
        attr("cake-mpu", Kind::Text, ""),
        attr("cake-nat", Kind::Flag, ""),
        attr("cake-overhead", Kind::Text, ""),
        attr(
            "cake-overhead-scheme",
            Kind::Enum(&[
                "bridged-llcsnap",
                "bridged-ptm",
                "bridged-vcmux",
                "convervative",
                "docsis",
                "ether-vlan",
                "ethernet",
                "ipoa-llcsnap",
                "ipoa-vcmux",
                "pppoa-llc",
                "pppoa-vcmux",
                "pppoe-llcsnap",
                "pppoe-ptm",
                "pppoe-vcmux",
                "raw",
                "via-ethernet",
            ]),
            "",
        ),
        attr("cake-rtt", Kind::Span, ""),
        attr(
            "cake-rtt-scheme",
            Kind::Enum(&["datacentre", "internet", "interplanetary", "lan", "metro", "none", "oceanic", "regional", "satellite"]),
            "",
        ),
        attr("cake-wash", Kind::Flag, ""),
        attr("codel-ce-threshold", Kind::Span, ""),
        attr("codel-ecn", Kind::Flag, ""),
        attr("codel-interval", Kind::Span, ""),
        attr("codel-limit", Kind::Text, ""),
        attr("codel-target", Kind::Span, ""),
        attr("fq-codel-ce-threshold", Kind::Span, ""),
        attr("fq-codel-ecn", Kind::Flag, ""),
        attr("fq-codel-flows", Kind::Text, ""),
        attr("fq-codel-interval", Kind::Span, ""),
        attr("fq-codel-limit", Kind::Text, ""),
        attr("fq-codel-memlimit", Kind::Text, ""),
        attr("fq-codel-quantum", Kind::Text, ""),
        attr("fq-codel-target", Kind::Span, ""),
        attr(
            "kind",
            Kind::Enum(&["bfifo", "cake", "codel", "fq-codel", "mq-pfifo", "none", "pcq", "pfifo", "red", "sfq"]),
            "Kind of queue",
        )
        .required(),
        attr("mq-pfifo-limit", Kind::Text, ""),
        attr("name", Kind::Name, "Name others refer to"),
        attr("pcq-burst-rate", Kind::Text, ""),
        attr("pcq-burst-threshold", Kind::Text, ""),
        attr("pcq-burst-time", Kind::Span, ""),
        attr("pcq-classifier", Kind::Set, ""),
        attr("pcq-dst-address-mask", Kind::Text, ""),
        attr("pcq-dst-address6-mask", Kind::Text, ""),
        attr("pcq-limit", Kind::Text, ""),
        attr("pcq-rate", Kind::Text, ""),
        attr("pcq-src-address-mask", Kind::Text, ""),
        attr("pcq-src-address6-mask", Kind::Text, ""),
        attr("pcq-total-limit", Kind::Text, ""),
        attr("pfifo-limit", Kind::Text, ""),
        attr("red-avg-packet", Kind::Text, ""),
        attr("red-burst", Kind::Text, ""),
        attr("red-limit", Kind::Text, ""),
        attr("red-max-threshold", Kind::Text, ""),
        attr("red-min-threshold", Kind::Text, ""),
        attr("sfq-allot", Kind::Text, ""),
        attr("sfq-perturb", Kind::Text, ""),
        attr("default", Kind::Flag, "").read_only(),
    ])
    .synonyms(&["queue types", "fq codel", "cake", "pcq", "sfq", "bufferbloat"]);
