//! `/ip/dns` and what is below it.

pub mod cache;
pub mod root;
pub mod static_records;

use super::super::Menu;

/// The menus of this folder.
pub const MENUS: &[&Menu] = &[&root::MENU, &static_records::MENU, &cache::MENU];
