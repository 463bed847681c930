//! Local users, and the persons behind them.

use crate::tools::spec::Tool;

mod add;
mod check;
mod disable;
mod enable;
mod last;
mod link;
mod list;
mod set_password;
mod set_role;
mod unlink;
mod view;

/// In the order of `user --help`.
pub const TOOLS: &[&Tool] = &[
    &add::TOOL,
    &list::TOOL,
    &set_role::TOOL,
    &disable::TOOL,
    &enable::TOOL,
    &set_password::TOOL,
    &check::TOOL,
    &link::TOOL,
    &unlink::TOOL,
];
