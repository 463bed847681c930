//! `/ip/dhcp-server` and what is below it.

pub mod lease;
pub mod network;
pub mod option;
pub mod root;

use super::super::Menu;

/// The menus of this folder.
pub const MENUS: &[&Menu] = &[&root::MENU, &lease::MENU, &network::MENU, &option::MENU];
