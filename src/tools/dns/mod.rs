//! The router's DNS resolver.

use crate::tools::spec::Tool;

mod get_cache;
mod get_status;

/// In the order of `tools/list`.
pub const TOOLS: &[&Tool] = &[&get_status::TOOL, &get_cache::TOOL];
