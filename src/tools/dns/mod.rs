//! The router's DNS resolver.

use crate::tools::spec::Tool;

mod flush_cache;
mod get_cache;
mod get_status;
mod update_servers;

pub(in crate::tools) use update_servers::addresses;

/// In the order of `tools/list`.
pub const TOOLS: &[&Tool] = &[&get_status::TOOL, &get_cache::TOOL, &update_servers::TOOL, &flush_cache::TOOL];
