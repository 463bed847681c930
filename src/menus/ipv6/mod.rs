//! `/ipv6` and what is below it.

pub mod address;
pub mod dhcp_client;
pub mod dhcp_server;
pub mod dhcp_server_binding;
pub mod firewall;
pub mod nd;
pub mod neighbor;
pub mod pool;
pub mod route;
pub mod settings;

use super::Menu;

/// The menus of this folder.
pub const MENUS: &[&Menu] = &[
    &address::MENU,
    &route::MENU,
    &nd::MENU,
    &dhcp_client::MENU,
    &dhcp_server::MENU,
    &dhcp_server_binding::MENU,
    &pool::MENU,
    &neighbor::MENU,
    &settings::MENU,
];
