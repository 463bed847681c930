//! `/file`: files on the router.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/2555971/Files>

use crate::menus::{Menu, Topic, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/file", "Files on the router")
    .key(&["name"])
    .attrs(&[
        attr("contents", Kind::Text, "Content of a small text file").secret(),
        attr("name", Kind::Name, "Name others refer to"),
        attr("type", Kind::Enum(&["directory", "file"]), "Kind of file"),
        attr("last-modified", Kind::Time, "When it last changed").read_only(),
        attr("package-architecture", Kind::Text, "Architecture of that package").read_only(),
        attr("package-build-time", Kind::Time, "").read_only(),
        attr("package-name", Kind::Text, "Package in the file").read_only(),
        attr("package-version", Kind::Text, "Version of that package").read_only(),
        attr("size", Kind::Bytes, "Size, bytes").read_only(),
    ])
    .synonyms(&["files", "storage", "backups", "backup files", "flash", "file list", "uploaded files", "rsc files"])
    .commands(&["copy", "head", "read", "tail"])
    .topic(Topic::System);
