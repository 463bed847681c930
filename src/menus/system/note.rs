//! `/system/note`: note shown at login.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/40992863/Note>

use crate::menus::{Menu, Topic, attr, singleton};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = singleton("/system/note", "Note shown at login")
    .attrs(&[
        attr("note", Kind::Text, "Text shown").untrusted(),
        attr("show-at-cli-login", Kind::Flag, "Shown at console login"),
        attr("show-at-login", Kind::Flag, "Shown at login"),
    ])
    .synonyms(&["note", "login banner", "motd", "system note"])
    .topic(Topic::System)
    .basic();
