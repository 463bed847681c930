//! `/tool` and what is below it.

pub mod bandwidth_server;
pub mod e_mail;
pub mod graphing_interface;
pub mod mac_server;
pub mod mac_server_mac_winbox;
pub mod netwatch;
pub mod romon;
pub mod sniffer;

use super::Menu;

/// The menus of this folder.
pub const MENUS: &[&Menu] = &[
    &netwatch::MENU,
    &e_mail::MENU,
    &mac_server::MENU,
    &mac_server_mac_winbox::MENU,
    &sniffer::MENU,
    &romon::MENU,
    &bandwidth_server::MENU,
    &graphing_interface::MENU,
];
