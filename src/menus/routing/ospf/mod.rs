//! `/routing/ospf` and what is below it.

pub mod area;
pub mod instance;
pub mod interface;
pub mod interface_template;
pub mod neighbor;

use super::super::Menu;

/// The menus of this folder.
pub const MENUS: &[&Menu] = &[&instance::MENU, &area::MENU, &interface_template::MENU, &interface::MENU, &neighbor::MENU];
