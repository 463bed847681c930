//! `/queue/tree`: queue tree: shaping of marked traffic.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/328088/Queues>

use crate::menus::{COMMENT, DISABLED, INVALID, Menu, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/queue/tree", "Queue tree: shaping of marked traffic")
    .key(&["name"])
    .attrs(&[
        attr("bucket-size", Kind::Text, "Size of the token bucket, times max-limit"),
        attr("burst-limit", Kind::Rate, "Speed of a burst"),
        attr("burst-threshold", Kind::Rate, "Average below which bursts are allowed"),
        attr("burst-time", Kind::Span, "Time the average is taken over"),
        COMMENT,
        DISABLED,
        attr("limit-at", Kind::Rate, "Guaranteed speed"),
        attr("max-limit", Kind::Rate, "Speed limit"),
        attr("name", Kind::Name, "Name others refer to"),
        attr("packet-mark", Kind::Name, "Mark of the packet"),
        attr("parent", Kind::Name, "Row above it").required(),
        attr("priority", Kind::Int, "Priority"),
        attr("queue", Kind::Name, "Queue type"),
        attr("bytes", Kind::Bytes, "Bytes counted").read_only(),
        attr("dropped", Kind::Count, "Packets dropped").read_only(),
        INVALID,
        attr("packet-rate", Kind::Text, "Current packets a second").read_only(),
        attr("packets", Kind::Count, "Packets counted").read_only(),
        attr("queued-bytes", Kind::Text, "Bytes waiting").read_only(),
        attr("queued-packets", Kind::Count, "Packets waiting").read_only(),
        attr("rate", Kind::Rate, "Current speed").read_only(),
    ])
    .synonyms(&["queue tree", "qos", "traffic shaping", "priority queues", "htb", "shaping"])
    .commands(&["reset-counters", "reset-counters-all"]);
