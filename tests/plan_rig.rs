//! What the proofs of safe change share: routers on a clock that a test moves, and appliances that can be killed at any point.
//!
//! An appliance is a state directory; a [`Process`] over it has a runtime of its own. Once its [`Death`] has come nothing of it reaches
//! the disk or a router any more, and its runtime is dropped with every task where it stands: what `kill -9` leaves.

mod death;
mod router;

use futures_util::future::{BoxFuture, FutureExt};
use routeros_mcp::access::policy::Rules;
use routeros_mcp::access::{Principal, Role};
use routeros_mcp::audit::{self, Audit};
use routeros_mcp::base::clock::{Clock, Wall};
use routeros_mcp::base::events::Bus;
use routeros_mcp::base::fault::Fault;
use routeros_mcp::base::tier::Environment;
use routeros_mcp::fleet::{self, Capability, Device, Dial, Fleet, NewCredential, NewDevice, Pins, Place, Wire};
use routeros_mcp::plan::draft::{self, Drafting};
use routeros_mcp::plan::edit::Request;
use routeros_mcp::plan::record::{Approval, Draft, Plan, PlanId, Progress};
use routeros_mcp::plan::state::{DeviceState, PlanEvent, PlanState};
use routeros_mcp::plan::{Ask, Drafter, Engine, Parts, Settings, approve};
use routeros_mcp::routeros::{Rest, RouterError, Row, Trust};
use routeros_mcp::sim::hooks::{Verdict, When};
use routeros_mcp::sim::lockout::cases::Case;
use routeros_mcp::store::{self, Seal, Store};
use serde_json::{Map, Value, json};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::runtime::Builder;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use death::Diary;
pub(crate) use death::{Death, Side, Window};
pub(crate) use router::{DRAFTED, Router, difference, routers};

/// How long a test waits on the machine's clock before it says that something hangs.
const PATIENCE: Duration = Duration::from_secs(120);

/// Works drafts out on routers, as the appliance does.
pub(crate) struct Worker {
    pub fleet: Fleet,
    pub store: Store,
    pub clock: Clock,
    pub rules: Rules,
}

impl Drafter for Worker {
    fn draft<'a>(&'a self, ask: Ask<'a>) -> BoxFuture<'a, Result<Draft, Fault>> {
        async move {
            let hear = |_: &Arc<Vec<Row>>| {};
            let cx = Drafting {
                fleet: &self.fleet,
                store: &self.store,
                clock: &self.clock,
                rules: &self.rules,
                author: ask.author,
                origin: ask.origin,
                toolset: "core",
                begun: None,
                hear: &hear,
            };
            draft::draft(&cx, ask.plan, ask.device, ask.edits).await
        }
        .boxed()
    }
}

/// A process over a state directory.
pub(crate) struct Process<'a> {
    pub home: &'a Path,
    pub router: &'a Router,
    /// Over plain HTTP instead of the TLS its record says.
    pub plain: bool,
    /// Before or after which durable write of a plan it dies.
    pub kill: Option<(usize, Side)>,
    /// From which durable write of a plan on the disk takes nothing, until there is room again.
    pub full: Option<usize>,
    /// Somebody keeps what waits for a person.
    pub keep: bool,
    /// What somebody does the moment it waits for a person.
    pub window: Option<Window>,
    /// The store is known to be older than what was done.
    pub restored: bool,
    /// `plan.guard_timeout`.
    pub guard: Duration,
    pub death: Arc<Death>,
    pub written: Arc<AtomicUsize>,
    /// There is room on the disk, however much was written.
    pub room: Arc<AtomicBool>,
}

/// The parts of a running appliance that tests talk to.
pub(crate) struct Appliance {
    pub engine: Engine,
    pub fleet: Fleet,
    diary: Arc<Diary>,
}

