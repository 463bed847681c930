//! `/container`: containers.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/84901929/Container>

use crate::menus::{COMMENT, Menu, Topic, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/container", "Containers")
    .key(&["name"])
    .attrs(&[
        attr("check-certificate", Kind::Flag, ""),
        attr("cmd", Kind::Text, "Command").secret(),
        COMMENT,
        attr("cpu-list", Kind::Text, ""),
        attr("default-dns", Kind::Text, ""),
        attr("devices", Kind::Text, ""),
        attr("dns", Kind::List, "DNS servers"),
        attr("domain-name", Kind::Text, ""),
        attr("entrypoint", Kind::Text, "Entry point").secret(),
        attr("env", Kind::Text, "").secret(),
        attr("envlists", Kind::Set, "Lists of environment variables"),
        attr("file", Kind::Text, ""),
        attr("healthcheck-cmd", Kind::Text, "").secret(),
        attr("healthcheck-interval", Kind::Span, ""),
        attr("healthcheck-retries", Kind::Text, ""),
        attr("healthcheck-start-interval", Kind::Span, ""),
        attr("healthcheck-start-period", Kind::Span, ""),
        attr("healthcheck-status", Kind::Text, ""),
        attr("healthcheck-timeout", Kind::Span, ""),
        attr("hostname", Kind::Text, "Host name"),
        attr("hosts", Kind::Text, ""),
        attr("ignore-remote-image-change", Kind::Flag, ""),
        attr("interface", Kind::Name, "Interface it belongs to"),
        attr("layer-dir", Kind::Text, ""),
        attr("logging", Kind::Flag, "Output goes to the log"),
        attr("memory-high", Kind::Text, ""),
        attr("memory-max", Kind::Text, ""),
        attr("mount", Kind::Text, ""),
        attr("mountlists", Kind::Set, ""),
        attr("name", Kind::Name, "Name others refer to"),
        attr("privileged", Kind::Flag, ""),
        attr("remote-image", Kind::Text, "Image name"),
        attr("restart-interval", Kind::Span, ""),
        attr("restart-max-count", Kind::Text, ""),
        attr("restart-policy", Kind::Text, ""),
        attr("root-dir", Kind::Text, "Folder of the container"),
        attr("shell", Kind::Text, ""),
        attr("shm-size", Kind::Text, ""),
        attr("start-on-boot", Kind::Flag, "Starts with the router"),
        attr("stop-on-unhealthy", Kind::Flag, ""),
        attr("stop-signal", Kind::Text, ""),
        attr("stop-time", Kind::Span, ""),
        attr("swap-max", Kind::Text, ""),
        attr("tmpfs", Kind::Text, ""),
        attr("user", Kind::Name, "User name"),
        attr("workdir", Kind::Text, ""),
    ])
    .synonyms(&["containers", "docker", "container images"])
    .package("container")
    .commands(&["kill", "repull", "restart", "run", "save", "shell", "start", "stop", "update"])
    .topic(Topic::System)
    .since(7, 4);
