//! `/tool/netwatch`: hosts watched, with scripts on change.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/8323208/Netwatch>

use crate::menus::{COMMENT, DISABLED, Menu, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/tool/netwatch", "Hosts watched, with scripts on change")
    .key(&["host", "type"])
    .attrs(&[
        attr("accept-icmp-time-exceeded", Kind::Flag, ""),
        attr("certificate", Kind::Name, "Certificate used"),
        attr("check-certificate", Kind::Flag, ""),
        COMMENT,
        DISABLED,
        attr("dns-server", Kind::List, "DNS servers given to clients"),
        attr("down-script", Kind::Script, "Script run when it goes down").secret(),
        attr("early-failure-detection", Kind::Flag, ""),
        attr("early-success-detection", Kind::Flag, ""),
        attr("host", Kind::Text, "Host watched").required(),
        attr("http-codes", Kind::List, "HTTP codes that count as up"),
        attr("ignore-initial-down", Kind::Flag, ""),
        attr("ignore-initial-up", Kind::Flag, ""),
        attr("interval", Kind::Span, "Time between tests"),
        attr("name", Kind::Name, "Name"),
        attr("packet-count", Kind::Int, ""),
        attr("packet-interval", Kind::Span, ""),
        attr("packet-size", Kind::Text, "Size of the packet"),
        attr("port", Kind::Int, "Port"),
        attr("record-type", Kind::Enum(&["A", "AAAA", "MX", "NS"]), ""),
        attr("src-address", Kind::Address, "Source address or network"),
        attr("start-delay", Kind::Span, ""),
        attr("startup-delay", Kind::Span, ""),
        attr("test-script", Kind::Script, "Script run after each test").secret(),
        attr("thr-avg", Kind::Span, ""),
        attr("thr-http-time", Kind::Span, ""),
        attr("thr-jitter", Kind::Span, ""),
        attr("thr-loss-count", Kind::Int, ""),
        attr("thr-loss-percent", Kind::Percent, ""),
        attr("thr-max", Kind::Span, ""),
        attr("thr-stdev", Kind::Span, ""),
        attr("thr-tcp-conn-time", Kind::Span, ""),
        attr("timeout", Kind::Span, "How long an answer may take"),
        attr("ttl", Kind::Int, "Time to live"),
        attr("type", Kind::Enum(&["dns", "http-get", "https-get", "icmp", "simple", "tcp-conn"]), "Kind of entry"),
        attr("up-script", Kind::Script, "Script run when it comes up").secret(),
        attr("done-tests", Kind::Int, "Tests done").read_only(),
        attr("failed-tests", Kind::Int, "Tests failed").read_only(),
        attr("http-resp-time", Kind::Span, "").read_only(),
        attr("http-status-code", Kind::Int, "").read_only(),
        attr("loss-count", Kind::Int, "").read_only(),
        attr("loss-percent", Kind::Percent, "Packets lost, percent").read_only(),
        attr("mail-servers", Kind::Set, "").read_only(),
        attr("name-servers", Kind::Set, "").read_only(),
        attr("response-count", Kind::Int, "").read_only(),
        attr("rtt-avg", Kind::Span, "Average round trip").read_only(),
        attr("rtt-jitter", Kind::Span, "Variation of round trips").read_only(),
        attr("rtt-max", Kind::Span, "Longest round trip").read_only(),
        attr("rtt-min", Kind::Span, "Shortest round trip").read_only(),
        attr("rtt-stdev", Kind::Span, "").read_only(),
        attr("sent-count", Kind::Int, "").read_only(),
        attr("since", Kind::Time, "When the state last changed").read_only(),
        attr("status", Kind::Text, "up, down or unknown").read_only(),
        attr("tcp-connect-time", Kind::Span, "").read_only(),
    ])
    .synonyms(&["netwatch", "host monitoring", "ping monitor", "uptime check", "failover check", "watch a host"])
    .cuts_access();
