//! The configuration as the program uses it: a struct a section, each value typed.
//!
//! Ranges and defaults stand in `keys.rs` alone. Every field is required here, so that a key in one place and not in the other
//! fails the first test that loads anything.

use crate::base::secret::Secret;
use crate::base::span::Span;
use crate::base::tier::{Environment, Tier};
use crate::host::log::{Format, Level, Target};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

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

/// The listener.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Http {
    /// Where its certificate comes from.
    pub tls: Tls,
    /// Certificate chain, PEM.
    pub tls_cert_file: Option<PathBuf>,
    /// Private key, PEM.
    pub tls_key_file: Option<PathBuf>,
    /// A proxy in front ends TLS.
    pub behind_proxy: bool,
    /// Whose forwarding headers are believed.
    pub trusted_proxies: Vec<ipnet::IpNet>,
    /// The address clients use.
    pub public_url: Option<String>,
    /// Further Host headers.
    pub allowed_hosts: Vec<String>,
    /// Further Origin headers, in ASCII form.
    pub allowed_origins: Vec<String>,
    /// Largest request body.
    pub max_body_bytes: usize,
    /// Connections at one time.
    pub max_connections: usize,
    /// MCP sessions of one caller.
    pub max_sessions_per_principal: usize,
}

/// Source of the listener's certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tls {
    /// Plain HTTP.
    Off,
    /// Made by ourselves.
    SelfSigned,
    /// From files.
    Files,
    /// From a certificate authority.
    Acme,
}

/// Certificates by ACME.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acme {
    /// Names on the certificate.
    pub domains: Vec<String>,
    /// E-mail address for the authority.
    pub contact: Option<String>,
    /// The authority.
    pub directory_url: String,
    /// How we prove the name is ours.
    pub challenge: Challenge,
    /// Trust roots of a private authority.
    pub ca_file: Option<PathBuf>,
    /// Port of http-01 as the authority sees it.
    pub http_port: u16,
    /// Port of tls-alpn-01 as the authority sees it.
    pub external_tls_port: u16,
}

/// ACME challenges we can answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Challenge {
    /// In the TLS handshake.
    #[serde(rename = "tls-alpn-01")]
    TlsAlpn01,
    /// By a file over plain HTTP.
    #[serde(rename = "http-01")]
    Http01,
}

/// An identity provider.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Oidc {
    /// Whether its tokens are accepted.
    pub enabled: bool,
    /// The issuer.
    pub provider_url: Option<String>,
    /// Our client there.
    pub client_id: Option<String>,
    /// Its secret.
    pub client_secret: Option<Secret>,
    /// Audience that tokens must be for.
    pub audience: Option<String>,
    /// Scopes asked for at sign-in.
    pub scopes: Vec<String>,
    /// Where people come back to.
    pub redirect_uri: Option<String>,
    /// Refused outside lab.
    pub skip_verification: bool,
    /// Claim with groups, roles or scopes.
    pub role_claim: String,
    /// Value of that claim to role name.
    pub role_map: BTreeMap<String, String>,
    /// Claim that limits the caller to devices.
    pub device_claim: Option<String>,
    /// How far clocks may differ.
    pub clock_skew_seconds: Span,
}

/// Tokens, sessions and passwords.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Auth {
    /// Static API tokens are accepted.
    pub tokens: bool,
    /// Callers on loopback need no token.
    pub allow_anonymous_loopback: bool,
    /// UI sessions end after so long without a click.
    pub session_idle: Span,
    /// UI sessions end after so long in any case.
    pub session_max: Span,
    /// Wrong passwords until a lock-out.
    pub lockout_attempts: u32,
    /// Time in which they count.
    pub lockout_window: Span,
}

/// Calls over HTTP by role; 0 is unlimited.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateLimit {
    /// Whether there are limits.
    pub enabled: bool,
    /// For `read_only`.
    pub read_only_per_minute: u32,
    /// For `ops_rw`.
    pub ops_rw_per_minute: u32,
    /// For `approver`.
    pub approver_per_minute: u32,
    /// For `admin`.
    pub admin_per_minute: u32,
    /// Window they are counted in.
    pub window_seconds: Span,
}

/// Streams of notifications.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sse {
    /// Subscriptions to one device.
    pub max_subscriptions_per_device: usize,
    /// A silent stream is closed after.
    pub client_timeout_seconds: Span,
    /// Notifications are gathered for so long.
    pub update_batch_interval_seconds: Span,
}

