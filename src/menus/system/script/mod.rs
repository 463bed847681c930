//! `/system/script` and what is below it.

pub mod environment;
pub mod job;
pub mod root;

use super::super::Menu;

/// The menus of this folder.
pub const MENUS: &[&Menu] = &[&root::MENU, &job::MENU, &environment::MENU];
