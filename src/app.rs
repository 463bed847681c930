//! Wiring: builds every part from its configuration in dependency order, and shuts them down in reverse.

use crate::access::local::Access;
use crate::access::lockout::Lockout;
use crate::access::oidc::{self, Oidc};
use crate::access::policy::Rules;
use crate::access::principal::Principal;
use crate::access::role::Role;
use crate::access::session::Sessions;
use crate::audit::{self, Audit, Format};
use crate::base::clock::{Clock, Wall};
use crate::base::events::Bus;
use crate::base::fault::{Fault, Kind};
use crate::base::ids::{hex, random};
use crate::base::span::Span;
use crate::base::tier::Environment;
use crate::config::sections::{self, Mode, StdioRole};
use crate::config::{Config, Loaded};
use crate::control::{self, Control, Handles};
use crate::dispatch::Dispatch;
use crate::fleet::{self, Fleet, Parts};
use crate::history::config::Shelf;
use crate::history::health::Thresholds;
use crate::history::series::History;
use crate::host::metrics::Meter;
use crate::host::outgoing::Outgoing;
use crate::host::paths::Places;
use crate::host::sockets::Sockets;
use crate::http;
use crate::http::metrics::Offered;
use crate::mcp;
use crate::plan::{self, Engine};
use crate::store::{Batch, Durability, Epoch, Options, Place, Seal, Store, Vault, seal};
use crate::tools::context::{Settings, World};
use crate::tools::diagnose::limits::Limits;
use crate::tools::plan::Live;
use crate::tools::spec::Audience;
use crate::watch;
use futures_util::future::BoxFuture;
use serde_json::{Map, Value, json};
use std::fs::OpenOptions;
use std::io::{BufWriter, Write};
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use zeroize::Zeroizing;

/// The whole appliance in this process.
pub struct App {
    /// Takes every call.
    pub dispatch: Arc<Dispatch>,
    /// What was configured.
    pub config: Arc<Config>,
    /// Where things are.
    pub places: Places,
    /// Ends everything.
    pub stop: CancellationToken,
    /// Whatever runs beside the calls.
    pub tasks: TaskTracker,
    /// What the service manager opened for us; whoever listens takes its own.
    pub sockets: Sockets,
    mcp: Arc<mcp::Settings>,
    seal: Arc<Seal>,
    oidc: Option<Oidc>,
    store_is_older: bool,
}

impl App {
    /// Opens the store and builds every part over it. `Conflict` when another process holds the store.
    pub async fn build(loaded: &Loaded) -> Result<App, Fault> {
        App::build_on(loaded, Clock::system()).await
    }

