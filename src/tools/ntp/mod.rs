//! Time synchronisation of a router.

use crate::tools::spec::Tool;

mod get_status;
mod update_servers;

pub(in crate::tools) use update_servers::named;

/// In the order of `tools/list`.
pub const TOOLS: &[&Tool] = &[&get_status::TOOL, &update_servers::TOOL];
