//! `/container/envs`: environment variables of containers.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/84901929/Container>

use crate::menus::{COMMENT, DISABLED, Menu, Topic, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/container/envs", "Environment variables of containers")
    .key(&["list", "key"])
    .attrs(&[
        COMMENT,
        DISABLED,
        attr("key", Kind::Text, "Name of the variable"),
        attr("list", Kind::Text, "List the entry belongs to"),
        attr("value", Kind::Text, "Value of the variable").secret(),
    ])
    .synonyms(&["container environment", "container variables"])
    .package("container")
    .topic(Topic::System)
    .since(7, 4);
