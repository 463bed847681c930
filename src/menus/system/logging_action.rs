//! `/system/logging/action`: where log lines go: memory, disk, log server.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/328094/Log>

use crate::menus::{COMMENT, Menu, Topic, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/system/logging/action", "Where log lines go: memory, disk, log server")
    .key(&["name"])
    .attrs(&[
        attr("add-topics-string", Kind::Flag, ""),
        attr("cef-event-delimiter", Kind::Text, ""),
        attr("check-certificate", Kind::Text, ""),
        COMMENT,
        attr("disk-file-count", Kind::Int, "Files kept"),
        attr("disk-file-name", Kind::Text, "File lines are written to"),
        attr("disk-lines-per-file", Kind::Int, "Lines a file"),
        attr("disk-stop-on-full", Kind::Flag, ""),
        attr("email-cc", Kind::Text, ""),
        attr("email-start-tls", Kind::Flag, "Mail over TLS"),
        attr("email-to", Kind::Text, "Receiver"),
        attr("memory-lines", Kind::Int, "Lines kept in memory"),
        attr("memory-stop-on-full", Kind::Flag, ""),
        attr("name", Kind::Name, "Name others refer to"),
        attr("remember", Kind::Flag, "Keep lines not yet shown"),
        attr("remote", Kind::Text, "Address of the log server"),
        attr("remote-log-format", Kind::Enum(&["cef", "default", "syslog"]), "Format on the wire"),
        attr("remote-port", Kind::Int, "Port of the log server"),
        attr("remote-protocol", Kind::Enum(&["tcp", "udp"]), "Transport to the log server"),
        attr("script", Kind::Script, "Script run on each event").secret(),
        attr("src-address", Kind::Address, "Source address or network"),
        attr(
            "syslog-facility",
            Kind::Enum(&[
                "auth", "authpriv", "cron", "daemon", "ftp", "kern", "local0", "local1", "local2", "local3", "local4", "local5", "local6",
                "local7", "lpr", "mail", "news", "ntp", "syslog", "user", "uucp",
            ]),
            "Syslog facility",
        ),
        attr(
            "syslog-severity",
            Kind::Enum(&["alert", "auto", "critical", "debug", "emergency", "error", "info", "notice", "warning"]),
            "Syslog severity",
        ),
        attr("syslog-time-format", Kind::Enum(&["bsd-syslog", "iso8601"]), ""),
        attr("target", Kind::Text, "Target").required(),
        attr("vrf", Kind::Name, "VRF it works in"),
        attr("default", Kind::Flag, "").read_only(),
    ])
    .synonyms(&["log server", "syslog", "remote logging", "log destinations", "log to disk", "rsyslog"])
    .commands(&["clear"])
    .topic(Topic::System);
