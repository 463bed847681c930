//! What the firewall does: rules, address lists, connections tracked.

use crate::tools::spec::Tool;

mod list_address_lists;
mod list_connections;
mod list_rules;
mod plan_rule;
mod rule;
mod update_address_list;

/// In the order of `tools/list`.
pub const TOOLS: &[&Tool] =
    &[&list_rules::TOOL, &list_address_lists::TOOL, &list_connections::TOOL, &update_address_list::TOOL, &plan_rule::TOOL];
