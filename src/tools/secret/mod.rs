//! The vault: secrets that changes put into routers.

use crate::tools::spec::Tool;

mod list;
mod remove;
mod set;
mod view;

/// In the order of `secret --help`.
pub const TOOLS: &[&Tool] = &[&set::TOOL, &list::TOOL, &remove::TOOL];
