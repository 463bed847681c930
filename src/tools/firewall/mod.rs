//! What the firewall does: rules, address lists, connections tracked.

use crate::tools::spec::Tool;

mod list_address_lists;
mod list_connections;
mod list_rules;
mod plan_rule;
mod rule;
mod table;
mod update_address_list;

pub(in crate::tools) use update_address_list::is_same_address;

/// In the order of `tools/list`.
pub const TOOLS: &[&Tool] =
    &[&list_rules::TOOL, &list_address_lists::TOOL, &list_connections::TOOL, &update_address_list::TOOL, &plan_rule::TOOL];
