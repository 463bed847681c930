//! `/certificate` and what is below it.

pub mod root;
pub mod settings;

use super::Menu;

/// The menus of this folder.
pub const MENUS: &[&Menu] = &[&root::MENU, &settings::MENU];
