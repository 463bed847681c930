//! `/radius` and what is below it.

pub mod incoming;
pub mod root;

use super::Menu;

/// The menus of this folder.
pub const MENUS: &[&Menu] = &[&root::MENU, &incoming::MENU];
