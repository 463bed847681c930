//! Whoever asks, as this appliance knows them.

use crate::tools::spec::Tool;

mod get;

/// What a person sees of themselves.
pub const TOOLS: &[&Tool] = &[&get::TOOL];
