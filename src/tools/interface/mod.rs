//! Network interfaces: which there are, how each is, what passes through.

use crate::tools::spec::Tool;

mod get;
mod get_traffic;
mod known;
mod link;
mod list;
mod update_comment;

/// In the order of `tools/list`.
pub const TOOLS: &[&Tool] = &[&list::TOOL, &get::TOOL, &get_traffic::TOOL, &update_comment::TOOL];
