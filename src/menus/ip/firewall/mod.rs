//! `/ip/firewall` and what is below it.

pub mod address_list;
pub mod connection;
pub mod connection_tracking;
pub mod filter;
pub mod layer7_protocol;
pub mod mangle;
pub mod matchers;
pub mod nat;
pub mod raw;
pub mod service_port;

use super::super::Menu;

/// The menus of this folder.
pub const MENUS: &[&Menu] = &[
    &filter::MENU,
    &nat::MENU,
    &mangle::MENU,
    &raw::MENU,
    &address_list::MENU,
    &connection::MENU,
    &connection_tracking::MENU,
    &service_port::MENU,
    &layer7_protocol::MENU,
];
