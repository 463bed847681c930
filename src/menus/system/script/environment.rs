//! `/system/script/environment`: global variables of scripts.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/47579229/Scripting>

use crate::menus::{COMMENT, Menu, Topic, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/system/script/environment", "Global variables of scripts")
    .key(&["name"])
    .attrs(&[
        COMMENT,
        attr("value", Kind::Text, "Value of the variable").secret(),
        attr("name", Kind::Name, "Name others refer to").read_only(),
    ])
    .synonyms(&["global variables", "script variables", "environment"])
    .topic(Topic::System);
