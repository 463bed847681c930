//! `/ppp` and what is below it.

pub mod aaa;
pub mod active;
pub mod profile;
pub mod secret;

use super::Menu;

/// The menus of this folder.
pub const MENUS: &[&Menu] = &[&secret::MENU, &profile::MENU, &active::MENU, &aaa::MENU];
