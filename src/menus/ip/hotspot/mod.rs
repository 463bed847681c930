//! `/ip/hotspot` and what is below it.

pub mod active;
pub mod host;
pub mod ip_binding;
pub mod profile;
pub mod root;
pub mod user;
pub mod user_profile;
pub mod walled_garden;

use super::super::Menu;

/// The menus of this folder.
pub const MENUS: &[&Menu] =
    &[&root::MENU, &user::MENU, &user_profile::MENU, &profile::MENU, &active::MENU, &host::MENU, &ip_binding::MENU, &walled_garden::MENU];
