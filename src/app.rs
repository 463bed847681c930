//! Wiring: builds every part from its configuration in dependency order, and shuts them down in reverse.

use crate::access::local::Access;
use crate::access::oidc::Oidc;
use crate::access::principal::Principal;
use crate::access::session::Sessions;
use crate::access::switches::Switches;
use crate::alert::{self, Alerts};
use crate::audit::{self, Audit};
use crate::base::clock::{Clock, Wall};
use crate::base::events::Bus;
use crate::base::fault::Fault;
use crate::config::{Config, Loaded};
use crate::control::{self, Handles};
use crate::dispatch::Dispatch;
use crate::fleet::{Fleet, Parts};
use crate::history::config::Shelf;
use crate::history::series::History;
use crate::host::metrics::Meter;
use crate::host::paths::Places;
use crate::host::sockets::Sockets;
use crate::http;
use crate::mcp;
use crate::plan::{self, Engine};
use crate::store::{Batch, Durability, Epoch, Over, Progress, Seal, Vault};
use crate::tools::diagnose::limits::Limits;
use crate::tools::plan::Live;
use crate::tools::world::World;
use crate::watch;
use first_run::{Door, FirstRun};
use ops::Ops;
use settings::{
    alert_settings, fleet_settings, http_settings, keep, lockout, mcp_settings, oidc, plan_settings, rules, stdio_role, tool_settings,
};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

mod backups;
pub mod first_run;
mod keys;
mod ops;
mod reload;
mod settings;
mod stored;
mod updates;

pub use backups::restore_target;
pub use stored::{Examined, examine, is_lost};
pub use updates::{AtStart, at_start, forgive_start, next_version, upload_dir, way};

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
    /// Where the pages are, once we listen.
    door: Arc<OnceLock<Door>>,
    store_is_older: bool,
}

impl App {
    /// Opens the store and builds every part over it. `Conflict` when another process holds the store.
    pub async fn build(loaded: &Loaded) -> Result<App, Fault> {
        App::build_on(loaded, Clock::system()).await
    }

    /// As `build`, on another clock: for a demonstration whose time passes faster.
    pub async fn build_on(loaded: &Loaded, clock: Clock) -> Result<App, Fault> {
        App::build_telling(loaded, clock, Progress::default()).await
    }

    /// As `build_on`; `progress` hears how far a store of an older version is brought up to date.
    pub async fn build_telling(loaded: &Loaded, clock: Clock, progress: Progress) -> Result<App, Fault> {
        App::build_over(loaded, clock, progress, Media::default()).await
    }

