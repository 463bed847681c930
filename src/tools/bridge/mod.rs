//! Bridges: ports, VLANs, spanning tree.

use crate::tools::spec::Tool;

mod list;
mod plan_port;
mod plan_settings;
mod views;

/// In the order of `tools/list`.
pub const TOOLS: &[&Tool] = &[&list::TOOL, &plan_port::TOOL, &plan_settings::TOOL];
