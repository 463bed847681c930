//! An engine beside one simulated router on the same clock, and a way to die at any point.

use super::drafter::{Mini, known};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use routeros_mcp::access::{Principal, Role, Rules};
use routeros_mcp::audit::{self, Audit};
use routeros_mcp::base::clock::{Clock, Hand, Wall};
use routeros_mcp::base::events::Bus;
use routeros_mcp::base::tier::Environment;
use routeros_mcp::fleet::{self, Capability, Device, Fleet, NewCredential, NewDevice, Pins, Place};
use routeros_mcp::plan::edit::Request;
use routeros_mcp::plan::record::{Plan, PlanId, Progress};
use routeros_mcp::plan::{Engine, Journal, Parts, Settings};
use routeros_mcp::sim::hooks::{Verdict, When};
use routeros_mcp::sim::profiles::Profile;
use routeros_mcp::sim::{Options as SimOptions, Sim};
use routeros_mcp::store::{Batch, Durability, Options, Seal, Store, StoreError};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Longer than any test's plan takes on this machine, however busy.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// One life of the appliance.
struct Life {
    engine: Engine,
    fleet: Fleet,
    stop: CancellationToken,
}

pub(crate) struct Rig {
    pub sim: Arc<Sim>,
    pub hand: Arc<Hand>,
    pub device: Arc<Device>,
    pub drafter: Arc<Mini>,
    pub death: Arc<Death>,
    clock: Clock,
    store: Store,
    audit: Audit,
    life: Life,
    dir: tempfile::TempDir,
}

/// When the appliance dies.
#[derive(Default)]
pub(crate) struct Death {
    commits: AtomicUsize,
    at_commit: AtomicUsize,
    /// The commit is on the disk when it dies.
    after: AtomicBool,
    dead: AtomicBool,
    died: Notify,
    errand: Mutex<Option<(usize, Errand)>>,
}

/// Something that happens between two steps.
type Errand = Box<dyn FnOnce() -> BoxFuture<'static, ()> + Send>;

impl Death {
    /// At this commit from now on; `after` it is on the disk.
    pub fn at_commit(&self, n: usize, after: bool) {
        self.commits.store(0, SeqCst);
        self.at_commit.store(n, SeqCst);
        self.after.store(after, SeqCst);
    }

    /// Lets something happen right before this commit from now on.
    pub fn before_commit(&self, n: usize, errand: impl FnOnce() -> BoxFuture<'static, ()> + Send + 'static) {
        self.commits.store(0, SeqCst);
        *self.errand.lock().unwrap() = Some((n, Box::new(errand)));
    }

    fn errand(&self, number: usize) -> Option<Errand> {
        self.errand.lock().unwrap().take_if(|(n, _)| *n == number).map(|(_, errand)| errand)
    }

    pub fn die(&self) {
        self.dead.store(true, SeqCst);
        self.died.notify_waiters();
    }

    pub fn is_dead(&self) -> bool {
        self.dead.load(SeqCst)
    }
}

/// The store, until the appliance dies: from then on nothing is written and nobody hears back.
struct Mortal {
    store: Store,
    death: Arc<Death>,
}

impl Journal for Mortal {
    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<(), StoreError>> {
        async move {
            let number = self.death.commits.fetch_add(1, SeqCst) + 1;
            if let Some(errand) = self.death.errand(number) {
                errand().await;
            }
            let last = number == self.death.at_commit.load(SeqCst);
            if self.death.is_dead() || (last && !self.death.after.load(SeqCst)) {
                self.death.die();
                std::future::pending::<()>().await;
            }
            let committed = self.store.commit(batch, Durability::Now).await;
            if last {
                self.death.die();
                std::future::pending::<()>().await;
            }
            committed
        }
        .boxed()
    }
}

impl Rig {
    pub async fn new(profile: Profile) -> Rig {
        Rig::with(profile, true).await
    }

