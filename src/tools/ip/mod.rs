//! Addresses: a router's own, and those of the hosts it talks to.

use crate::tools::spec::Tool;

mod add_secondary_address;
mod family;
mod get_arp;
mod list_addresses;
mod overlap;
mod remove_secondary_address;
mod secondary;

/// In the order of `tools/list`.
pub const TOOLS: &[&Tool] = &[&list_addresses::TOOL, &get_arp::TOOL, &add_secondary_address::TOOL, &remove_secondary_address::TOOL];