    /// As `build_telling`, over other media than plain files.
    pub(crate) async fn build_over(loaded: &Loaded, clock: Clock, progress: Progress, media: Media) -> Result<App, Fault> {
        let config = Arc::new(loaded.config.clone());
        let places = places(loaded);
        places.create()?;
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let meter = meter(&config);
        updates::put_back(loaded).await?;
        let store = stored::open(loaded, &meter, progress, media.store).await?;
        let seal = Arc::new(keys::open(&config, &places, &store).await?);
        let audit_options = audit::Options {
            meter: meter.clone(),
            flush_interval: stored::patience(loaded),
            mark: Some(places.audit_mark()),
            ..audit::Options::default()
        };
        let audit = Audit::open_on(&audit_dir(&places), clock.clone(), audit_options, media.trail)?;
        let fleet = Fleet::open(Parts {
            store: store.clone(),
            seal: (*seal).clone(),
            clock: clock.clone(),
            bus: Bus::default(),
            settings: fleet_settings(&config, &meter),
        })?;
        let epoch = Arc::new(Epoch::open(store.clone(), &places.epoch())?);
        let store_is_older = epoch.is_older();
        let vault = Vault::new(store.clone(), (*seal).clone(), clock.clone());
        // All parts go by the same switches.
        let rules = rules(&config, Switches::open(&store)?);
        let live = Live { fleet: fleet.clone(), store: store.clone(), clock: clock.clone(), rules: rules.clone(), vault: vault.clone() };
        let plans = Engine::open(plan::Parts {
            store: store.clone(),
            fleet: fleet.clone(),
            audit: audit.clone(),
            clock: clock.clone(),
            rules: rules.clone(),
            seal: (*seal).clone(),
            settings: plan_settings(&config),
            tasks: tasks.clone(),
            stop: stop.clone(),
            drafter: Arc::new(live),
            store_rolled_back: epoch.is_older(),
        })?;
        let alerts = Alerts::open(alert::Parts {
            store: store.clone(),
            seal: (*seal).clone(),
            clock: clock.clone(),
            meter: meter.clone(),
            bus: fleet.bus().clone(),
            settings: alert_settings(&config)?,
        })?;
        let updates = updates::open(
            loaded,
            updates::Base { store: store.clone(), clock: clock.clone(), meter: meter.clone(), bus: fleet.bus().clone() },
        )?;
        let history = History::new(store.clone());
        let configs = Shelf::new(store.clone(), config.snapshot.keep as usize);
        let world = Arc::new(World {
            fleet,
            audit,
            history,
            configs,
            access: Access::new(store.clone(), (*seal).clone(), clock.clone(), lockout(&config)).with_meter(meter.clone()),
            plans: plans.with_epoch(epoch),
            vault,
            backups: backups::open(
                loaded,
                &places,
                backups::Base { store: store.clone(), seal: seal.clone(), clock: clock.clone(), meter: meter.clone() },
            ),
            updates,
            store,
            clock,
            rules,
            diagnostics: Limits::default(),
            alerts,
            settings: tool_settings(loaded),
        });
        let mcp = Arc::new(mcp_settings(&config, &tasks));
        let oidc = oidc(&config, &world);
        let sockets = Sockets::from_process();
        let (dispatch, door) = (Arc::new(Dispatch::new(world)), Arc::default());
        Ok(App { dispatch, config, places, stop, tasks, sockets, mcp, seal, oidc, door, store_is_older })
    }

    /// Whether the store knows less than was done here; until the doors are opened, which deals with it.
    pub fn store_is_older(&self) -> bool {
        self.store_is_older
    }

    /// Whether what has to be written before anybody may call can be. After an older store was put back that is who was signed out since
    /// and what was being applied; otherwise nothing is.
    ///
    /// Errs with `Storage` while the disk takes no writes.
    pub async fn may_open(&self) -> Result<(), Fault> {
        if !self.store_is_older {
            return Ok(());
        }
        let (store, now) = (&self.dispatch.world().store, self.dispatch.world().clock.wall());
        let probe = Batch::new().put("appliance", "older store seen", now.rfc3339().into_bytes());
        Ok(store.commit(probe, Durability::Now).await?)
    }

    /// Opens the control socket and starts background work. Last: nobody may call before everything stands.
    pub async fn open_doors(&self) -> Result<(), Fault> {
        if self.store_is_older {
            // Here and not where it is found out: commands open the store too, until it has been dealt with.
            tracing::error!("{}", http::trouble::OLDER);
            // Who was signed out since would be signed in again.
            self.sessions().end_all().await?;
        }
        // First: what is found out on the way is for people.
        watch::alerts::start(self.dispatch.world().clone(), self.config.store.path.clone(), &self.tasks, &self.stop);
        // What a crash left is taken in hand before anybody can ask for more.
        self.plans().resume().await?;
        let handles = Handles {
            dispatch: self.dispatch.clone(),
            settings: self.mcp.clone(),
            stdio_principal: Arc::new(self.stdio_principal()),
            ops: Arc::new(self.ops()),
            data_dir: self.places.state.clone(),
        };
        control::serve(&self.places.control_socket(), handles, control::Rules::default(), &self.tasks, self.stop.clone()).await?;
        self.settle_update().await;
        self.start_watching();
        Ok(())
    }

    /// On a full disk too the appliance starts and answers; how an update went is found out again at the next look.
    async fn settle_update(&self) {
        if let Err(fault) = self.dispatch.world().updates.settle().await {
            tracing::error!(cause = fault.chain(), "how the last update went could not be stored");
        } else if let Err(fault) = watch::update::tell(&self.dispatch).await {
            tracing::error!(cause = fault.chain(), "the audit trail does not have how the last update went");
        }
    }

