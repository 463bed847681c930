//! What of the configuration the MCP edge needs, `[mcp]` in the config file.
//!
//! The tool list itself (toolsets, tiers, separator, switches) is the spine's; this is only how we present ourselves.

use crate::mcp::subscriptions::Watchers;
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
    /// `mcp.enable_resources`: whether resources are offered.
    pub resources: bool,
    /// `mcp.enable_prompts`: whether prompts are offered.
    pub prompts: bool,
    /// `resource_cache.ttl_seconds`: how old what a resource tells of a router may be; zero without the cache.
    pub max_age: Duration,
    /// `sse.update_batch_interval_seconds`: changes are gathered for so long before subscribers hear of them.
    pub gather: Duration,
    /// Who subscribes to which device, in all sessions.
    pub watchers: Watchers,
    /// `mcp.client_compatibility_mode = "permissive"`: known client quirks are tolerated (see [`crate::mcp::message`]).
    pub permissive: bool,
    /// `mcp.log_unknown_capabilities`: what a client brings as experimental or as an extension is logged when it initializes a session.
    pub log_unknown_capabilities: bool,
    /// `shutdown.drain_seconds`: how long calls in flight may take after the stream ended or we are told to stop.
    pub drain: Duration,
}

/// Calls in flight at the end get 30 s, as `shutdown.drain_seconds` says unless set.
const DRAIN: Duration = Duration::from_secs(30);

/// As `resource_cache.ttl_seconds` says unless set.
const MAX_AGE: Duration = Duration::from_secs(300);

/// As `sse.update_batch_interval_seconds` says unless set.
const GATHER: Duration = Duration::from_secs(1);

impl Default for Settings {
    fn default() -> Self {
        Settings {
            server_name: "routeros-mcp".into(),
            server_description: String::new(),
            tools: true,
            resources: true,
            prompts: true,
            max_age: MAX_AGE,
            gather: GATHER,
            watchers: Watchers::default(),
            permissive: false,
            log_unknown_capabilities: true,
            drain: DRAIN,
        }
    }
}
