//! Notifications: what is told, where, and whether it arrives.

use crate::tools::spec::Tool;

mod get_status;
mod list;
mod set_secret;
mod test;

/// In the order of pages.
pub const TOOLS: &[&Tool] = &[&list::TOOL, &get_status::TOOL, &test::TOOL, &set_secret::TOOL];
