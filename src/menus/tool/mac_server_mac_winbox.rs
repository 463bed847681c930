//! `/tool/mac-server/mac-winbox`: interfaces that take WinBox by MAC address.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/98795539/MAC+server>

use crate::menus::{Menu, Topic, attr, singleton};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = singleton("/tool/mac-server/mac-winbox", "Interfaces that take WinBox by MAC address")
    .attrs(&[attr("allowed-interface-list", Kind::Name, "Interfaces it works on")])
    .synonyms(&["mac winbox", "winbox by mac"])
    .topic(Topic::System);
