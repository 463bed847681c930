//! `/user` and what is below it.

pub mod aaa;
pub mod active;
pub mod group;
pub mod root;
pub mod settings;
pub mod ssh_keys;

use super::Menu;

/// The menus of this folder.
pub const MENUS: &[&Menu] = &[&root::MENU, &group::MENU, &active::MENU, &ssh_keys::MENU, &aaa::MENU, &settings::MENU];
