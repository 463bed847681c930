//! `/container/config`: container registry settings.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/84901929/Container>

use crate::menus::{Menu, Topic, attr, singleton};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = singleton("/container/config", "Container registry settings")
    .attrs(&[
        attr("layer-dir", Kind::Text, ""),
        attr("memory-high", Kind::Text, ""),
        attr("memory-max", Kind::Text, ""),
        attr("password", Kind::Text, "Password").secret(),
        attr("registry-url", Kind::Text, "Registry"),
        attr("swap-max", Kind::Text, ""),
        attr("tmpdir", Kind::Text, "Folder for downloads"),
        attr("username", Kind::Text, "User name"),
    ])
    .synonyms(&["container registry", "docker registry", "container settings"])
    .package("container")
    .topic(Topic::System)
    .since(7, 4);
