//! `/queue` and what is below it.

pub mod interface;
pub mod kinds;
pub mod simple;
pub mod tree;

use super::Menu;

/// The menus of this folder.
pub const MENUS: &[&Menu] = &[&simple::MENU, &tree::MENU, &kinds::MENU, &interface::MENU];