impl<'a> Process<'a> {
    pub fn new(home: &'a Path, router: &'a Router) -> Process<'a> {
        let (death, written, room) = (Arc::default(), Arc::default(), Arc::default());
        Process {
            home,
            router,
            plain: false,
            kill: None,
            full: None,
            room,
            keep: false,
            window: None,
            restored: false,
            guard: Settings::default().guard_timeout,
            death,
            written,
        }
    }

    pub fn plain(self) -> Process<'a> {
        Process { plain: true, ..self }
    }

    /// Whether a write was refused and still would be.
    pub fn is_full(&self) -> bool {
        self.full.is_some_and(|full| self.written.load(Ordering::SeqCst) >= full) && !self.room.load(Ordering::SeqCst)
    }

    pub fn make_room(&self) {
        self.room.store(true, Ordering::SeqCst);
    }

    /// Runs until the work is done; `None` when death came first.
    pub fn run<T>(&self, work: impl AsyncFnOnce(&Appliance) -> T) -> Option<T> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let appliance = self.open();
            let ended = tokio::select! {
                biased;
                () = self.death.wait() => None,
                done = tokio::time::timeout(PATIENCE, work(&appliance)) => Some(done.expect("it hangs")),
            };
            // What refers to itself would keep the store open.
            *appliance.diary.engine.lock().unwrap() = None;
            ended
        })
    }

    fn open(&self) -> Appliance {
        let clock = self.router.clock.clone();
        let options = store::Options { flush_interval: Duration::from_secs(60), ..store::Options::at(self.home.join("store.redb")) };
        let store = Store::open(options).unwrap();
        let seal = Seal::new(&[3; 32]);
        let routeros = fleet::Config { requests_per_second: 10_000, connect_timeout_seconds: 1, ..fleet::Config::default() };
        let settings = fleet::Settings { routeros, ..fleet::Settings::new(Environment::Lab) };
        let (bus, rules) = (Bus::default(), Rules::open(Environment::Lab));
        let parts = fleet::Parts { store: store.clone(), seal: seal.clone(), clock: clock.clone(), bus, settings };
        let fleet = if self.plain { Fleet::open_with(parts, self.dial()) } else { Fleet::open(parts) }.unwrap();
        let audit = Audit::open(&self.home.join("audit"), clock.clone(), audit::Options::default()).unwrap();
        let drafter = Worker { fleet: fleet.clone(), store: store.clone(), clock: clock.clone(), rules: rules.clone() };
        let diary = Diary {
            store: store.clone(),
            death: self.death.clone(),
            kill: self.kill,
            full: self.full,
            room: self.room.clone(),
            written: self.written.clone(),
            keep: self.keep,
            window: self.window.clone(),
            waited: AtomicBool::new(false),
            engine: Mutex::default(),
        };
        let diary = Arc::new(diary);
        let parts = Parts {
            store,
            fleet: fleet.clone(),
            audit,
            clock,
            rules,
            seal,
            settings: Settings { allow_extreme: true, guard_timeout: self.guard, ..Settings::default() },
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
            drafter: Arc::new(drafter),
            store_rolled_back: self.restored,
        };
        let engine = Engine::open_on(parts, diary.clone()).unwrap();
        *diary.engine.lock().unwrap() = Some(engine.clone());
        Appliance { engine, fleet, diary }
    }

    fn dial(&self) -> Dial {
        let router = self.router.clone();
        Arc::new(move |mut dialled| {
            router.dialled();
            let Some(rest) = &mut dialled.rest else { return Err(RouterError::Argument { why: "no REST".into() }) };
            (rest.port, rest.plain, rest.trust) = (router.sim.http_port(), true, Trust::Off);
            Ok(Arc::new(Rest::new(rest.clone())?) as Arc<dyn Wire>)
        })
    }

    /// Kills it at the router's request with that number, and keeps everything it still sends off.
    pub fn dies_at_request(&self, at: impl Fn(usize, When, &str, &str) -> bool + Send + 'static) {
        let death = self.death.clone();
        self.router.sim.hook(move |step, _| {
            if !death.is_here() && at(step.number, step.when, &step.method, &step.path) {
                death.come();
            }
            if death.is_here() { Verdict::Close } else { Verdict::Go }
        });
    }
}

impl Appliance {
    /// Takes the router into care under this name.
    pub async fn enrol(&self, router: &Router, name: &str) -> Arc<Device> {
        let sim = &router.sim;
        let ssh_port = if sim.ssh_port() == 0 { 1 } else { sim.ssh_port() };
        let new = NewDevice {
            name: name.into(),
            place: Place { address: "127.0.0.1".into(), rest_port: sim.https_port(), ssh_port, plain_http: false },
            username: "mcp".into(),
            environment: Environment::Lab,
            tags: vec![],
            capabilities: Capability::ALL.into_iter().collect(),
            ssh_only: false,
            only_named: false,
        };
        let password = NewCredential::password(sim.credentials().mcp.password);
        self.fleet.enroll(new, password, Pins::default()).await.unwrap()
    }

    /// A plan with as many approvals as it needs.
    pub async fn approved(&self, request: &Value) -> Result<PlanId, Fault> {
        let request: Request = serde_json::from_value(request.clone()).expect("a request");
        let id = self.engine.create(&author(), request, "plan.create").await?;
        self.approve(&id).await;
        Ok(id)
    }

    pub async fn approve(&self, id: &PlanId) {
        let (plan, _) = self.engine.plan(id).unwrap();
        let mut given = Vec::new();
        for n in 0..plan.needed {
            let (at, person) = (plan.created_at, format!("person-{n}"));
            let expires_at = Wall(at.0 + 900_000);
            let mut approval = Approval { name: person.clone(), person, at, expires_at, nonce: [n; 16], mac: [0; 32] };
            approval.mac = approve::sign(&plan, &approval, self.engine.approval_key());
            given.push(approval);
        }
        if !given.is_empty() {
            let change = |plan: &mut Plan| {
                plan.approvals.clone_from(&given);
                plan.happen(PlanEvent::Approve)
            };
            self.engine.change(id, change).await.unwrap();
        }
    }

