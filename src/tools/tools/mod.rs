//! The tools themselves.

use crate::tools::spec::Tool;

mod search;

/// In the order of `tools/list`.
pub const TOOLS: &[&Tool] = &[&search::TOOL];
