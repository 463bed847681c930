//! Every key of the configuration, in the order of the example file.

pub(super) use super::key::Key;
use super::key::{Item, Kind, Strict, key};

const ENVIRONMENTS: &[&str] = &["lab", "staging", "prod"];
const TIERS: &[&str] = &["free", "basic", "professional"];
const TOOLSETS: &[&str] =
    &["core", "system", "interface", "ip", "routing", "firewall", "wireless", "vpn", "diagnose", "config", "security", "all"];

const ALERTS: &[&str] = &[
    "plan_waiting",
    "device_down",
    "guard_fired",
    "plan_attention",
    "update_available",
    "certificate_expiring",
    "backup_failed",
    "disk_low",
    "unusual_use",
];

const YEARS_DAYS: i64 = 3_650;

/// All keys.
#[rustfmt::skip] // a table: a key a line reads better than a chain a line
pub const KEYS: &[Key] = &[
    key("environment", Kind::Word(ENVIRONMENTS), "Where this appliance belongs; a device whose environment differs is never touched")
        .by("lab", "staging", "prod").alias(&["MCP_ENV"]).guard(Strict::Later(ENVIRONMENTS)),
    key("debug", Kind::Flag, "Errors carry what the log says of their causes, for developers; refused in prod").is("false"),
    key("encryption_key", Kind::SecretKey, "Master key that seals stored secrets; outside prod made in <state dir>/master.key when not given, in prod a source is required")
        .guard(Strict::Never),
    key("read_only", Kind::Flag, "Nothing that changes a router, by any route").is("false").guard(Strict::More).live(),

    key("log.level", Kind::Word(&["ERROR", "WARN", "INFO", "DEBUG", "TRACE"]), "Least important line that is written").is("INFO").live(),
    key("log.format", Kind::Word(&["json", "text"]), "How a line on standard error looks").is("json"),
    key("log.target", Kind::Word(&["auto", "stderr", "journald"]), "Where lines go; auto is journald when systemd started the process, else stderr").is("auto"),

    key("store.path", Kind::Path, "The store's file").below_state("routeros-mcp.redb"),
    key("store.cache_mb", Kind::Int(1, 256, "MiB"), "Memory for the store's cache").is("4"),
    key("store.flush_interval", Kind::Span(1, 300), "How long records that may wait are kept in memory").is("5s"),
    key("store.flash_saver", Kind::Word(&["auto", "on", "off"]), "Write less often, for SD cards and flash; auto: on raw flash (jffs2, ubifs)").is("auto"),
    key("store.volatile", Kind::Flag, "Allow state on tmpfs; no credentials are kept then").is("false"),

    key("mcp.transport", Kind::Word(&["stdio", "http", "both"]), "How MCP is spoken; http and both mount it on the listener")
        .is("stdio").alias(&["MCP_TRANSPORT", "MCP_TRANSPORT_MODE"]),
    key("mcp.server_name", Kind::Name, "Name shown to MCP clients").is("routeros-mcp").alias(&["MCP_SERVER_NAME"]),
    key("mcp.server_description", Kind::Text, "Description shown to MCP clients")
        .is("Looks after MikroTik RouterOS devices, safely").alias(&["MCP_SERVER_DESCRIPTION"]),
    key("mcp.http_host", Kind::Host, "Address to listen on; not loopback needs TLS (or http.behind_proxy) and authentication")
        .is("127.0.0.1").alias(&["MCP_HTTP_HOST"]),
    key("mcp.http_port", Kind::Int(0, 65_535, ""), "Port to listen on; 0 takes any free one").is("8080").alias(&["MCP_HTTP_PORT"]),
    key("mcp.http_base_path", Kind::Route, "Where MCP is mounted").is("/mcp").alias(&["MCP_HTTP_BASE_PATH"]),
    key("mcp.enable_tools", Kind::Flag, "Offer tools").is("true").alias(&["MCP_ENABLE_TOOLS"]),
    key("mcp.enable_resources", Kind::Flag, "Offer resources").is("true").alias(&["MCP_ENABLE_RESOURCES"]),
    key("mcp.enable_prompts", Kind::Flag, "Offer prompts").is("true").alias(&["MCP_ENABLE_PROMPTS"]),
    key("mcp.tool_tiers", Kind::List(Item::Word(TIERS)), "Tiers that may be used at all").is("free,basic,professional").alias(&["MCP_TOOL_TIERS"]).live(),
    key("mcp.default_tool_tier", Kind::Word(TIERS), "Without effect: every role has its tiers; accepted for older files").is("free").alias(&["MCP_DEFAULT_TOOL_TIER"]),
    key("mcp.toolsets", Kind::List(Item::Word(TOOLSETS)), "Groups of tools that are listed").is("core,system,diagnose"),
    key("mcp.disable_tools", Kind::List(Item::Tool), "Tools that are off").is("").alias(&["MCP_DISABLE_TOOLS"]).live(),
    key("mcp.enable_plan_apply", Kind::Flag, "Whether approved plans may be applied").is("true").alias(&["MCP_ENABLE_PLAN_APPLY"]).live(),
    key("mcp.tool_name_separator", Kind::Word(&[".", "_"]), "Which spelling of tool names is listed").is("."),
    key("mcp.client_compatibility_mode", Kind::Word(&["strict", "permissive"]), "Permissive tolerates known quirks of clients")
        .by("permissive", "strict", "strict").alias(&["MCP_CLIENT_COMPATIBILITY_MODE"]),
    key("mcp.log_unknown_capabilities", Kind::Flag, "Log what a client brings as experimental or as an extension when it initializes a session").is("true").alias(&["MCP_LOG_UNKNOWN_CAPABILITIES"]),
    key("mcp.rbac_mode", Kind::Word(&["strict", "permissive"]), "Permissive logs denied reads and lets them pass; refused in prod")
        .is("strict").alias(&["MCP_RBAC_MODE"]).guard(Strict::Later(&["permissive", "strict"])).live(),
    key("mcp.stdio_role", Kind::Word(&["read_only", "ops_rw", "admin"]), "Who the local stdio client is")
        .is("ops_rw").guard(Strict::Later(&["admin", "ops_rw", "read_only"])),

    key("token_budget.warning_threshold", Kind::Int(100, 1_000_000, "tokens"), "Answers above it carry a warning")
        .is("5000").alias(&["MCP_TOKEN_BUDGET_WARNING_THRESHOLD"]),
    key("token_budget.error_threshold", Kind::Int(100, 1_000_000, "tokens"), "Answers above it are cut to a page or refused")
        .is("50000").alias(&["MCP_TOKEN_BUDGET_ERROR_THRESHOLD"]),

    key("resource_cache.enabled", Kind::Flag, "Keep answers of resources for a while").is("true").alias(&["MCP_RESOURCE_CACHE_ENABLED"]),
    key("resource_cache.ttl_seconds", Kind::Int(10, 3_600, "seconds"), "How long").is("300").alias(&["MCP_RESOURCE_CACHE_TTL_SECONDS"]),
    key("resource_cache.max_entries", Kind::Int(10, 10_000, "entries"), "How many").is("1000").alias(&["MCP_RESOURCE_CACHE_MAX_ENTRIES"]),

    key("http.tls", Kind::Word(&["off", "self-signed", "files", "acme"]), "Where the listener's certificate comes from").is("off"),
    key("http.tls_cert_file", Kind::Path, "Certificate chain in PEM, for tls = \"files\"; read again when it changes"),
    key("http.tls_key_file", Kind::Path, "Its private key in PEM"),
    key("http.behind_proxy", Kind::Flag, "A proxy in front ends TLS").is("false"),
    key("http.trusted_proxies", Kind::List(Item::Net), "Whose X-Forwarded-For, X-Forwarded-Proto and Forwarded are believed").is(""),
    key("http.public_url", Kind::Url, "The address clients use: resource identifier, allowed Host and Origin"),
    key("http.allowed_hosts", Kind::List(Item::Text), "Further Host headers; public_url and the bind address always count").is(""),
    key("http.allowed_origins", Kind::List(Item::Origin), "Further Origin headers").is(""),
    key("http.max_body_bytes", Kind::Size(1 << 10, 64 << 20), "Largest request body").is("1MiB"),
    key("http.max_connections", Kind::Int(1, 10_000, "connections"), "Connections at one time").is("256"),
    key("http.max_sessions_per_principal", Kind::Int(1, 1_000, "sessions"), "MCP sessions of one caller").is("16"),

    key("acme.domains", Kind::List(Item::Text), "Names on the certificate, each leading here; no addresses, no wildcards").is(""),
    key("acme.contact", Kind::Text, "E-mail address for the certificate authority"),
    key("acme.directory_url", Kind::Secure, "The certificate authority; one that wants no account made elsewhere (EAB)").is("https://acme-v02.api.letsencrypt.org/directory"),
    key("acme.challenge", Kind::Word(&["tls-alpn-01", "http-01"]), "How we prove the name is ours").is("tls-alpn-01"),
    key("acme.ca_file", Kind::Path, "Root of a private certificate authority, PEM; then no others count"),
    key("acme.http_port", Kind::Int(1, 65_535, ""), "Where http-01 is answered; authorities call port 80").is("80"),
    key("acme.external_tls_port", Kind::Int(1, 65_535, ""), "Port that the authority calls for tls-alpn-01; set it, even to 443, when that is forwarded to mcp.http_port").is("443"),

    key("oidc.enabled", Kind::Flag, "Accept access tokens of an identity provider").is("false").guard(Strict::More),
    key("oidc.provider_url", Kind::Remote, "The issuer, exactly as in its tokens").alias(&["OIDC_ISSUER"]).guard(Strict::Never),
    key("oidc.client_id", Kind::Text, "Our client there, for sign-in to the UI").alias(&["OIDC_CLIENT_ID"]).guard(Strict::Never),
    key("oidc.client_secret", Kind::Secret, "Its secret").alias(&["OIDC_CLIENT_SECRET"]).guard(Strict::Never),
    key("oidc.audience", Kind::Text, "Audience that tokens must be for").guard(Strict::Never),
    key("oidc.scopes", Kind::List(Item::Text), "Scopes asked for at sign-in").is("openid,profile,email").guard(Strict::Never),
    key("oidc.redirect_uri", Kind::Url, "Where the provider sends people back to; <public_url>/admin/api/v1/session/oidc/callback unless set").alias(&["OIDC_REDIRECT_URI"]).guard(Strict::Never),
    key("oidc.skip_verification", Kind::Flag, "Refused outside lab, and without effect there: tokens are always verified").is("false").guard(Strict::Less),
    key("oidc.role_claim", Kind::Name, "Claim with groups, roles or scopes; dotted path or URL").is("roles").guard(Strict::Never),
    key("oidc.role_map", Kind::Roles, "Value of that claim to role; no match is no access").is("").guard(Strict::Never),
    key("oidc.device_claim", Kind::Text, "Claim that limits the caller to devices").guard(Strict::Never),
    key("oidc.clock_skew_seconds", Kind::Int(0, 300, "seconds"), "How far clocks may differ").is("30").guard(Strict::Less),

    key("auth.tokens", Kind::Flag, "Accept static API tokens").is("true").guard(Strict::Less),
    key("auth.allow_anonymous_loopback", Kind::Flag, "Let programs on this machine in without a token, as mcp.stdio_role; refused in prod and behind a proxy").is("false").guard(Strict::Less),
    key("auth.session_idle", Kind::Span(60, 30 * 86_400), "UI sessions end after so long without a click").by("12h", "12h", "1h").guard(Strict::Less),
    key("auth.session_max", Kind::Span(300, 30 * 86_400), "UI sessions end after so long in any case").is("24h").guard(Strict::Less),
    key("auth.lockout_attempts", Kind::Int(1, 100, "attempts"), "Wrong passwords until a lock-out").is("5").guard(Strict::Less),
    key("auth.lockout_window", Kind::Span(60, 86_400), "Time in which they count, and length of the lock-out").is("15m").guard(Strict::More),

    key("rate_limit.enabled", Kind::Flag, "Limit calls over HTTP").is("true").live(),
    key("rate_limit.read_only_per_minute", Kind::Int(0, 1_000_000, "calls, 0 is unlimited"), "For role read_only").is("300").live(),
    key("rate_limit.ops_rw_per_minute", Kind::Int(0, 1_000_000, "calls, 0 is unlimited"), "For role ops_rw").is("120").live(),
    key("rate_limit.approver_per_minute", Kind::Int(0, 1_000_000, "calls, 0 is unlimited"), "For role approver").is("120").live(),
    key("rate_limit.admin_per_minute", Kind::Int(0, 1_000_000, "calls, 0 is unlimited"), "For role admin").is("0").live(),
    key("rate_limit.window_seconds", Kind::Int(1, 3_600, "seconds"), "Window the limits are counted in").is("60").live(),

    key("sse.max_subscriptions_per_device", Kind::Int(1, 10_000, "subscriptions"), "Subscriptions to one device").is("100"),
    key("sse.client_timeout_seconds", Kind::Int(10, 86_400, "seconds"), "A silent stream is closed after").is("1800"),
    key("sse.update_batch_interval_seconds", Kind::Real(0.1, 60.0, "seconds"), "Notifications are gathered for so long").is("1.0"),

    key("routeros.rest_timeout_seconds", Kind::Real(1.0, 60.0, "seconds"), "A REST request ends after; the router itself gives up at 60").is("10"),
    key("routeros.connect_timeout_seconds", Kind::Real(0.1, 60.0, "seconds"), "A connection must stand after; SSH may take three times that to exchange keys").is("3"),
    key("routeros.max_concurrent_per_device", Kind::Int(1, 10, "requests"), "Requests in flight to one device").is("2"),
    key("routeros.retry_attempts", Kind::Int(0, 10, "attempts"), "Retries of reads and of steps proven idempotent").is("3"),
    key("routeros.retry_backoff_seconds", Kind::Real(0.0, 60.0, "seconds"), "Wait before the first retry; doubles").is("1.0"),
    key("routeros.requests_per_second", Kind::Real(0.1, 1_000.0, "requests"), "Requests a second to one device; below 1 counts as 1").is("5"),
    key("routeros.ssh_port", Kind::Int(1, 65_535, ""), "SSH port of devices that name none").is("22"),
    key("routeros.rotate_credentials_days", Kind::Int(0, 3_650, "days, 0 is never"), "Our password on each router is changed when it is so old").is("0"),
    key("routeros.verify_tls", Kind::Word(&["pin", "ca", "off"]), "How routers prove who they are; off is refused in prod")
        .is("pin").guard(Strict::Later(&["off", "ca", "pin"])),

    key("health_check.enabled", Kind::Flag, "Ask each device for its health from time to time").is("true"),
    key("health_check.interval_seconds", Kind::Int(10, 3_600, "seconds"), "How often; slower when steady or unreachable").is("60"),
    key("health_check.jitter_seconds", Kind::Int(0, 600, "seconds"), "Spread over so long").is("10"),
    key("health_check.cpu_warning_percent", Kind::Int(1, 100, "percent"), "CPU load that is a warning").is("75").live(),
    key("health_check.cpu_critical_percent", Kind::Int(1, 100, "percent"), "CPU load that is critical").is("90").live(),
    key("health_check.memory_warning_percent", Kind::Int(1, 100, "percent"), "Memory in use that is a warning").is("80").live(),
    key("health_check.memory_critical_percent", Kind::Int(1, 100, "percent"), "Memory in use that is critical").is("92").live(),
    key("health_check.disk_warning_percent", Kind::Int(1, 100, "percent"), "Storage in use that is a warning").is("85").live(),
    key("health_check.disk_critical_percent", Kind::Int(1, 100, "percent"), "Storage in use that is critical").is("95").live(),
    key("health_check.temperature_warning_celsius", Kind::Int(1, 150, "degrees Celsius"), "Heat of the hottest sensor that is a warning").is("70").live(),
    key("health_check.temperature_critical_celsius", Kind::Int(1, 150, "degrees Celsius"), "Heat of the hottest sensor that is critical").is("85").live(),
    key("health_check.voltage_warning_volts", Kind::Int(0, 60, "volts, 0 is never"), "Supply below this is a warning").is("10").live(),
    key("health_check.voltage_critical_volts", Kind::Int(0, 60, "volts, 0 is never"), "Supply below this is critical").is("8").live(),
    key("health_check.loss_warning_percent", Kind::Int(1, 100, "percent"), "Looks within the last hour without an answer that are a warning").is("10").live(),
    key("health_check.loss_critical_percent", Kind::Int(1, 100, "percent"), "Looks within the last hour without an answer that are critical").is("50").live(),
    key("health_check.clock_warning_seconds", Kind::Int(5, 2_000_000_000, "seconds"), "Difference of the router's clock and ours that is a warning").is("120").live(),
    key("health_check.clock_critical_seconds", Kind::Int(5, 2_000_000_000, "seconds"), "Difference of the router's clock and ours that is critical").is("2592000").live(),
    key("health_check.link_downs_warning", Kind::Int(1, 1_000_000, "times"), "Links lost within the last hour that are a warning").is("4").live(),
    key("health_check.link_downs_critical", Kind::Int(1, 1_000_000, "times"), "Links lost within the last hour that are critical").is("20").live(),
    key("health_check.bad_blocks_warning_percent", Kind::Int(1, 100, "percent"), "Bad blocks of flash that are a warning").is("1").live(),
    key("health_check.bad_blocks_critical_percent", Kind::Int(1, 100, "percent"), "Bad blocks of flash that are critical").is("5").live(),

    key("snapshot.enabled", Kind::Flag, "Keep a history of each device's configuration").is("true"),
    key("snapshot.interval_seconds", Kind::Int(300, 604_800, "seconds"), "How often; sooner after a change").is("86400"),
    key("snapshot.keep", Kind::Int(1, 1_000, "snapshots"), "How many of each device, and its baseline").is("30"),

    key("retention.health_days", Kind::Int(1, YEARS_DAYS, "days"), "Health samples").is("30"),
    key("retention.audit_days", Kind::Int(1, YEARS_DAYS, "days"), "Audit records in the trail, then in archives beside it; at least 365 in prod").is("365"),
    key("retention.plan_days", Kind::Int(1, YEARS_DAYS, "days"), "Finished plans").is("90"),
    key("retention.job_days", Kind::Int(1, YEARS_DAYS, "days"), "What finished jobs did on each device").is("30"),

    key("plan.approval_timeout_seconds", Kind::Int(60, 86_400, "seconds"), "How long an approval holds")
        .is("900").alias(&["MCP_PLAN_APPROVAL_TIMEOUT_SECONDS"]).guard(Strict::Less),
    key("plan.confirm_timeout", Kind::Span(30, 3_600), "How long a router waits for confirm before it undoes a plan by itself").is("10m").guard(Strict::Less),
    key("plan.guard_timeout", Kind::Span(30, 3_600), "The same for plans that confirm themselves").is("90s").guard(Strict::Less),
    key("plan.self_approval", Kind::Word(&["off", "lab"]), "Whether a lone operator may approve own plans in lab").is("off").guard(Strict::Later(&["lab", "off"])),
    key("plan.allow_extreme", Kind::Flag, "Whether extreme edits can be planned at all").is("false").guard(Strict::Less),
    key("plan.max_devices", Kind::Int(1, 50, "devices"), "Devices in one plan").is("50").guard(Strict::Less),
    key("plan.batch_size", Kind::Int(1, 50, "devices"), "Devices changed side by side").is("5").guard(Strict::Less),
    key("plan.batch_pause_seconds", Kind::Int(0, 3_600, "seconds"), "Pause between batches").is("60").guard(Strict::More),

    key("metrics.enabled", Kind::Flag, "Offer Prometheus metrics").is("true"),
    key("metrics.port", Kind::Int(0, 65_535, ""), "Own port for them; 0 is the same listener").is("0"),
    key("metrics.host", Kind::Host, "Address of that port").is("127.0.0.1"),
    key("metrics.device_labels", Kind::Flag, "Label metrics with device ids").is("true"),

    key("alert.webhook_url", Kind::Secret, "Where alerts are posted as JSON: an https address; shown nowhere, for some receivers keep a key in it"),
    key("alert.webhook_secret", Kind::Secret, "What signs them, 16 characters or more; may be put on the page instead, sealed in the store"),
    key("alert.syslog", Kind::Text, "Where alerts are written: udp://host:514, tcp://host:514, tls://host:6514 or unix:/dev/log"),
    key("alert.ca_file", Kind::Path, "Root of a private certificate authority of these receivers, PEM; beside the system's"),
    key("alert.kinds", Kind::List(Item::Word(ALERTS)), "Which alerts are told").is("plan_waiting,device_down,guard_fired,plan_attention,update_available,certificate_expiring,backup_failed,disk_low,unusual_use"),
    key("alert.certificate_days", Kind::Int(1, 365, "days"), "A certificate that ends within this is told").is("14"),
    key("alert.disk_free_percent", Kind::Int(1, 90, "percent"), "Less room than this where the store is, is told").is("5"),
    key("alert.unusual_factor", Kind::Real(1.5, 1_000.0, "times"), "So many times a caller's busiest hour is unusual; never below 60 writes or 30 denials an hour").is("5"),
    key("alert.plan_waiting_for", Kind::Span(0, 86_400), "A plan waits for approval: told when it lasts so long").is("10s"),
    key("alert.plan_waiting_cooldown", Kind::Span(0, 30 * 86_400), "And of the same not again within").is("0s"),
    key("alert.device_down_for", Kind::Span(0, 86_400), "A router does not answer, or is not the one it was: told when it lasts so long").is("2m"),
    key("alert.device_down_cooldown", Kind::Span(0, 30 * 86_400), "And of the same not again within").is("15m"),
    key("alert.guard_fired_cooldown", Kind::Span(0, 30 * 86_400), "A router took a change back by itself: told at once, and of the same plan not again within").is("10m"),
    key("alert.plan_attention_for", Kind::Span(0, 86_400), "A router is neither as it was nor as planned: told when it lasts so long").is("0s"),
    key("alert.plan_attention_cooldown", Kind::Span(0, 30 * 86_400), "And of the same not again within").is("1h"),
    key("alert.update_available_for", Kind::Span(0, 86_400), "A newer version is known: told when it lasts so long").is("0s"),
    key("alert.update_available_cooldown", Kind::Span(0, 30 * 86_400), "And of the same not again within").is("1d"),
    key("alert.certificate_expiring_for", Kind::Span(0, 86_400), "The listener's certificate ends within alert.certificate_days: told when it lasts so long").is("0s"),
    key("alert.certificate_expiring_cooldown", Kind::Span(0, 30 * 86_400), "And of the same not again within").is("1d"),
    key("alert.backup_failed_for", Kind::Span(0, 86_400), "The last backup failed: told when it lasts so long").is("0s"),
    key("alert.backup_failed_cooldown", Kind::Span(0, 30 * 86_400), "And of the same not again within").is("6h"),
    key("alert.disk_low_for", Kind::Span(0, 86_400), "Less than alert.disk_free_percent is free where the store is: told when it lasts so long").is("5m"),
    key("alert.disk_low_cooldown", Kind::Span(0, 30 * 86_400), "And of the same not again within").is("6h"),
    key("alert.unusual_use_for", Kind::Span(0, 86_400), "A caller writes or is denied more than alert.unusual_factor times as often as in its busiest hour: told when it lasts so long").is("0s"),
    key("alert.unusual_use_cooldown", Kind::Span(0, 30 * 86_400), "And of the same not again within").is("1h"),

    key("update.check", Kind::Flag, "Look for newer versions; nothing is ever applied by itself").is("false").guard(Strict::Less),
    key("update.url", Kind::Remote, "Where releases are").guard(Strict::Never),
    key("update.channel", Kind::Name, "Which releases").is("stable").guard(Strict::Never),
    key("update.interval_hours", Kind::Int(1, 720, "hours"), "How often to look").is("24").guard(Strict::Less),
    key("update.public_keys", Kind::List(Item::Text), "Further keys that may sign releases").is("").guard(Strict::Never),

    key("backup.enabled", Kind::Flag, "Back up on a schedule").is("false"),
    key("backup.interval_hours", Kind::Int(1, 8_760, "hours"), "How often").is("24"),
    key("backup.path", Kind::Path, "Directory for backups").below_state("backups"),
    key("backup.keep", Kind::Int(1, 1_000, "backups"), "How many").is("7"),
    key("backup.recipients", Kind::List(Item::Recipient), "Who can open them").is(""),

    key("shutdown.drain_seconds", Kind::Int(0, 3_600, "seconds"), "How long calls in flight may finish at shutdown").is("30"),
];

