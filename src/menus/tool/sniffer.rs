//! `/tool/sniffer`: packet sniffer settings.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/8323088/Packet+Sniffer>

use crate::menus::{Menu, attr, singleton};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = singleton("/tool/sniffer", "Packet sniffer settings")
    .attrs(&[
        attr("file-limit", Kind::Int, "Largest file, KiB"),
        attr("file-name", Kind::Text, "File name"),
        attr("filter-cpu", Kind::Text, ""),
        attr("filter-direction", Kind::Enum(&["any", "rx", "tx"]), ""),
        attr("filter-dst-ip-address", Kind::Text, ""),
        attr("filter-dst-ipv6-address", Kind::Text, ""),
        attr("filter-dst-mac-address", Kind::Text, ""),
        attr("filter-dst-port", Kind::Text, ""),
        attr("filter-interface", Kind::Text, ""),
        attr("filter-ip-address", Kind::Text, ""),
        attr("filter-ip-protocol", Kind::Text, ""),
        attr("filter-ipv6-address", Kind::Text, ""),
        attr("filter-mac-address", Kind::Text, ""),
        attr("filter-mac-protocol", Kind::Text, ""),
        attr("filter-operator-between-entries", Kind::Enum(&["and", "or"]), ""),
        attr("filter-port", Kind::Text, ""),
        attr("filter-size", Kind::Text, ""),
        attr("filter-src-ip-address", Kind::Text, ""),
        attr("filter-src-ipv6-address", Kind::Text, ""),
        attr("filter-src-mac-address", Kind::Text, ""),
        attr("filter-src-port", Kind::Text, ""),
        attr("filter-stream", Kind::Flag, ""),
        attr("filter-vlan", Kind::Text, ""),
        attr("max-packet-size", Kind::Int, ""),
        attr("memory-limit", Kind::Int, "Memory for packets, KiB"),
        attr("memory-scroll", Kind::Flag, ""),
        attr("only-headers", Kind::Flag, ""),
        attr("quick-rows", Kind::Text, ""),
        attr("quick-show-frame", Kind::Flag, ""),
        attr("streaming-enabled", Kind::Flag, "Sends packets to a server"),
        attr("streaming-server", Kind::Text, "Server packets are sent to"),
        attr("running", Kind::Flag, "Link is up").read_only(),
    ])
    .synonyms(&["sniffer", "packet capture", "tcpdump", "pcap", "wireshark", "capture packets"])
    .commands(&["quick", "save", "start", "stop"]);