    pub async fn with(profile: Profile, ssh: bool) -> Rig {
        let _ = rustls::crypto::ring::default_provider().install_default();
        // Not the system's temporary directory: that may be in RAM, where no credentials are kept.
        let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let store = Store::open(Options { volatile_ok: true, ..Options::at(dir.path().join("store.redb")) }).unwrap();
        let (clock, hand) = Clock::by_hand(Wall(1_790_000_000_000));
        hand.move_by_itself();
        let audit = Audit::open(&dir.path().join("audit"), clock.clone(), audit::Options::default()).unwrap();
        let options = SimOptions::new(profile, "edge");
        let sim = Arc::new(Sim::start(SimOptions { clock: clock.clone(), ssh, ..options }).await.unwrap());
        let (drafter, death) = (Arc::new(Mini::default()), Arc::new(Death::default()));
        let life = Rig::born(&store, &clock, &audit, &drafter, &death, false);
        let device = enroll(&life.fleet, &sim, "edge", false).await;
        sim.forget_requests();
        Rig { sim, hand, device, drafter, death, clock, store, audit, life, dir }
    }

    fn born(store: &Store, clock: &Clock, audit: &Audit, drafter: &Arc<Mini>, death: &Arc<Death>, store_rolled_back: bool) -> Life {
        let routeros = fleet::Config {
            connect_timeout_seconds: 1,
            rest_timeout_seconds: 5,
            retry_attempts: 1,
            requests_per_second: 1_000,
            ..fleet::Config::default()
        };
        let fleet = Fleet::open(fleet::Parts {
            store: store.clone(),
            seal: Seal::new(&[3; 32]),
            clock: clock.clone(),
            bus: Bus::default(),
            settings: fleet::Settings { routeros, ..fleet::Settings::new(Environment::Lab) },
        })
        .unwrap();
        *drafter.fleet.lock().unwrap() = Some(fleet.clone());
        let stop = CancellationToken::new();
        let parts = Parts {
            store: store.clone(),
            fleet: fleet.clone(),
            audit: audit.clone(),
            clock: clock.clone(),
            rules: Rules::open(Environment::Lab),
            seal: Seal::new(&[3; 32]),
            settings: Settings::default(),
            tasks: TaskTracker::new(),
            stop: stop.clone(),
            drafter: drafter.clone(),
            store_rolled_back,
        };
        let journal = Arc::new(Mortal { store: store.clone(), death: death.clone() });
        Life { engine: Engine::open_on(parts, journal).unwrap(), fleet, stop }
    }

    pub fn engine(&self) -> &Engine {
        &self.life.engine
    }

    pub fn fleet(&self) -> &Fleet {
        &self.life.fleet
    }

    /// How much time has passed.
    pub fn mono(&self) -> Duration {
        self.clock.mono()
    }

    /// Another appliance, or this one after it died: the old one is not heard of any more.
    pub async fn restart(&mut self, store_rolled_back: bool) {
        self.life.stop.cancel();
        self.death.die();
        self.life.fleet.close().await;
        self.death = Arc::new(Death::default());
        self.sim.unhook();
        self.life = Rig::born(&self.store, &self.clock, &self.audit, &self.drafter, &self.death, store_rolled_back);
        self.life.engine.resume().await.unwrap();
    }

    /// Dies at the nth request from now on, before or after the router has done it; nothing it sends later arrives.
    pub fn die_at_request(&self, n: usize, when: When) {
        let death = self.death.clone();
        self.sim.hook(move |step, _| {
            if step.number == n && step.when == when {
                death.die();
            }
            if death.is_dead() && (step.when == When::Before || step.number == n) { Verdict::Close } else { Verdict::Go }
        });
    }

    /// Until it has died.
    pub async fn until_dead(&self) {
        loop {
            let died = self.death.died.notified();
            tokio::pin!(died);
            died.as_mut().enable();
            if self.death.is_dead() {
                return;
            }
            died.await;
        }
    }

    /// Until it has died, or its plan is over.
    pub async fn until_dead_or_done(&self, id: &PlanId) {
        tokio::select! {
            biased;
            () = self.until_dead() => {}
            plan = self.engine().wait(id, PATIENCE) => drop(plan.unwrap()),
        }
    }

    pub fn who() -> Principal {
        Principal::stdio(Role::OpsRw)
    }

