//! Each part's settings, out of the configuration.

use crate::access::lockout::Lockout;
use crate::access::oidc::{self as provider, Oidc};
use crate::access::policy::{Configured, Rules};
use crate::access::role::Role;
use crate::access::switches::Switches;
use crate::alert;
use crate::base::fault::{Fault, Kind};
use crate::base::shared::Shared;
use crate::base::span::Span;
use crate::base::tier::Environment;
use crate::config::sections::{self, Mode, StdioRole};
use crate::config::{self, Config, Loaded};
use crate::fleet;
use crate::history::health::Thresholds;
use crate::host::metrics::Meter;
use crate::host::outgoing::Outgoing;
use crate::http;
use crate::http::metrics::Offered;
use crate::mcp;
use crate::plan;
use crate::tools::world::{Settings, World};
use crate::watch::retention::Keep;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;
use tokio_util::task::TaskTracker;

pub(super) fn rules(config: &Config, switches: Switches) -> Rules {
    Rules { environment: config.environment, file: Shared::new(configured(config)), switches }
}

pub(super) fn configured(config: &Config) -> Configured {
    Configured {
        read_only: config.read_only,
        tiers: config.mcp.tool_tiers.clone(),
        disabled: config.mcp.disable_tools.clone(),
        plan_apply: config.mcp.enable_plan_apply,
        permissive_reads: config.mcp.rbac_mode == Mode::Permissive,
    }
}

pub(super) fn lockout(config: &Config) -> Lockout {
    Lockout { attempts: config.auth.lockout_attempts, window: config.auth.lockout_window.0 }
}

pub(super) fn stdio_role(config: &Config) -> Role {
    match config.mcp.stdio_role {
        StdioRole::ReadOnly => Role::ReadOnly,
        StdioRole::OpsRw => Role::OpsRw,
        StdioRole::Admin => Role::Admin,
    }
}

/// The identity provider; the checks of the configuration saw to it that what it needs is there.
pub(super) fn oidc(config: &Config, world: &World) -> Option<Oidc> {
    let from = &config.oidc;
    let (issuer, client_id, audience) = (from.provider_url.clone()?, from.client_id.clone()?, from.audience.clone()?);
    let roles = from.role_map.iter().filter_map(|(value, role)| Some((value.clone(), role.parse().ok()?)));
    let settings = provider::Settings {
        issuer,
        client_id,
        client_secret: from.client_secret.clone(),
        audience,
        scopes: from.scopes.clone(),
        redirect_uri: from.redirect_uri.clone(),
        role_claim: from.role_claim.clone(),
        role_map: roles.collect(),
        device_claim: from.device_claim.clone(),
        skew: from.clock_skew_seconds.0,
    };
    let outgoing = Outgoing::new(config.environment == Environment::Lab);
    from.enabled.then(|| Oidc::new(settings, world.access.clone(), outgoing, world.clock.clone()))
}

pub(super) fn tool_settings(loaded: &Loaded) -> Settings {
    let config = &loaded.config;
    let every = config.mcp.toolsets.iter().any(|set| set == "all");
    Settings {
        toolsets: (!every).then(|| config.mcp.toolsets.clone()),
        separator: config.mcp.tool_name_separator.chars().next().unwrap_or('.'),
        warn_tokens: config.token_budget.warning_threshold,
        causes: config.debug,
        most_tokens: config.token_budget.error_threshold,
        ssh_port: config.routeros.ssh_port,
        enable_tools: config.mcp.enable_tools,
        kept_answers: config.resource_cache.max_entries,
        config: Shared::new(config::shown(&loaded.view)),
        public_url: config.http.public_url.clone(),
        door: Shared::default(),
        health: Shared::new(thresholds(&config.health_check)),
    }
}

/// When each alert is told, and where. Errs with `Config` when the authority's file cannot be used.
pub(super) fn alert_settings(config: &Config) -> Result<alert::Settings, Fault> {
    let from = &config.alert;
    let roots = match &from.ca_file {
        None => Vec::new(),
        Some(path) => {
            let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
            let wrong = || Fault::new(Kind::Config, format!("alert.ca_file: {} holds no certificate in PEM", path.display()));
            read.ok().filter(|read| !read.is_empty()).ok_or_else(wrong)?
        }
    };
    Ok(alert::Settings {
        rules: from.kinds.iter().map(|kind| (*kind, from.rule(*kind))).collect(),
        webhook: from.webhook_url.clone(),
        webhook_secret: from.webhook_secret.clone(),
        syslog: from.syslog.as_deref().filter(|text| !text.is_empty()).and_then(|text| text.parse().ok()),
        roots,
        plain_loopback: config.environment == Environment::Lab,
        certificate_days: from.certificate_days,
        disk_free_percent: from.disk_free_percent,
        unusual_factor: from.unusual_factor,
        from: alert::message::From {
            name: config.mcp.server_name.clone(),
            environment: config.environment.as_str(),
            url: config.http.public_url.clone(),
        },
    })
}

