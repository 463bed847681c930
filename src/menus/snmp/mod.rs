//! `/snmp` and what is below it.

pub mod community;
pub mod root;

use super::Menu;

/// The menus of this folder.
pub const MENUS: &[&Menu] = &[&root::MENU, &community::MENU];
