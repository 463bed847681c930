//! `/caps-man` and what is below it.

pub mod access_list;
pub mod configuration;
pub mod interface;
pub mod manager;
pub mod registration_table;
pub mod remote_cap;
pub mod security;

use super::Menu;

/// The menus of this folder.
pub const MENUS: &[&Menu] = &[
    &manager::MENU,
    &interface::MENU,
    &registration_table::MENU,
    &access_list::MENU,
    &security::MENU,
    &configuration::MENU,
    &remote_cap::MENU,
];
