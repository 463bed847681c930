//! `/routing/bgp` and what is below it.

pub mod connection;
pub mod instance;
pub mod session;
pub mod template;

use super::super::Menu;

/// The menus of this folder.
pub const MENUS: &[&Menu] = &[&connection::MENU, &session::MENU, &template::MENU, &instance::MENU];
