//! Any RouterOS menu: find it, learn it, read it.

use crate::tools::spec::Tool;

mod describe;
mod inspect;
mod large;
mod read;
mod search;

/// In the order of `tools/list`.
pub const TOOLS: &[&Tool] = &[&search::TOOL, &describe::TOOL, &read::TOOL];
