//! `/queue/simple`: speed limits for addresses and interfaces, first match wins.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/328088/Queues>

use crate::menus::{COMMENT, DISABLED, DYNAMIC, INVALID, Menu, attr, ordered};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = ordered("/queue/simple", "Speed limits for addresses and interfaces, first match wins")
    .key(&["name"])
    .attrs(&[
        attr("bucket-size", Kind::Text, "Size of the token bucket, times max-limit"),
        attr("burst-limit", Kind::RatePair, "Speed of a burst"),
        attr("burst-threshold", Kind::RatePair, "Average below which bursts are allowed"),
        attr("burst-time", Kind::Text, "Time the average is taken over"),
        COMMENT,
        DISABLED,
        attr("dst", Kind::Prefix, "Destination the queue is for"),
        attr("limit-at", Kind::RatePair, "Guaranteed speed, upload/download, bit/s"),
        attr("max-limit", Kind::RatePair, "Speed limit, upload/download, bit/s"),
        attr("name", Kind::Name, "Name others refer to"),
        attr("packet-marks", Kind::Set, "Packet marks"),
        attr("parent", Kind::Name, "Row above it"),
        attr("priority", Kind::Text, "Priority"),
        attr("queue", Kind::Text, "Queue type"),
        attr("target", Kind::Text, "Addresses or interfaces limited").required(),
        attr("time", Kind::Text, "Hours and days"),
        attr("total-bucket-size", Kind::Text, ""),
        attr("total-burst-limit", Kind::Rate, ""),
        attr("total-burst-threshold", Kind::Rate, ""),
        attr("total-burst-time", Kind::Span, ""),
        attr("total-limit-at", Kind::Rate, "Guaranteed speed of both directions together"),
        attr("total-max-limit", Kind::Rate, "Speed limit of both directions together"),
        attr("total-priority", Kind::Text, ""),
        attr(
            "total-queue",
            Kind::Enum(&[
                "default",
                "default-small",
                "ethernet-default",
                "hotspot-default",
                "multi-queue-ethernet-default",
                "only-hardware-queue",
                "pcq-download-default",
                "pcq-upload-default",
                "synchronous-default",
                "wireless-default",
            ]),
            "",
        ),
        attr("bytes", Kind::Text, "Bytes counted").read_only(),
        attr("dropped", Kind::Text, "Packets dropped").read_only(),
        DYNAMIC,
        INVALID,
        attr("packet-rate", Kind::Text, "Current packets a second").read_only(),
        attr("packets", Kind::Text, "Packets counted").read_only(),
        attr("queued-bytes", Kind::Text, "Bytes waiting").read_only(),
        attr("queued-packets", Kind::Text, "Packets waiting").read_only(),
        attr("rate", Kind::RatePair, "Current speed").read_only(),
        attr("total-bytes", Kind::Bytes, "").read_only(),
        attr("total-packets", Kind::Count, "").read_only(),
        attr("total-queued-bytes", Kind::Bytes, "").read_only(),
        attr("total-queued-packets", Kind::Count, "").read_only(),
        attr("total-rate", Kind::Rate, "").read_only(),
    ])
    .synonyms(&[
        "simple queues",
        "speed limit",
        "bandwidth limit",
        "rate limit",
        "limit speed",
        "shaping",
        "qos",
        "traffic shaping",
        "bandwidth control",
        "throttle",
    ])
    .commands(&["reset-counters", "reset-counters-all"]);
