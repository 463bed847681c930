//! `registration`: routers that say who they are, for a person to take in.

use crate::tools::spec::Tool;

mod accept;
mod create;
mod list;
mod paste;
mod revoke;
mod view;

/// In the order of `tools/list`.
pub const TOOLS: &[&Tool] = &[&list::TOOL, &create::TOOL, &paste::TOOL, &accept::TOOL, &revoke::TOOL];
