//! What is configured, and what people switched off since.

use crate::tools::spec::Tool;

mod get;
mod set_switches;
mod view;

/// Looking, then switching.
pub const TOOLS: &[&Tool] = &[&get::TOOL, &set_switches::TOOL];
