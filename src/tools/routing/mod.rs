//! Where packets go: routes, and the protocols that bring them.

use crate::tools::spec::Tool;

mod get_bgp;
mod get_ospf;
mod get_summary;
mod list_routes;
mod plan_static_route;
mod route;

/// In the order of `tools/list`.
pub const TOOLS: &[&Tool] = &[&get_summary::TOOL, &list_routes::TOOL, &get_bgp::TOOL, &get_ospf::TOOL, &plan_static_route::TOOL];
