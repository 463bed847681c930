//! Verbs: what callers can ask for. A folder a category, a file a tool.
//!
//! Some verbs are for operators only (`device.add`): the command line and the admin pages reach them, MCP cannot.

pub mod alert;
pub mod arguments;
pub mod audit;
pub mod backup;
pub mod bridge;
pub mod client;
pub mod columns;
pub mod config;
pub mod context;
pub mod device;
pub mod dhcp;
pub mod diagnose;
pub mod direct;
pub mod discovery;
pub mod dns;
pub mod family;
pub mod firewall;
pub mod fleet;
pub mod interface;
pub mod ip;
pub mod list;
pub mod logs;
pub mod menu;
pub mod neighbor;
mod notes;
pub mod ntp;
pub mod person;
pub mod plan;
pub mod propose;
pub mod queue;
pub mod registration;
pub mod router;
pub mod routing;
#[cfg(test)]
mod samples;
pub mod schema;
pub mod secret;
pub mod security;
pub mod settings;
pub mod spec;
pub mod system;
pub mod token;
#[allow(clippy::module_inception, reason = "the category is called `tools`: tools.search")]
pub mod tools;
pub mod update;
pub mod user;
pub mod voice;
pub mod vpn;
pub mod wireless;
pub mod world;

use spec::Tool;

/// Every category, in the order of `tools/list`.
pub const CATEGORIES: &[&[&Tool]] = &[
    device::TOOLS,
    discovery::TOOLS,
    fleet::TOOLS,
    menu::TOOLS,
    plan::TOOLS,
    tools::TOOLS,
    audit::TOOLS,
    system::TOOLS,
    ntp::TOOLS,
    logs::TOOLS,
    diagnose::TOOLS,
    security::TOOLS,
    interface::TOOLS,
    bridge::TOOLS,
    neighbor::TOOLS,
    ip::TOOLS,
    dns::TOOLS,
    dhcp::TOOLS,
    routing::TOOLS,
    firewall::TOOLS,
    wireless::TOOLS,
    vpn::TOOLS,
    queue::TOOLS,
    config::TOOLS,
    user::TOOLS,
    backup::TOOLS,
    update::TOOLS,
    secret::TOOLS,
    token::TOOLS,
    alert::TOOLS,
    client::TOOLS,
    person::TOOLS,
    settings::TOOLS,
    registration::TOOLS,
];

/// Every tool of every audience, in the order of `tools/list`.
pub fn all() -> impl Iterator<Item = &'static Tool> {
    CATEGORIES.iter().flat_map(|tools| tools.iter().copied())
}

/// The toolsets there are, for checks of the configuration.
pub const TOOLSETS: &[&str] =
    &["core", "system", "interface", "ip", "routing", "firewall", "wireless", "vpn", "diagnose", "config", "security"];

/// The tool of that name; `system_get_overview` is `system.get_overview`, and no other spelling is.
pub fn find(name: &str) -> Option<&'static Tool> {
    all().find(|tool| tool.name == name || (tool.name.len() == name.len() && tool.name.replace('.', "_") == name))
}
