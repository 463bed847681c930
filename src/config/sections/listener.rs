//! The listener: who may come in, over what, and how often.

use crate::base::secret::Secret;
use crate::base::span::Span;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

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
