//! `/ip/ipsec` and what is below it.

pub mod active_peers;
pub mod identity;
pub mod installed_sa;
pub mod mode_config;
pub mod peer;
pub mod policy;
pub mod profile;
pub mod proposal;

use super::super::Menu;

/// The menus of this folder.
pub const MENUS: &[&Menu] = &[
    &peer::MENU,
    &identity::MENU,
    &policy::MENU,
    &proposal::MENU,
    &profile::MENU,
    &active_peers::MENU,
    &installed_sa::MENU,
    &mode_config::MENU,
];
