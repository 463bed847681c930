//! `/ipv6/firewall` and what is below it.

pub mod address_list;
pub mod connection;
pub mod filter;
pub mod mangle;
pub mod nat;
pub mod raw;

use super::super::Menu;

/// The menus of this folder.
pub const MENUS: &[&Menu] = &[&filter::MENU, &nat::MENU, &mangle::MENU, &raw::MENU, &address_list::MENU, &connection::MENU];