    /// As `build`, on another clock: for a demonstration whose time passes faster.
    pub async fn build_on(loaded: &Loaded, clock: Clock) -> Result<App, Fault> {
        let config = Arc::new(loaded.config.clone());
        let places = places(loaded);
        places.create()?;
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let meter = meter(&config);
        let store = open_store(loaded, &meter).await?;
        // Volatile state loses its key with the rest; it keeps no credentials anyway.
        let master = match config.master_key() {
            Some(key) => key,
            None if seal::is_sealed(&store)? && !places.master_key().exists() => return Err(no_key(&places)),
            None => seal::load_or_create_master(&places.master_key())?,
        };
        let seal = Arc::new(Seal::new(&master));
        seal::check_canary(&store, &seal).await?;
        let audit = Audit::open(&audit_dir(&places), clock.clone(), audit::Options { meter: meter.clone(), ..audit::Options::default() })?;
        let fleet = Fleet::open(Parts {
            store: store.clone(),
            seal: Seal::new(&master),
            clock: clock.clone(),
            bus: Bus::default(),
            settings: fleet_settings(&config, &meter),
        })?;
        let epoch = Arc::new(Epoch::open(store.clone(), &places.epoch())?);
        if epoch.is_older() {
            tracing::error!(
                "this store is older than what was done with it: it was restored or rolled back. Plans that were being applied need a person, approvals are void"
            );
        }
        let store_is_older = epoch.is_older();
        let vault = Vault::new(store.clone(), Seal::new(&master), clock.clone());
        let live = Live { fleet: fleet.clone(), store: store.clone(), clock: clock.clone(), rules: rules(&config), vault: vault.clone() };
        let plans = Engine::open(plan::Parts {
            store: store.clone(),
            fleet: fleet.clone(),
            audit: audit.clone(),
            clock: clock.clone(),
            rules: rules(&config),
            seal: Seal::new(&master),
            settings: plan_settings(&config),
            tasks: tasks.clone(),
            stop: stop.clone(),
            drafter: Arc::new(live),
            store_rolled_back: epoch.is_older(),
        })?;
        let history = History::new(store.clone());
        let configs = Shelf::new(store.clone(), config.snapshot.keep as usize);
        let world = Arc::new(World {
            fleet,
            audit,
            history,
            configs,
            access: Access::new(store.clone(), Seal::new(&master), clock.clone(), lockout(&config)).with_meter(meter.clone()),
            plans: plans.with_epoch(epoch),
            vault,
            store,
            clock,
            rules: rules(&config),
            diagnostics: Limits::default(),
            settings: settings(&config),
        });
        let mcp = Arc::new(mcp_settings(&config, &tasks));
        let oidc = oidc(&config, &world);
        let sockets = Sockets::from_process();
        Ok(App { dispatch: Arc::new(Dispatch::new(world)), config, places, stop, tasks, sockets, mcp, seal, oidc, store_is_older })
    }

    /// Opens the control socket and starts background work. Last: nobody may call before everything stands.
    pub async fn open_doors(&self) -> Result<(), Fault> {
        if self.store_is_older {
            // Who was signed out since would be signed in again.
            self.sessions().end_all().await?;
        }
        // What a crash left is taken in hand before anybody can ask for more.
        self.plans().resume().await?;
        let handles = Handles {
            dispatch: self.dispatch.clone(),
            settings: self.mcp.clone(),
            stdio_principal: Arc::new(self.stdio_principal()),
            ops: Arc::new(self.ops()),
            data_dir: self.places.state.clone(),
        };
        Control::bind(&self.places.control_socket(), handles, &self.tasks, self.stop.clone()).await?;
        if self.config.health_check.enabled {
            let every = self.config.health_check.interval_seconds.0;
            let jitter = self.config.health_check.jitter_seconds.0;
            watch::health::start(self.dispatch.world().clone(), every, jitter, &self.tasks, &self.stop);
        }
        watch::meter::start(self.dispatch.world().meter().clone(), &self.tasks, &self.stop);
        watch::retention::start(self.dispatch.world().clone(), self.config.retention.health_days, &self.tasks, &self.stop);
        watch::plans::start(self.dispatch.world().clone(), self.config.retention.plan_days, &self.tasks, &self.stop);
        watch::rotation::start(self.dispatch.clone(), self.config.routeros.rotate_credentials_days, &self.tasks, &self.stop);
        if self.config.snapshot.enabled {
            watch::snapshot::start(self.dispatch.clone(), self.config.snapshot.interval_seconds.0, &self.tasks, &self.stop);
        }
        Ok(())
    }

    /// Opens the HTTP listener: the daemon's, beside the control socket. Works until the appliance stops.
    pub async fn listen(&self) -> Result<http::Listener, Fault> {
        self.listen_for(mcp::Appliance::new(self.dispatch.clone(), self.mcp.clone())).await
    }

