//! Whoever asks, as this appliance knows them.

use crate::tools::spec::Tool;

mod get;
mod revoke_token;

/// What a person sees of themselves, and may do with what is theirs.
pub const TOOLS: &[&Tool] = &[&get::TOOL, &revoke_token::TOOL];
