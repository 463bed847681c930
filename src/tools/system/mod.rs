//! The router as a machine: identity, load, packages, clock.

use crate::tools::spec::Tool;

mod get_clock;
mod get_health;
mod get_overview;
mod get_packages;
mod set_identity;

/// In the order of `tools/list`.
pub const TOOLS: &[&Tool] = &[&get_overview::TOOL, &get_health::TOOL, &get_packages::TOOL, &get_clock::TOOL, &set_identity::TOOL];
