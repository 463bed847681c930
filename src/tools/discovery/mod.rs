//! Routers nearby that announce themselves, managed or not.

use crate::tools::spec::Tool;

mod list;

/// One verb.
pub const TOOLS: &[&Tool] = &[&list::TOOL];
