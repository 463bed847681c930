//! Devices: our records of routers, and reaching them.

use crate::tools::spec::Tool;

mod add;
mod bootstrap;
mod check_connectivity;
mod decommission;
mod get;
mod import;
mod list;
mod pin;
mod present;
mod remove;
mod rotate_credentials;
mod test;
mod update;
pub(super) mod view;

/// In the order of `tools/list`.
pub const TOOLS: &[&Tool] = &[
    &list::TOOL,
    &get::TOOL,
    &check_connectivity::TOOL,
    &bootstrap::TOOL,
    &present::TOOL,
    &add::TOOL,
    &import::TOOL,
    &update::TOOL,
    &test::TOOL,
    &pin::TOOL,
    &rotate_credentials::TOOL,
    &decommission::TOOL,
    &remove::TOOL,
];
