//! `/interface/wireless` and what is below it.

pub mod access_list;
pub mod cap;
pub mod registration_table;
pub mod root;
pub mod security_profiles;

use super::super::Menu;

/// The menus of this folder.
pub const MENUS: &[&Menu] = &[&root::MENU, &security_profiles::MENU, &registration_table::MENU, &access_list::MENU, &cap::MENU];
