//! An engine beside one simulated router on the same clock, a drafter small enough to read, and a way to die at any point.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use routeros_mcp::access::{Principal, Role, Rules};
use routeros_mcp::audit::{self, Audit};
use routeros_mcp::base::clock::{Clock, Hand, Wall};
use routeros_mcp::base::events::Bus;
use routeros_mcp::base::fault::Fault;
use routeros_mcp::base::tier::Environment;
use routeros_mcp::fleet::{self, Capability, Device, Fleet, NewCredential, NewDevice, Pins, Place as At, Read};
use routeros_mcp::menus::{self, Shape};
use routeros_mcp::plan::edit::{Edit, Op, Request};
use routeros_mcp::plan::form::{Form, Known, Pairs};
use routeros_mcp::plan::record::{Change, Cut, Draft, Find, Observed, Place, Plan, PlanId, Progress, Risk, Step};
use routeros_mcp::plan::{Ask, Drafter, Engine, Journal, Parts, Settings, inverse, rows};
use routeros_mcp::routeros::{MenuPath, Row};
use routeros_mcp::sim::hooks::{Verdict, When};
use routeros_mcp::sim::profiles::Profile;
use routeros_mcp::sim::{Options as SimOptions, Sim};
use routeros_mcp::store::{Batch, Durability, Options, Seal, Store, StoreError};
use serde_json::{Map, Value, json};
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
}

impl Death {
    /// At this commit from now on; `after` it is on the disk.
    pub fn at_commit(&self, n: usize, after: bool) {
        self.commits.store(0, SeqCst);
        self.at_commit.store(n, SeqCst);
        self.after.store(after, SeqCst);
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
        let ssh = options.ssh.filter(|_| ssh);
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
        let request = asked(request);
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

fn asked(request: Value) -> Request {
    serde_json::from_value(request).unwrap()
}

pub(crate) async fn enroll(fleet: &Fleet, sim: &Sim, name: &str, plain: bool) -> Arc<Device> {
    let rest_port = if plain { sim.http_port() } else { sim.https_port() };
    let ssh_port = if sim.ssh_port() == 0 { 9 } else { sim.ssh_port() };
    let new = NewDevice {
        name: name.into(),
        place: At { address: "127.0.0.1".into(), rest_port, ssh_port, plain_http: plain },
        username: "mcp".into(),
        environment: Environment::Lab,
        tags: vec![],
        capabilities: Capability::ALL.into(),
        ssh_only: false,
        only_named: false,
    };
    fleet.enroll(new, NewCredential::password(sim.credentials().mcp.password), Pins::default()).await.unwrap()
}

/// Drafts what these tests ask for: values as they are, one row a match.
pub(crate) struct Mini {
    fleet: Mutex<Option<Fleet>>,
    /// What every draft is said to risk.
    pub danger: Mutex<(Risk, Cut)>,
    pub settle_s: AtomicUsize,
}

impl Default for Mini {
    fn default() -> Self {
        Mini { fleet: Mutex::default(), danger: Mutex::new((Risk::Medium, Cut::No)), settle_s: AtomicUsize::new(0) }
    }
}

impl Mini {
    /// From now on drafts want a guard, though not an approval.
    pub fn guarded(&self) {
        *self.danger.lock().unwrap() = (Risk::High, Cut::No);
    }
}

impl Drafter for Mini {
    fn draft<'a>(&'a self, ask: Ask<'a>) -> BoxFuture<'a, Result<Draft, Fault>> {
        async move {
            let fleet = self.fleet.lock().unwrap().clone().unwrap();
            let lane = fleet.lane(ask.device);
            let (risk, cut) = *self.danger.lock().unwrap();
            let mut draft = Draft {
                plan: ask.plan.clone(),
                device: ask.device.id.clone(),
                name: ask.device.name.clone(),
                serial: ask.device.facts.serial.clone(),
                pins: ask.device.pins.clone(),
                version: ask.device.facts.version.clone(),
                known: vec![],
                observed: vec![],
                absent: vec![],
                steps: vec![],
                risk,
                cut,
                cut_reasons: vec![],
                settle_s: self.settle_s.load(SeqCst) as u32,
                inverse: String::new(),
            };
            for edit in ask.edits {
                let rows = lane.read(Read::fresh(MenuPath::parse(&edit.menu)?)).await?.rows;
                add_edit(&mut draft, edit, &rows);
            }
            draft.inverse = inverse::script(ask.plan, &draft.steps, &draft.known)?;
            Ok(draft)
        }
        .boxed()
    }
}

pub(crate) fn known(menu: &str) -> Known {
    let facts = menus::find(menu).unwrap();
    let content = facts.attrs.iter().filter(|attr| !attr.read_only).map(|attr| (attr.name.to_owned(), Form::of(attr.kind))).collect();
    Known {
        menu: menu.into(),
        singleton: facts.shape == Shape::Singleton,
        ordered: facts.shape == Shape::Ordered,
        key: facts.key.iter().map(|name| (*name).to_owned()).collect(),
        content,
        secret: facts.attrs.iter().filter(|attr| attr.secret).map(|attr| attr.name.to_owned()).collect(),
        unset: menu.starts_with("/ip/firewall"),
        marks: vec![],
        stranger: false,
    }
}

fn pairs(map: &Map<String, Value>) -> Pairs {
    map.iter().map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect()
}

fn add_edit(draft: &mut Draft, edit: &Edit, menu_rows: &[Row]) {
    let known = known(&edit.menu);
    let values = pairs(&edit.values);
    let find = Find { by: pairs(&edit.which) };
    let see = |draft: &mut Draft, at: usize, find: Option<Find>| {
        let row = rows::content(&known, &menu_rows[at]);
        let next = menu_rows.get(at + 1).filter(|_| known.ordered).map(|next| Find { by: rows::content(&known, next) });
        draft.observed.push(Observed { menu: edit.menu.clone(), find, row: row.clone(), next: next.clone() });
        (row, next)
    };
    let found = |find: &Find| rows::one(&known, menu_rows, find).unwrap().0;
    let change = match edit.op {
        Op::Add => {
            let before = edit.place_before.as_ref().and_then(Value::as_object).map(|which| Find { by: pairs(which) });
            if let Some(before) = &before {
                see(draft, found(before), Some(before.clone()));
            }
            let place = known.ordered.then_some(Place { before });
            draft.absent.push((edit.menu.clone(), Find { by: values.clone() }));
            Change::Add { find: Find { by: values.clone() }, values, secrets: vec![], place }
        }
        Op::Set if known.singleton => Change::SetSingle { before: see(draft, 0, None).0, values, secrets: vec![], unset: vec![] },
        Op::Set => {
            let before = see(draft, found(&find), Some(find.clone())).0;
            Change::Set { find, before, values, secrets: vec![], unset: vec![] }
        }
        Op::Remove => {
            let (before, next) = see(draft, found(&find), Some(find.clone()));
            Change::Remove { find, before, place: known.ordered.then_some(Place { before: next }), by_disabling: edit.each }
        }
        Op::Run => Change::Run { command: edit.command.clone().unwrap(), find: None, args: vec![] },
        other => panic!("these tests do not {}", other.as_str()),
    };
    draft.steps.push(Step { edit: draft.steps.len() as u32, menu: edit.menu.clone(), change, gives_access: false });
    if !draft.known.iter().any(|other| other.menu == known.menu) {
        draft.known.push(known);
    }
}
