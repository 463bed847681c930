//! What the firewall does: rules, address lists, connections tracked.

use crate::tools::spec::Tool;

mod list_address_lists;
mod list_connections;
mod list_rules;
mod rule;

/// In the order of `tools/list`.
pub const TOOLS: &[&Tool] = &[&list_rules::TOOL, &list_address_lists::TOOL, &list_connections::TOOL];