pub(super) fn plan_settings(config: &Config) -> plan::Settings {
    let from = &config.plan;
    plan::Settings {
        approval_timeout: from.approval_timeout_seconds.0,
        confirm_timeout: from.confirm_timeout.0,
        guard_timeout: from.guard_timeout.0,
        self_approval: from.self_approval == sections::SelfApproval::Lab && config.environment == Environment::Lab,
        allow_extreme: from.allow_extreme,
        max_devices: from.max_devices,
        batch_size: from.batch_size as u32,
        batch_pause: from.batch_pause_seconds.0,
    }
}

pub(super) fn thresholds(from: &sections::HealthCheck) -> Thresholds {
    Thresholds {
        cpu_percent: (from.cpu_warning_percent, from.cpu_critical_percent),
        memory_percent: (from.memory_warning_percent, from.memory_critical_percent),
        disk_percent: (from.disk_warning_percent, from.disk_critical_percent),
        celsius: (from.temperature_warning_celsius, from.temperature_critical_celsius),
        low_volts: (from.voltage_warning_volts, from.voltage_critical_volts),
        loss_percent: (from.loss_warning_percent, from.loss_critical_percent),
        clock_seconds: (from.clock_warning_seconds, from.clock_critical_seconds),
        link_downs: (from.link_downs_warning, from.link_downs_critical),
        bad_blocks_percent: (from.bad_blocks_warning_percent, from.bad_blocks_critical_percent),
    }
}

pub(super) fn mcp_settings(config: &Config, tasks: &TaskTracker) -> mcp::Settings {
    mcp::Settings {
        server_name: config.mcp.server_name.clone(),
        server_description: config.mcp.server_description.clone(),
        tools: config.mcp.enable_tools,
        resources: config.mcp.enable_resources,
        prompts: config.mcp.enable_prompts,
        max_age: if config.resource_cache.enabled { config.resource_cache.ttl_seconds.0 } else { Duration::ZERO },
        gather: config.sse.update_batch_interval_seconds.0,
        watchers: mcp::subscriptions::Watchers::new(config.sse.max_subscriptions_per_device, tasks.clone()),
        permissive: config.mcp.client_compatibility_mode == Mode::Permissive,
        log_unknown_capabilities: config.mcp.log_unknown_capabilities,
        drain: config.shutdown.drain_seconds.0,
    }
}

pub(super) fn http_settings(config: &Config) -> Result<http::Settings, Fault> {
    let (from, rate) = (&config.http, &config.rate_limit);
    let tls = match (from.tls, &from.tls_cert_file, &from.tls_key_file) {
        (sections::Tls::Off, ..) => http::tls::Source::Off,
        (sections::Tls::SelfSigned, ..) => http::tls::Source::SelfSigned,
        (sections::Tls::Files, Some(certificate), Some(key)) => {
            http::tls::Source::Files { certificate: certificate.clone(), key: key.clone() }
        }
        (sections::Tls::Acme, ..) => http::tls::Source::Acme(acme_settings(&config.acme)),
        // The checks of the configuration are there before us.
        (sections::Tls::Files, ..) => return Err(Fault::new(Kind::Config, "http.tls: no source of a certificate")),
    };
    let limits = http::Limits {
        connections: from.max_connections,
        body_bytes: from.max_body_bytes,
        sessions: from.max_sessions_per_principal,
        session_idle: config.sse.client_timeout_seconds.0,
        rates: rates(rate),
        failures: failures(rate),
        ..http::Limits::default()
    };
    Ok(http::Settings {
        host: config.mcp.http_host.clone(),
        port: config.mcp.http_port,
        base: (config.mcp.transport != sections::Transport::Stdio).then(|| config.mcp.http_base_path.clone()),
        tls,
        public_url: from.public_url.clone(),
        allowed_hosts: from.allowed_hosts.clone(),
        allowed_origins: from.allowed_origins.clone(),
        behind_proxy: from.behind_proxy,
        trusted_proxies: if from.behind_proxy { from.trusted_proxies.clone() } else { Vec::new() },
        tokens: config.auth.tokens,
        plain_cookies: from.tls == sections::Tls::Off && !from.behind_proxy,
        anonymous: config.auth.allow_anonymous_loopback.then(|| stdio_role(config)),
        metrics: match (config.metrics.enabled, config.metrics.port) {
            (false, _) => Offered::No,
            (true, 0) => Offered::Here,
            (true, port) => Offered::Apart { host: config.metrics.host.clone(), port },
        },
        limits,
        drain: config.shutdown.drain_seconds.0,
    })
}

