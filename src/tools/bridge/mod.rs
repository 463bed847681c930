//! Bridges: ports, VLANs, spanning tree.

use crate::tools::spec::Tool;

mod list;
mod views;

/// In the order of `tools/list`.
pub const TOOLS: &[&Tool] = &[&list::TOOL];