    /// Drafts one plan.
    pub async fn draft(&self, request: Value) -> PlanId {
        let request: Request = serde_json::from_value(request).unwrap();
        self.engine().create(&Rig::who(), request, "plan.create").await.unwrap()
    }

    /// Drafts, applies and waits.
    pub async fn run(&self, request: Value) -> (Plan, Progress) {
        let id = self.draft(request).await;
        self.apply(&id).await
    }

    pub async fn apply(&self, id: &PlanId) -> (Plan, Progress) {
        self.engine().apply(&Rig::who(), id).await.unwrap();
        self.ended(id).await
    }

    /// Waits until it is over or waits for a person.
    pub async fn ended(&self, id: &PlanId) -> (Plan, Progress) {
        let plan = self.engine().wait(id, PATIENCE).await.unwrap();
        (plan, self.progress(id))
    }

    pub fn progress(&self, id: &PlanId) -> Progress {
        self.engine().plan(id).unwrap().1.remove(0).1
    }

    /// Nothing of ours is on the router.
    pub fn holds_no_guard(&self) {
        let left = self.guards();
        assert!(left.is_empty(), "left on the router: {left:?}");
    }

    /// What of ours is on the router.
    pub fn guards(&self) -> Vec<String> {
        let mut world = self.sim.world();
        let mut left = Vec::new();
        for menu in ["/system/script", "/system/scheduler"] {
            let rows = world.rows(menu);
            let names = rows.iter().filter_map(|row| row.get("name")).filter(|name| name.starts_with("mcp-guard-"));
            left.extend(names.map(|name| format!("{menu} {name}")));
        }
        left.extend(world.rows("/system/script/job").iter().map(|row| format!("job {:?}", row.id)));
        left
    }

    /// A menu's rows without what moves by itself.
    pub fn rows(&self, menu: &str) -> Vec<Vec<(String, String)>> {
        let mut world = self.sim.world();
        let known = known(menu);
        let rows = world.rows(menu);
        rows.iter()
            .map(|row| known.content.iter().filter_map(|(name, _)| Some((name.clone(), row.get(name)?.to_owned()))).collect())
            .collect()
    }

    /// Whether the rule of these tests is on the router.
    pub fn has_rule(&self) -> bool {
        self.rows("/ip/firewall/filter").iter().any(|row| row.iter().any(|(_, value)| value == "iot to nvr"))
    }

    /// Until the rule of these tests is on the router, or off it.
    pub async fn until_rule(&self, is_there: bool) {
        let seen = async {
            while self.has_rule() != is_there {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, seen).await.expect("the rule stays as it is");
    }

    /// The trail is whole.
    pub async fn intact(self) {
        let Rig { life, audit, dir, .. } = self;
        life.stop.cancel();
        life.fleet.close().await;
        audit.close().await.unwrap();
        routeros_mcp::audit::verify(&dir.path().join("audit")).unwrap();
    }
}

/// The edit most tests make: a forward rule before the last one.
pub(crate) fn rule() -> Value {
    json!({ "menu": "/ip/firewall/filter", "op": "add",
            "values": { "chain": "forward", "action": "accept", "src-address": "10.0.30.0/24", "comment": "iot to nvr" } })
}

pub(crate) fn request(edits: Value, more: Value) -> Value {
    let mut request = json!({ "devices": ["edge"], "reason": "a test", "edits": edits });
    request.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
    request
}

pub(crate) async fn enroll(fleet: &Fleet, sim: &Sim, name: &str, plain: bool) -> Arc<Device> {
    let rest_port = if plain { sim.http_port() } else { sim.https_port() };
    let ssh_port = if sim.ssh_port() == 0 { 9 } else { sim.ssh_port() };
    let new = NewDevice {
        name: name.into(),
        place: Place { address: "127.0.0.1".into(), rest_port, ssh_port, plain_http: plain },
        username: "mcp".into(),
        environment: Environment::Lab,
        tags: vec![],
        capabilities: Capability::ALL.into(),
        ssh_only: false,
        only_named: false,
    };
    fleet.enroll(new, NewCredential::password(sim.credentials().mcp.password), Pins::default()).await.unwrap()
}
