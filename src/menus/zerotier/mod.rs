//! `/zerotier` and what is below it.

pub mod interface;
pub mod root;

use super::Menu;

/// The menus of this folder.
pub const MENUS: &[&Menu] = &[&root::MENU, &interface::MENU];