    /// The same with MCP answered by another provider.
    pub async fn listen_for(&self, provider: impl mcp::Provider) -> Result<http::Listener, Fault> {
        if let Some(oidc) = &self.oidc {
            oidc.start(&self.tasks, &self.stop);
        }
        let parts = http::Parts {
            dispatch: self.dispatch.clone(),
            mcp: self.mcp.clone(),
            seal: self.seal.clone(),
            sockets: self.sockets.clone(),
            oidc: self.oidc.clone(),
            sessions: self.sessions(),
        };
        http::Listener::bind(provider, parts, http_settings(&self.config)?, &self.tasks, self.stop.clone()).await
    }

    /// The plans, and the jobs that work on them.
    pub fn plans(&self) -> &Engine {
        &self.dispatch.world().plans
    }

    /// Who the local stdio client is.
    pub fn stdio_principal(&self) -> Principal {
        Principal::stdio(stdio_role(&self.config))
    }

    /// Who is signed in to the UI.
    pub fn sessions(&self) -> Sessions {
        let auth = &self.config.auth;
        Sessions::new(self.dispatch.world().access.clone(), self.oidc.clone(), auth.session_idle.0, auth.session_max.0)
    }

    /// The identity provider, where one is configured.
    pub fn oidc(&self) -> Option<&Oidc> {
        self.oidc.as_ref()
    }

    /// How MCP is spoken.
    pub fn mcp(&self) -> Arc<mcp::Settings> {
        self.mcp.clone()
    }

    /// What local programs may ask that is no call.
    pub fn ops(&self) -> Ops {
        Ops { dispatch: self.dispatch.clone(), principal: self.stdio_principal(), places: self.places.clone(), seal: self.seal.clone() }
    }

    /// Ends background work, then the lanes, then the trail and the store: nothing is written after its place is closed.
    pub async fn close(self) {
        self.stop.cancel();
        self.tasks.close();
        if tokio::time::timeout(self.config.shutdown.drain_seconds.0, self.tasks.wait()).await.is_err() {
            tracing::warn!(left = self.tasks.len(), "work did not end within shutdown.drain_seconds");
        }
        let world = self.dispatch.world().clone();
        world.fleet.close().await;
        if let Err(error) = world.history.save().await {
            tracing::error!(%error, "health samples of the last minutes not stored");
        }
        if let Err(error) = world.audit.clone().close().await {
            tracing::error!(%error, "audit trail not closed cleanly");
        }
        if let Err(error) = world.store.clone().close().await {
            tracing::error!(%error, "store not closed cleanly");
        }
    }
}

impl control::Ops for Ops {
    fn run(&self, op: &str, arguments: Map<String, Value>) -> Option<BoxFuture<'static, Result<Value, Fault>>> {
        let (ops, op) = (self.clone(), op.to_owned());
        Some(Box::pin(async move { Ops::run(&ops, &op, Value::Object(arguments)).await }))
    }
}

/// Local operations beside the catalogue.
#[derive(Clone)]
pub struct Ops {
    dispatch: Arc<Dispatch>,
    principal: Principal,
    places: Places,
    seal: Arc<Seal>,
}

impl Ops {
    /// Runs one by name.
    pub async fn run(&self, name: &str, arguments: Value) -> Result<Value, Fault> {
        match name {
            "tools.list" => {
                let listed = self.dispatch.list(&self.principal, Audience::Model);
                let tools: Result<Vec<Value>, _> = listed.iter().map(|tool| serde_json::to_value(mcp::tools::listed(tool))).collect();
                Ok(json!({"tools": tools.map_err(Fault::bug)?}))
            }
            "audit.export" => {
                let made = self.export(&arguments).await;
                let given = arguments.as_object().cloned().unwrap_or_default();
                let outcome = made.as_ref().err().map(|fault| fault.kind);
                self.dispatch.note(&Principal::operator(), "audit.export", &given, outcome).await?;
                made
            }
            other => {
                Err(Fault::bad_input(format!("unknown operation: {other}"))
                    .hint("the running appliance may be another version: restart it"))
            }
        }
    }

