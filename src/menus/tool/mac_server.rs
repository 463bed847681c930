//! `/tool/mac-server`: interfaces that take MAC telnet.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/98795539/MAC+server>

use crate::menus::{Menu, Topic, attr, singleton};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = singleton("/tool/mac-server", "Interfaces that take MAC telnet")
    .attrs(&[attr("allowed-interface-list", Kind::Name, "Interfaces it works on")])
    .synonyms(&["mac server", "mac telnet"])
    .topic(Topic::System);