    fn start_watching(&self) {
        if self.config.health_check.enabled {
            let every = self.config.health_check.interval_seconds.0;
            let jitter = self.config.health_check.jitter_seconds.0;
            watch::health::start(self.dispatch.world().clone(), every, jitter, &self.tasks, &self.stop);
        }
        watch::meter::start(self.dispatch.world().meter().clone(), &self.tasks, &self.stop);
        watch::retention::start(self.dispatch.world().clone(), self.seal.clone(), keep(&self.config), &self.tasks, &self.stop);
        watch::plans::start(self.dispatch.world().clone(), &self.tasks, &self.stop);
        watch::rotation::start(self.dispatch.clone(), self.config.routeros.rotate_credentials_days, &self.tasks, &self.stop);
        if self.config.backup.enabled {
            let every = self.config.backup.interval_hours;
            watch::backup::start(self.dispatch.clone(), every, &self.tasks, &self.stop);
        }
        if self.config.update.check {
            watch::update::start(self.dispatch.clone(), self.config.update.interval_hours, &self.tasks, &self.stop);
        }
        if self.config.snapshot.enabled {
            watch::snapshot::start(self.dispatch.clone(), self.config.snapshot.interval_seconds.0, &self.tasks, &self.stop);
        }
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
        let listener = http::Listener::bind(provider, parts, http_settings(&self.config)?, &self.tasks, self.stop.clone()).await?;
        self.dispatch.world().fleet.listens_at(listener.at.clone());
        let door = Door::of(&listener, &self.config);
        let here = door.local().to_owned();
        self.dispatch.world().settings.door.put(door.origin().map(str::to_owned));
        let _ = self.door.set(door);
        watch::update::prove(self.dispatch.clone(), move || Box::pin(updates::answers(here.clone())), &self.tasks, &self.stop);
        Ok(listener)
    }

    /// Watches a version that has to prove itself where nobody listens: its store and its routers are all there is to ask.
    pub fn prove_without_listener(&self) {
        watch::update::prove(self.dispatch.clone(), || Box::pin(std::future::ready(true)), &self.tasks, &self.stop);
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
        Ops {
            dispatch: self.dispatch.clone(),
            principal: self.stdio_principal(),
            places: self.places.clone(),
            seal: self.seal.clone(),
            is_configured: self.config.encryption_key.is_some(),
            door: self.door.clone(),
        }
    }

    /// The address at which the first administrator is made, where there is none yet and we listen.
    pub async fn first_run(&self) -> Result<Option<FirstRun>, Fault> {
        match self.dispatch.world().access.has_users()? {
            true => Ok(None),
            false => self.ops().first_run().await.map(Some),
        }
    }

    /// Ends background work, then the lanes, then the trail and the store: nothing is written after its place is closed.
    pub async fn close(self) {
        self.stop.cancel();
        self.dispatch.world().access.close_setup();
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

/// What the store and the trail are written to: files, or in tests something with faults.
pub(crate) struct Media {
    pub(crate) store: Box<Over>,
    pub(crate) trail: audit::Open,
}

impl Default for Media {
    fn default() -> Self {
        Media { store: Box::new(crate::store::plain), trail: Box::new(audit::file) }
    }
}

/// Where things are.
pub fn places(loaded: &Loaded) -> Places {
    Places { state: loaded.state_dir.clone(), runtime: loaded.runtime_dir.clone() }
}

/// Whether the listener's certificate can be used, without opening anything, and when one from files ends.
pub fn check_certificate(loaded: &Loaded) -> Result<Option<Wall>, Fault> {
    http::tls::check(&http_settings(&loaded.config)?.tls)
}

/// Whether everything that listens can be opened: tried, and let go of at once. `held` is where our own running appliance listens.
pub async fn check_listener(loaded: &Loaded, held: &[SocketAddr]) -> Result<(), Fault> {
    http::ears::try_out(&http_settings(&loaded.config)?, &Sockets::from_process(), held).await
}

/// Where the trail's segments are.
pub fn audit_dir(places: &Places) -> PathBuf {
    places.state.join("audit")
}

/// Counts nothing when nobody may see it.
fn meter(config: &Config) -> Meter {
    if config.metrics.enabled { Meter::new(config.metrics.device_labels) } else { Meter::off() }
}

#[cfg(test)]
#[cfg(feature = "sim")]
mod disk_tests;
