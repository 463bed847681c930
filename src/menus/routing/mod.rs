//! `/routing` and what is below it.

pub mod bgp;
pub mod filter_rule;
pub mod id;
pub mod ospf;
pub mod route;
pub mod rule;
pub mod table;

use super::Menu;

/// The menus of this folder.
pub const MENUS: &[&Menu] = &[&table::MENU, &rule::MENU, &route::MENU, &filter_rule::MENU, &id::MENU];