/// Talking to routers.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Routeros {
    /// A REST request ends after.
    pub rest_timeout_seconds: Span,
    /// A connection must stand after.
    pub connect_timeout_seconds: Span,
    /// Requests in flight to one device.
    pub max_concurrent_per_device: usize,
    /// Retries of reads and of steps proven idempotent.
    pub retry_attempts: u32,
    /// Wait before the first retry; doubles.
    pub retry_backoff_seconds: Span,
    /// Requests a second to one device; need not be whole.
    pub requests_per_second: f64,
    /// SSH port of devices that name none.
    pub ssh_port: u16,
    /// Our password on each router is changed when it is so old; 0 is never.
    pub rotate_credentials_days: u32,
    /// How routers prove who they are.
    pub verify_tls: VerifyTls,
}

/// How routers prove who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VerifyTls {
    /// By the fingerprint we pinned.
    Pin,
    /// By a certificate authority.
    Ca,
    /// Not at all.
    Off,
}

/// Regular health checks.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HealthCheck {
    /// Whether there are any.
    pub enabled: bool,
    /// How often.
    pub interval_seconds: Span,
    /// Spread over so long.
    pub jitter_seconds: Span,
    /// CPU load that is a warning.
    pub cpu_warning_percent: u8,
    /// CPU load that is critical.
    pub cpu_critical_percent: u8,
    /// Memory in use that is a warning.
    pub memory_warning_percent: u8,
    /// Memory in use that is critical.
    pub memory_critical_percent: u8,
    /// Storage in use that is a warning.
    pub disk_warning_percent: u8,
    /// Storage in use that is critical.
    pub disk_critical_percent: u8,
    /// Heat of the hottest sensor that is a warning.
    pub temperature_warning_celsius: i16,
    /// Heat of the hottest sensor that is critical.
    pub temperature_critical_celsius: i16,
    /// Supply below this is a warning.
    pub voltage_warning_volts: u8,
    /// Supply below this is critical.
    pub voltage_critical_volts: u8,
    /// Unanswered looks within an hour that are a warning.
    pub loss_warning_percent: u8,
    /// Unanswered looks within an hour that are critical.
    pub loss_critical_percent: u8,
    /// Clock away from ours that is a warning.
    pub clock_warning_seconds: u32,
    /// Clock away from ours that is critical.
    pub clock_critical_seconds: u32,
    /// Links lost within an hour that are a warning.
    pub link_downs_warning: u32,
    /// Links lost within an hour that are critical.
    pub link_downs_critical: u32,
    /// Bad blocks of flash that are a warning.
    pub bad_blocks_warning_percent: u8,
    /// Bad blocks of flash that are critical.
    pub bad_blocks_critical_percent: u8,
}

/// History of devices' configurations.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    /// Whether it is kept.
    pub enabled: bool,
    /// How often.
    pub interval_seconds: Span,
    /// How many of each device.
    pub keep: u32,
}

/// How long records are kept, in days.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    /// Health samples.
    pub health_days: u32,
    /// Audit records.
    pub audit_days: u32,
    /// Finished plans.
    pub plan_days: u32,
    /// Finished jobs.
    pub job_days: u32,
}

/// Safe change.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// How long an approval holds.
    pub approval_timeout_seconds: Span,
    /// How long a router waits for `confirm` before it undoes a plan by itself.
    pub confirm_timeout: Span,
    /// The same for plans that confirm themselves.
    pub guard_timeout: Span,
    /// Whether a lone operator may approve own plans in lab.
    pub self_approval: SelfApproval,
    /// Whether extreme edits can be planned at all.
    pub allow_extreme: bool,
    /// Devices in one plan.
    pub max_devices: usize,
    /// Devices changed side by side.
    pub batch_size: usize,
    /// Pause between batches.
    pub batch_pause_seconds: Span,
}

/// Whether authors may approve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SelfApproval {
    /// Never.
    Off,
    /// In environment lab.
    Lab,
}

/// Prometheus metrics.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metrics {
    /// Whether they are offered.
    pub enabled: bool,
    /// Own port; 0 is the same listener.
    pub port: u16,
    /// Address of that port.
    pub host: String,
    /// Label metrics with device ids.
    pub device_labels: bool,
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
