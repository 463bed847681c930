//! What was done here.

use crate::tools::spec::Tool;

mod get_events;
mod verify;
pub mod wanted;

/// In the order of `tools/list`.
pub const TOOLS: &[&Tool] = &[&get_events::TOOL, &verify::TOOL];
