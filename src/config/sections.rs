//! The configuration as the program uses it: a struct a section, each value typed.
//!
//! Ranges and defaults stand in `keys.rs` alone. Every field is required here, so that a key in one place and not in the other
//! fails the first test that loads anything.

use crate::base::secret::Secret;
use crate::base::span::Span;
use crate::base::tier::{Environment, Tier};
use crate::host::log::{Format, Level, Target};
use serde::Deserialize;
use std::path::PathBuf;

mod alert;
mod listener;
mod routers;

pub use alert::Alert;
pub use listener::{Acme, Auth, Challenge, Http, Metrics, Oidc, RateLimit, Sse, Tls};
pub use routers::{HealthCheck, Plan, Retention, Routeros, SelfApproval, Snapshot, VerifyTls};

/// The whole configuration.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where this appliance belongs.
    pub environment: Environment,
    /// More detail in errors.
    pub debug: bool,
    /// Master key in base64; `None` outside prod means `<state dir>/master.key`. See [`Config::master_key`].
    pub encryption_key: Option<Secret>,
    /// Nothing that changes a router.
    pub read_only: bool,
    /// `[log]`
    pub log: Log,
    /// `[store]`
    pub store: Store,
    /// `[mcp]`
    pub mcp: Mcp,
    /// `[token_budget]`
    pub token_budget: TokenBudget,
    /// `[resource_cache]`
    pub resource_cache: ResourceCache,
    /// `[http]`
    pub http: Http,
    /// `[acme]`
    pub acme: Acme,
    /// `[oidc]`
    pub oidc: Oidc,
    /// `[auth]`
    pub auth: Auth,
    /// `[rate_limit]`
    pub rate_limit: RateLimit,
    /// `[sse]`
    pub sse: Sse,
    /// `[routeros]`
    pub routeros: Routeros,
    /// `[health_check]`
    pub health_check: HealthCheck,
    /// `[snapshot]`
    pub snapshot: Snapshot,
    /// `[retention]`
    pub retention: Retention,
    /// `[plan]`
    pub plan: Plan,
    /// `[metrics]`
    pub metrics: Metrics,
    /// `[alert]`
    pub alert: Alert,
    /// `[update]`
    pub update: Update,
    /// `[backup]`
    pub backup: Backup,
    /// `[shutdown]`
    pub shutdown: Shutdown,
}

impl Config {
    /// The 32 bytes of `encryption_key`, when a source gives them.
    pub fn master_key(&self) -> Option<zeroize::Zeroizing<[u8; 32]>> {
        super::value::master_key(self.encryption_key.as_ref()?.expose())
    }
}

/// The log.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// Least important line that is written.
    pub level: Level,
    /// Look of a line on standard error.
    pub format: Format,
    /// Where lines go.
    pub target: Target,
}

/// The store.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Store {
    /// Its file.
    pub path: PathBuf,
    /// Memory for its cache, MiB.
    pub cache_mb: u32,
    /// How long records that may wait are kept in memory.
    pub flush_interval: Span,
    /// Write less often.
    pub flash_saver: Choice,
    /// State on tmpfs is fine, and no credentials are kept.
    pub volatile: bool,
}

/// On, off, or as the machine suggests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Choice {
    /// As the machine suggests.
    Auto,
    /// Yes.
    On,
    /// No.
    Off,
}

impl Choice {
    /// What was said; nothing where the machine is to be asked.
    pub fn said(self) -> Option<bool> {
        match self {
            Choice::Auto => None,
            Choice::On => Some(true),
            Choice::Off => Some(false),
        }
    }
}

/// The Model Context Protocol.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mcp {
    /// How it is spoken.
    pub transport: Transport,
    /// Our name towards clients.
    pub server_name: String,
    /// Our description towards clients.
    pub server_description: String,
    /// Address of the listener.
    pub http_host: String,
    /// Port of the listener; 0 takes any free one.
    pub http_port: u16,
    /// Route of MCP: `/mcp`.
    pub http_base_path: String,
    /// Offer tools.
    pub enable_tools: bool,
    /// Offer resources.
    pub enable_resources: bool,
    /// Offer prompts.
    pub enable_prompts: bool,
    /// Tiers that may be used at all.
    pub tool_tiers: Vec<Tier>,
    /// Tier of a principal whose role says nothing about tiers.
    pub default_tool_tier: Tier,
    /// Toolsets that are listed; `all` is spelled out.
    pub toolsets: Vec<String>,
    /// Tool names (either spelling, lower case) and `category.*` that are off. Unknown names are for the holder of the
    /// catalogue to tell.
    pub disable_tools: Vec<String>,
    /// Whether approved plans may be applied.
    pub enable_plan_apply: bool,
    /// `.` or `_`.
    pub tool_name_separator: String,
    /// How faithful to the protocol clients must be.
    pub client_compatibility_mode: Mode,
    /// Log client capabilities that we do not know.
    pub log_unknown_capabilities: bool,
    /// Whether denied reads pass.
    pub rbac_mode: Mode,
    /// Who the local stdio client is.
    pub stdio_role: StdioRole,
}

/// How MCP is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// Standard input and output.
    Stdio,
    /// Streamable HTTP.
    Http,
    /// Either.
    Both,
}

/// Strict or permissive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// By the book.
    Strict,
    /// Tolerant.
    Permissive,
}

/// Roles that the local stdio client can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StdioRole {
    /// Reads.
    ReadOnly,
    /// Reads and basic writes.
    OpsRw,
    /// Everything but approvals of its own plans.
    Admin,
}

/// How long answers may be.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenBudget {
    /// Tokens above which an answer carries a warning.
    pub warning_threshold: u64,
    /// Tokens above which it is cut to a page or refused.
    pub error_threshold: u64,
}

/// Kept answers of resources.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResourceCache {
    /// Whether any are kept.
    pub enabled: bool,
    /// For how long.
    pub ttl_seconds: Span,
    /// How many.
    pub max_entries: usize,
}

/// Looking for newer versions.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Update {
    /// Whether we look.
    pub check: bool,
    /// Where releases are.
    pub url: Option<String>,
    /// Which releases.
    pub channel: String,
    /// How often to look.
    pub interval_hours: u32,
    /// Further keys that may sign releases.
    pub public_keys: Vec<String>,
}

/// Scheduled backups.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Backup {
    /// Whether there are any.
    pub enabled: bool,
    /// How often.
    pub interval_hours: u32,
    /// Directory for them.
    pub path: PathBuf,
    /// How many are kept.
    pub keep: u32,
    /// Who can open them (age).
    pub recipients: Vec<String>,
}

/// Leaving.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shutdown {
    /// How long calls in flight may finish.
    pub drain_seconds: Span,
}
