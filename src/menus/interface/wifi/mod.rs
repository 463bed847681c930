//! `/interface/wifi` and what is below it.

pub mod access_list;
pub mod cap;
pub mod capsman;
pub mod capsman_remote_cap;
pub mod channel;
pub mod configuration;
pub mod datapath;
pub mod provisioning;
pub mod radio;
pub mod registration_table;
pub mod root;
pub mod security;

use super::super::Menu;

/// The menus of this folder.
pub const MENUS: &[&Menu] = &[
    &root::MENU,
    &configuration::MENU,
    &security::MENU,
    &channel::MENU,
    &datapath::MENU,
    &registration_table::MENU,
    &access_list::MENU,
    &cap::MENU,
    &capsman::MENU,
    &capsman_remote_cap::MENU,
    &provisioning::MENU,
    &radio::MENU,
];
