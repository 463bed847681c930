//! What a router wrote down.

use crate::tools::spec::Tool;

mod get_recent;

/// In the order of `tools/list`.
pub const TOOLS: &[&Tool] = &[&get_recent::TOOL];