/// Requests of one address without a good token, in a minute; 0 is unlimited.
pub(super) fn failures(from: &sections::RateLimit) -> u32 {
    if from.enabled { http::Limits::default().failures } else { 0 }
}

/// Calls of each role in a window.
pub(super) fn rates(from: &sections::RateLimit) -> Option<http::limits::Rates> {
    from.enabled.then_some(http::limits::Rates {
        read_only: from.read_only_per_minute,
        ops_rw: from.ops_rw_per_minute,
        approver: from.approver_per_minute,
        admin: from.admin_per_minute,
        window: from.window_seconds.0,
    })
}

fn acme_settings(from: &sections::Acme) -> http::acme::Settings {
    http::acme::Settings {
        domains: from.domains.iter().map(|domain| domain.to_ascii_lowercase()).collect(),
        contact: from.contact.clone().filter(|contact| !contact.is_empty()),
        directory: from.directory_url.clone(),
        proof: match from.challenge {
            sections::Challenge::TlsAlpn01 => http::acme::Proof::TlsAlpn01,
            sections::Challenge::Http01 => http::acme::Proof::Http01,
        },
        ca_file: from.ca_file.clone(),
        http_port: from.http_port,
    }
}

pub(super) fn fleet_settings(config: &Config, meter: &Meter) -> fleet::Settings {
    let from = &config.routeros;
    let verify_tls = match from.verify_tls {
        sections::VerifyTls::Pin => fleet::VerifyTls::Pin,
        sections::VerifyTls::Ca => fleet::VerifyTls::Ca,
        sections::VerifyTls::Off => fleet::VerifyTls::Off,
    };
    let routeros = fleet::Config {
        rest_timeout_seconds: seconds(from.rest_timeout_seconds),
        connect_timeout_seconds: seconds(from.connect_timeout_seconds),
        max_concurrent_per_device: from.max_concurrent_per_device as u32,
        retry_attempts: from.retry_attempts,
        retry_backoff_seconds: from.retry_backoff_seconds.0.as_secs_f64(),
        // A rate below one a second would need a lane that sleeps longer than its callers wait.
        requests_per_second: from.requests_per_second.ceil() as u32,
        ssh_port: from.ssh_port,
        verify_tls,
    };
    // Where we listen ourselves lives no router. What really listens takes the place of this once it does: ports taken at random,
    // names resolved, sockets passed.
    let own = |host: &str, port: u16| host.parse::<IpAddr>().ok().filter(|_| port != 0).map(|ip| SocketAddr::new(ip, port));
    let metrics = own(&config.metrics.host, config.metrics.port).filter(|_| config.metrics.enabled);
    let proves = config.http.tls == sections::Tls::Acme && config.acme.challenge == sections::Challenge::Http01;
    let acme = own(&config.mcp.http_host, config.acme.http_port).filter(|_| proves);
    let own_listeners = own(&config.mcp.http_host, config.mcp.http_port).into_iter().chain(metrics).chain(acme).collect();
    fleet::Settings {
        routeros,
        own_listeners: Shared::new(own_listeners),
        meter: meter.clone(),
        credentials_dir: std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from),
        ..fleet::Settings::new(config.environment)
    }
}

/// Whole seconds, at least one.
fn seconds(span: Span) -> u32 {
    span.0.as_secs().clamp(1, u64::from(u32::MAX)) as u32
}

/// How long things are kept.
pub(super) fn keep(config: &Config) -> Keep {
    let days = &config.retention;
    Keep { health_days: days.health_days, audit_days: days.audit_days, plan_days: days.plan_days, job_days: days.job_days }
}
