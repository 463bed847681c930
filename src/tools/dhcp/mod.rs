//! DHCP: servers with what they can still give, and who has which address.

use crate::tools::spec::Tool;

mod get_servers;
mod list_leases;
mod plan_pool;
mod pools;
mod six;

/// In the order of `tools/list`.
pub const TOOLS: &[&Tool] = &[&get_servers::TOOL, &list_leases::TOOL, &plan_pool::TOOL];
