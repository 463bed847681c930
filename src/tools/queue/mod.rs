//! Speed limits.

use crate::tools::spec::Tool;

mod list;

/// In the order of `tools/list`.
pub const TOOLS: &[&Tool] = &[&list::TOOL];
