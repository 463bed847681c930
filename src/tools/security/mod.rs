//! How well a router is guarded.

use crate::tools::spec::Tool;

mod audit;
mod checks;
mod finding;
mod picture;
mod reach;

/// In the order of `tools/list`.
pub const TOOLS: &[&Tool] = &[&audit::TOOL];

#[cfg(test)]
mod tests;
