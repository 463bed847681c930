//! Programs that use this appliance through MCP.

use crate::tools::spec::Tool;

mod list;

/// What pages show of them.
pub const TOOLS: &[&Tool] = &[&list::TOOL];
