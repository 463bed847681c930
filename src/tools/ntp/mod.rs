//! Time synchronisation of a router.

use crate::tools::spec::Tool;

mod get_status;

/// In the order of `tools/list`.
pub const TOOLS: &[&Tool] = &[&get_status::TOOL];