    /// Writes the trail with a signed head to a file of its own; the signing key stays here.
    async fn export(&self, arguments: &Value) -> Result<Value, Fault> {
        let format = if arguments["format"] == "csv" { Format::Csv } else { Format::Json };
        let since = arguments["since"].as_i64().map(Wall);
        let key = self.audit_key().await?;
        let (dir, path) = (audit_dir(&self.places), self.places.runtime.join(format!("export-{}", hex(&random::<8>()))));
        let to = path.clone();
        let write = move || -> Result<(), Fault> {
            let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&to);
            let mut file = BufWriter::new(file.map_err(|error| Fault::new(Kind::Storage, format!("export file: {error}")))?);
            audit::export(&dir, format, since, Some(&key), &mut file)?;
            file.flush().map_err(|error| Fault::new(Kind::Storage, format!("export file: {error}")))
        };
        tokio::task::spawn_blocking(write).await.map_err(Fault::bug)??;
        Ok(json!({"path": path}))
    }

    /// The box's own ed25519 key, sealed in the store; made when first needed.
    async fn audit_key(&self) -> Result<Zeroizing<Vec<u8>>, Fault> {
        let store = &self.dispatch.world().store;
        let place = Place { purpose: "audit", table: BOX, key: "audit", field: "pkcs8" };
        if let Some(sealed) = store.get(BOX, "audit")? {
            return Ok(self.seal.open(place, &sealed)?);
        }
        let key = audit::sign::generate_key();
        let batch = Batch::new().expect(BOX, "audit", None).put(BOX, "audit", self.seal.seal(place, &key));
        store.commit(batch, Durability::Now).await?;
        Ok(key)
    }
}

/// The table of what belongs to the appliance itself.
const BOX: &str = "appliance";

/// Where things are.
pub fn places(loaded: &Loaded) -> Places {
    Places { state: loaded.state_dir.clone(), runtime: loaded.runtime_dir.clone() }
}

/// Whether the listener's certificate can be used, without opening anything.
pub fn check_certificate(loaded: &Loaded) -> Result<(), Fault> {
    http::tls::check(&http_settings(&loaded.config)?.tls)
}

/// Where the trail's segments are.
pub fn audit_dir(places: &Places) -> PathBuf {
    places.state.join("audit")
}

fn no_key(places: &Places) -> Fault {
    let said = format!("the master key {} is gone; the store's credentials cannot be read without it", places.master_key().display());
    Fault::new(Kind::Storage, said).hint("put the file back from a backup, or set encryption_key; a new key would not open this store")
}

/// Counts nothing when nobody may see it.
fn meter(config: &Config) -> Meter {
    if config.metrics.enabled { Meter::new(config.metrics.device_labels) } else { Meter::off() }
}

async fn open_store(loaded: &Loaded, meter: &Meter) -> Result<Store, Fault> {
    let store = &loaded.config.store;
    let options = Options {
        path: store.path.clone(),
        cache_mb: store.cache_mb,
        flush_interval: store.flush_interval.0,
        volatile_ok: store.volatile,
        meter: meter.clone(),
    };
    let opened = tokio::task::spawn_blocking(move || Store::open(options)).await.map_err(Fault::bug)?;
    opened.map_err(|error| {
        let fault = Fault::from(error);
        match fault.kind {
            Kind::Conflict => fault.hint("another routeros-mcp uses this state directory: stop it, or choose another with --data-dir"),
            _ => fault,
        }
    })
}

fn rules(config: &Config) -> Rules {
    Rules {
        environment: config.environment,
        read_only: config.read_only,
        tiers: config.mcp.tool_tiers.clone(),
        disabled: config.mcp.disable_tools.clone(),
        plan_apply: config.mcp.enable_plan_apply,
        permissive_reads: config.mcp.rbac_mode == Mode::Permissive,
    }
}

fn lockout(config: &Config) -> Lockout {
    Lockout { attempts: config.auth.lockout_attempts, window: config.auth.lockout_window.0 }
}