/// Environment variables of the operator's earlier service that no key takes over.
pub const RETIRED: &[Retired] = &[
    Retired { name: "MCP_ENABLE_SAMPLING", prefix: false, instead: "sampling is deprecated by the protocol; take it out" },
    Retired { name: "DATABASE_URL", prefix: false, instead: DATABASE },
    Retired { name: "DATABASE_POOL_SIZE", prefix: false, instead: DATABASE },
    Retired { name: "ROUTEROS_MCP_DATABASE_", prefix: true, instead: DATABASE },
    Retired {
        name: "ROUTEROS_MCP_REDIS_",
        prefix: true,
        instead: "sessions and caches live in the process (resource_cache.*, http.max_sessions_per_principal); there is no Redis",
    },
];

const DATABASE: &str = "the store is one file on this box: see store.path and store.cache_mb; there is no database server or pool";

/// A variable without effect.
#[derive(Debug, Clone, Copy)]
pub struct Retired {
    /// Its name, or how its name begins.
    pub name: &'static str,
    /// Whether `name` is only the beginning.
    pub prefix: bool,
    /// What replaces it.
    pub instead: &'static str,
}

/// Checked against our own version; sets nothing.
pub const SERVER_VERSION: &str = "MCP_SERVER_VERSION";
/// Names the configuration file.
pub const CONFIG_FILE: &str = "ROUTEROS_MCP_CONFIG_FILE";

/// The key of this full name.
pub fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

/// Whether keys begin with this section name.
pub fn is_section(name: &str) -> bool {
    KEYS.iter().any(|key| key.parts().0 == name && !name.is_empty())
}
