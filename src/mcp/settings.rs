//! What of the configuration the MCP edge needs, `[mcp]` in the config file.
//!
//! The tool list itself (toolsets, tiers, separator, switches) is the spine's; this is only how we present ourselves.

use std::time::Duration;

/// How the server presents itself and how strictly it reads.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `mcp.server_name`, `serverInfo.name`.
    pub server_name: String,
    /// `mcp.server_description`, `serverInfo.description`; left out when empty.
    pub server_description: String,
    /// `mcp.enable_tools`: whether tools are offered at all.
    pub tools: bool,
    /// `mcp.client_compatibility_mode = "permissive"`: known client quirks are tolerated (see [`crate::mcp::message`]).
    pub permissive: bool,
    /// `shutdown.drain_seconds`: how long calls in flight may take after the stream ended or we are told to stop.
    pub drain: Duration,
}

/// Calls in flight at the end get 30 s, as `shutdown.drain_seconds` says unless set.
const DRAIN: Duration = Duration::from_secs(30);

impl Default for Settings {
    fn default() -> Self {
        Settings { server_name: "routeros-mcp".into(), server_description: String::new(), tools: true, permissive: false, drain: DRAIN }
    }
}