fn stdio_role(config: &Config) -> Role {
    match config.mcp.stdio_role {
        StdioRole::ReadOnly => Role::ReadOnly,
        StdioRole::OpsRw => Role::OpsRw,
        StdioRole::Admin => Role::Admin,
    }
}

/// The identity provider; the checks of the configuration saw to it that what it needs is there.
fn oidc(config: &Config, world: &World) -> Option<Oidc> {
    let from = &config.oidc;
    let (issuer, client_id, audience) = (from.provider_url.clone()?, from.client_id.clone()?, from.audience.clone()?);
    let roles = from.role_map.iter().filter_map(|(value, role)| Some((value.clone(), role.parse().ok()?)));
    let settings = oidc::Settings {
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

fn settings(config: &Config) -> Settings {
    let every = config.mcp.toolsets.iter().any(|set| set == "all");
    Settings {
        toolsets: (!every).then(|| config.mcp.toolsets.clone()),
        separator: config.mcp.tool_name_separator.chars().next().unwrap_or('.'),
        warn_tokens: config.token_budget.warning_threshold,
        most_tokens: config.token_budget.error_threshold,
        ssh_port: config.routeros.ssh_port,
        enable_tools: config.mcp.enable_tools,
        kept_answers: config.resource_cache.max_entries,
        public_url: config.http.public_url.clone(),
        health: thresholds(&config.health_check),
    }
}

fn plan_settings(config: &Config) -> plan::Settings {
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

fn thresholds(from: &sections::HealthCheck) -> Thresholds {
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

fn mcp_settings(config: &Config, tasks: &TaskTracker) -> mcp::Settings {
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
        drain: config.shutdown.drain_seconds.0,
    }
}

fn http_settings(config: &Config) -> Result<http::Settings, Fault> {
    let (from, rate) = (&config.http, &config.rate_limit);
    let tls = match (from.tls, &from.tls_cert_file, &from.tls_key_file) {
        (sections::Tls::Off, ..) => http::tls::Source::Off,
        (sections::Tls::SelfSigned, ..) => http::tls::Source::SelfSigned,
        (sections::Tls::Files, Some(certificate), Some(key)) => {
            http::tls::Source::Files { certificate: certificate.clone(), key: key.clone() }
        }
        // The checks of the configuration are there before us.
        (sections::Tls::Acme, ..) => http::tls::Source::Acme(acme_settings(&config.acme)),
        (sections::Tls::Files, ..) => return Err(Fault::new(Kind::Config, "http.tls: no source of a certificate")),
    };
    let limits = http::Limits {
        connections: from.max_connections,
        body_bytes: from.max_body_bytes,
        sessions: from.max_sessions_per_principal,
        session_idle: config.sse.client_timeout_seconds.0,
        rates: rate.enabled.then_some(http::limits::Rates {
            read_only: rate.read_only_per_minute,
            ops_rw: rate.ops_rw_per_minute,
            approver: rate.approver_per_minute,
            admin: rate.admin_per_minute,
            window: rate.window_seconds.0,
        }),
        failures: if rate.enabled { http::Limits::default().failures } else { 0 },
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

fn fleet_settings(config: &Config, meter: &Meter) -> fleet::Settings {
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
    // Where we listen ourselves lives no router; a port taken at random is known to nobody before.
    let address = config.mcp.http_host.parse().ok().filter(|_| config.mcp.http_port != 0);
    let own_listeners = address.map(|ip: IpAddr| SocketAddr::new(ip, config.mcp.http_port)).into_iter().collect();
    fleet::Settings {
        routeros,
        own_listeners,
        meter: meter.clone(),
        credentials_dir: std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from),
        ..fleet::Settings::new(config.environment)
    }
}

/// Whole seconds, at least one.
fn seconds(span: Span) -> u32 {
    span.0.as_secs().clamp(1, u64::from(u32::MAX)) as u32
}
