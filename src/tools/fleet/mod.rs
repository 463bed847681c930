//! The fleet as a whole.

use crate::tools::spec::Tool;

mod get_summary;

/// In the order of `tools/list`.
pub const TOOLS: &[&Tool] = &[&get_summary::TOOL];
