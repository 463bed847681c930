//! Wireless: interfaces, clients and controllers, over every stack RouterOS has had.

use crate::tools::spec::Tool;

mod channel;
mod get_capsman;
mod get_clients;
mod get_interfaces;
mod plan_radio;
mod plan_ssid;
mod settings;
mod stack;

/// In the order of `tools/list`.
pub const TOOLS: &[&Tool] = &[&get_interfaces::TOOL, &get_clients::TOOL, &get_capsman::TOOL, &plan_ssid::TOOL, &plan_radio::TOOL];
