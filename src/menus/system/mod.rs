//! `/system` and what is below it.

pub mod clock;
pub mod device_mode;
pub mod health;
pub mod history;
pub mod identity;
pub mod leds;
pub mod license;
pub mod logging;
pub mod logging_action;
pub mod note;
pub mod ntp;
pub mod package;
pub mod package_update;
pub mod resource;
pub mod resource_cpu;
pub mod routerboard;
pub mod routerboard_settings;
pub mod scheduler;
pub mod script;
pub mod watchdog;

use super::Menu;

/// The menus of this folder.
pub const MENUS: &[&Menu] = &[
    &identity::MENU,
    &resource::MENU,
    &resource_cpu::MENU,
    &health::MENU,
    &routerboard::MENU,
    &routerboard_settings::MENU,
    &package::MENU,
    &package_update::MENU,
    &clock::MENU,
    &scheduler::MENU,
    &history::MENU,
    &logging::MENU,
    &logging_action::MENU,
    &note::MENU,
    &device_mode::MENU,
    &license::MENU,
    &watchdog::MENU,
    &leds::MENU,
];
