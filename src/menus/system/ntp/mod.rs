//! `/system/ntp` and what is below it.

pub mod client;
pub mod client_servers;
pub mod server;

use super::super::Menu;

/// The menus of this folder.
pub const MENUS: &[&Menu] = &[&client::MENU, &client_servers::MENU, &server::MENU];
