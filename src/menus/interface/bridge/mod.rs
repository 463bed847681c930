//! `/interface/bridge` and what is below it.

pub mod host;
pub mod port;
pub mod root;
pub mod settings;
pub mod vlan;

use super::super::Menu;

/// The menus of this folder.
pub const MENUS: &[&Menu] = &[&root::MENU, &port::MENU, &vlan::MENU, &host::MENU, &settings::MENU];