    /// Applies it and waits until it is over or waits for a person.
    pub async fn applied(&self, id: &PlanId) -> Result<Progress, Fault> {
        self.engine.apply(&author(), id).await?;
        self.settled(id).await
    }

    pub async fn settled(&self, id: &PlanId) -> Result<Progress, Fault> {
        self.engine.wait(id, PATIENCE).await?;
        Ok(self.progress(id))
    }

    /// Waits until the plan's life has come to something else than this; whether it does is for the caller to see.
    pub async fn leaves(&self, id: &PlanId, state: PlanState) {
        let left = async {
            while self.engine.plan(id).unwrap().0.state == state {
                tokio::task::yield_now().await;
            }
        };
        let _ = tokio::time::timeout(PATIENCE / 4, left).await;
    }

    /// Looks again and again at a router that nobody knew how it was, as the daily sweep does, until somebody does.
    pub async fn becomes_known(&self, id: &PlanId) {
        let known = async {
            while self.progress(id).state == DeviceState::Unknown {
                self.engine.sweep().await.unwrap();
                tokio::task::yield_now().await;
            }
        };
        let _ = tokio::time::timeout(PATIENCE / 4, known).await;
        if self.progress(id).state != DeviceState::NeedsAttention {
            self.leaves(id, PlanState::NeedsAttention).await;
        }
    }

    /// How far the plan's first device came.
    pub fn progress(&self, id: &PlanId) -> Progress {
        self.engine.plan(id).unwrap().1.remove(0).1
    }
}

/// Does something for each of many on a few threads, for much of the time goes by waiting for the disk; answers in their order.
pub(crate) fn side_by_side<T: Sync, R: Send>(all: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, R)>> = Mutex::default();
    let threads = std::thread::available_parallelism().map_or(2, usize::from).clamp(1, 4) * 2;
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let n = next.fetch_add(1, Ordering::SeqCst);
                    let Some(one) = all.get(n) else { return };
                    let result = work(one);
                    done.lock().unwrap().push((n, result));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap();
    done.sort_by_key(|(n, _)| *n);
    done.into_iter().map(|(_, result)| result).collect()
}

/// `PLAN_CASES=3/40`: of every forty cases the fourth, for a quick look. All of them unless set.
pub(crate) fn stride() -> (usize, usize) {
    let text = std::env::var("PLAN_CASES").unwrap_or_default();
    let parts = text.split_once('/').and_then(|(first, of)| Some((first.parse().ok()?, of.parse().ok()?)));
    parts.unwrap_or((0, 1))
}

/// Who writes plans.
pub(crate) fn author() -> Principal {
    Principal::stdio(Role::OpsRw)
}

/// Who keeps and takes back.
pub(crate) fn operator() -> Principal {
    Principal::operator()
}

/// A state directory that is on a disk: one in RAM keeps no credentials.
pub(crate) fn home() -> tempfile::TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

/// A copy of a state directory that nobody has open.
pub(crate) fn copy(of: &Path) -> tempfile::TempDir {
    fn into(from: &Path, to: &Path) {
        for entry in std::fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            let target = to.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                std::fs::create_dir(&target).unwrap();
                into(&entry.path(), &target);
            } else {
                std::fs::copy(entry.path(), &target).unwrap();
            }
        }
    }
    let dir = home();
    into(of, dir.path());
    dir
}

/// The trail's records, or what is wrong with it.
pub(crate) fn trail(home: &Path) -> Result<u64, String> {
    audit::verify(&home.join("audit")).map(|report| report.records).map_err(|error| error.to_string())
}

/// A request for these edits on `edge`.
pub(crate) fn request(edits: Value, confirm: &str) -> Value {
    json!({ "devices": ["edge"], "reason": "proof", "edits": edits, "confirm": confirm, "confirm_timeout": "60s" })
}

/// A case of the lock-out corpus as an edit of a plan.
pub(crate) fn edit(case: &Case, router: &Router) -> Value {
    let words = |words: &[(&str, &str)]| -> Map<String, Value> { words.iter().map(|(n, v)| ((*n).to_owned(), json!(v))).collect() };
    let values: Map<String, Value> = case.values(&router.sim.world()).into_iter().map(|(n, v)| (n, json!(v))).collect();
    let mut edit = json!({ "menu": case.menu, "op": case.op });
    if case.op == "add" && case.menu.starts_with("/ip/firewall/") && case.menu != "/ip/firewall/address-list" {
        edit["match_all"] = json!(true);
    }
    if case.op != "add" && !case.matching.is_empty() {
        edit["match"] = words(case.matching).into();
    }
    if !values.is_empty() {
        edit["values"] = values.into();
    }
    if !case.place_before.is_empty() {
        edit["place_before"] = words(case.place_before).into();
    } else if case.op == "move" {
        edit["place_before"] = Value::Null;
    }
    edit
}
