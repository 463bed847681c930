//! Tunnels.

use crate::tools::spec::Tool;

mod get_status;
mod tunnel;

/// In the order of `tools/list`.
pub const TOOLS: &[&Tool] = &[&get_status::TOOL];
