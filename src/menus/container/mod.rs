//! `/container` and what is below it.

pub mod config;
pub mod envs;
pub mod root;

use super::Menu;

/// The menus of this folder.
pub const MENUS: &[&Menu] = &[&root::MENU, &config::MENU, &envs::MENU];
