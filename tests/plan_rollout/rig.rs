//! Several routers and an appliance over them that can be killed: a job is about all of them.
//!
//! An appliance runs in a runtime of its own. Once it is dead nothing of it reaches the disk or a router, and its tasks are dropped
//! where they stand: what `kill -9` leaves.

use crate::plan_rig::{Death, Worker, routers};
use futures_util::future::{BoxFuture, FutureExt, join_all};
use routeros_mcp::access::person::{Actor, Identity};
use routeros_mcp::access::policy::Rules;
use routeros_mcp::access::switches::Set;
use routeros_mcp::access::{Principal, Role};
use routeros_mcp::audit::{self, Audit};
use routeros_mcp::base::clock::{Clock, Hand, Wall};
use routeros_mcp::base::events::{Bus, Event};
use routeros_mcp::base::tier::Environment;
use routeros_mcp::fleet::{self, Capability, Fleet, NewCredential, NewDevice, Pins, Place};
use routeros_mcp::plan::record::{Approval, Plan, PlanId, Progress};
use routeros_mcp::plan::state::PlanEvent;
use routeros_mcp::plan::{Engine, Journal, Parts, Settings, Tally, approve};
use routeros_mcp::sim::hooks::Verdict;
use routeros_mcp::sim::profiles::Profile;
use routeros_mcp::sim::{Options, Sim};
use routeros_mcp::store::{self, Batch, Durability, Seal, Store, StoreError};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Builder;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long a test waits on the machine's clock before it says that something hangs.
const PATIENCE: Duration = Duration::from_secs(60);
/// A site where nothing is told for so long, on the machine's clock, waits for time to pass.
const QUIET: Duration = Duration::from_millis(100);

/// Routers `r00`, `r01`, … and a state directory.
pub(crate) struct Site {
    pub sims: Vec<Arc<Sim>>,
    pub clock: Clock,
    pub hand: Arc<Hand>,
    death: Arc<Death>,
    home: tempfile::TempDir,
}

/// What the dead write reaches no disk.
struct Diary(Store, Arc<Death>);

impl Journal for Diary {
    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<(), StoreError>> {
        async move {
            if self.1.is_here() {
                std::future::pending::<()>().await;
            }
            self.0.commit(batch, Durability::Now).await
        }
        .boxed()
    }
}

impl Site {
    /// So many routers on a clock that stands until a test moves it.
    pub fn of(count: usize) -> Site {
        let (clock, hand) = Clock::by_hand(Wall(1_790_000_000_000));
        Site::on(count, clock, hand)
    }

    /// So many routers on the machine's clock.
    pub fn in_real_time(count: usize) -> Site {
        Site::on(count, Clock::system(), Arc::default())
    }

    fn on(count: usize, clock: Clock, hand: Arc<Hand>) -> Site {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let start = |n: usize| {
            let options = Options::new(Profile::HomeAp, &name(n));
            Sim::start(Options { clock: clock.clone(), seed: n as u64 + 1, ssh: false, plain: false, ..options })
        };
        let sims = routers().block_on(async { join_all((0..count).map(start)).await });
        let sims = sims.into_iter().map(|sim| Arc::new(sim.unwrap())).collect();
        // Not the system's temporary directory: that may be in RAM, where no credentials are kept.
        let home = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let site = Site { sims, clock, hand, death: Arc::default(), home };
        site.run(async |appliance| appliance.enrol(&site.sims).await).unwrap();
        site
    }

    /// A process over the state directory, until the work is done; `None` when it was killed first.
    pub fn run<T>(&self, work: impl AsyncFnOnce(&Appliance) -> T) -> Option<T> {
        self.death.begin_anew();
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let appliance = self.open();
            tokio::select! {
                biased;
                () = self.death.wait() => None,
                done = tokio::time::timeout(PATIENCE, work(&appliance)) => Some(done.expect("it hangs")),
            }
        })
    }

    /// Kills the process at the first request like that to one router; none of what it still sends arrives anywhere.
    pub fn dies_at(&self, router: usize, method: &'static str, path: &'static str) {
        for (n, sim) in self.sims.iter().enumerate() {
            let death = self.death.clone();
            let mut struck = false;
            sim.hook(move |step, _| {
                if n == router && !struck && step.method == method && step.path.starts_with(path) {
                    struck = true;
                    death.come();
                }
                if death.is_here() { Verdict::Close } else { Verdict::Go }
            });
        }
    }

    fn open(&self) -> Appliance {
        let options = store::Options { flush_interval: Duration::from_secs(60), ..store::Options::at(self.home.path().join("store.redb")) };
        let (store, seal) = (Store::open(options).unwrap(), Seal::new(&[3; 32]));
        let routeros = fleet::Config { requests_per_second: 10_000, connect_timeout_seconds: 1, ..fleet::Config::default() };
        let settings = fleet::Settings { routeros, ..fleet::Settings::new(Environment::Lab) };
        let parts = fleet::Parts { store: store.clone(), seal: seal.clone(), clock: self.clock.clone(), bus: Bus::default(), settings };
        let fleet = Fleet::open(parts).unwrap();
        let audit = Audit::open(&self.home.path().join("audit"), self.clock.clone(), audit::Options::default()).unwrap();
        let drafter =
            Worker { fleet: fleet.clone(), store: store.clone(), clock: self.clock.clone(), rules: Rules::open(Environment::Lab) };
        let diary = Arc::new(Diary(store.clone(), self.death.clone()));
        let rules = Rules::open(Environment::Lab);
        let parts = Parts {
            store: store.clone(),
            fleet: fleet.clone(),
            audit,
            clock: self.clock.clone(),
            rules: rules.clone(),
            seal,
            settings: Settings::default(),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
            drafter: Arc::new(drafter),
            store_rolled_back: false,
        };
        Appliance { engine: Engine::open_on(parts, diary).unwrap(), fleet, rules, store }
    }

    /// The rows of a menu that carry this comment, by router.
    pub fn holders(&self, menu: &str, comment: &str) -> Vec<usize> {
        let holds = |sim: &Sim| sim.world().rows(menu).iter().any(|row| row.get("comment") == Some(comment));
        self.sims.iter().enumerate().filter(|(_, sim)| holds(sim)).map(|(n, _)| n).collect()
    }

    /// Scripts and timers of ours on any router.
    pub fn leftovers(&self) -> Vec<String> {
        let mut left = Vec::new();
        for (n, sim) in self.sims.iter().enumerate() {
            for menu in ["/system/script", "/system/scheduler"] {
                let rows = sim.world().rows(menu);
                let ours = rows.iter().filter_map(|row| row.get("name")).filter(|name| name.starts_with("mcp-"));
                left.extend(ours.map(|ours| format!("{}: {menu} {ours}", name(n))));
            }
        }
        left
    }

    /// The trail is whole.
    pub fn trail(&self) -> u64 {
        audit::verify(&self.home.path().join("audit")).unwrap().records
    }
}

/// The name of a router and its device.
pub(crate) fn name(n: usize) -> String {
    format!("r{n:02}")
}

/// Who writes plans.
pub(crate) fn author() -> Principal {
    Principal::stdio(Role::OpsRw)
}

/// A running appliance.
pub(crate) struct Appliance {
    pub engine: Engine,
    pub fleet: Fleet,
    rules: Rules,
    store: Store,
}

impl Appliance {
    async fn enrol(&self, sims: &[Arc<Sim>]) {
        for (n, sim) in sims.iter().enumerate() {
            let new = NewDevice {
                name: name(n),
                place: Place { address: "127.0.0.1".into(), rest_port: sim.https_port(), ssh_port: 1, plain_http: false },
                username: "mcp".into(),
                environment: Environment::Lab,
                tags: vec![],
                capabilities: Capability::ALL.into_iter().collect(),
                ssh_only: false,
                only_named: false,
            };
            let password = NewCredential::password(sim.credentials().mcp.password);
            self.fleet.enroll(new, password, Pins::default()).await.unwrap();
        }
    }

    /// A plan for these routers with as many approvals as it needs.
    pub async fn approved(&self, routers: std::ops::Range<usize>, edit: Value, more: Value) -> PlanId {
        let mut request =
            json!({"devices": routers.map(name).collect::<Vec<_>>(), "reason": "rollout", "edits": [edit], "confirm": "auto"});
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let id = self.engine.create(&author(), serde_json::from_value(request).unwrap(), "plan.create").await.unwrap();
        let (plan, _) = self.engine.plan(&id).unwrap();
        let given: Vec<Approval> = (0..plan.needed).map(|n| self.approval(&plan, n)).collect();
        if !given.is_empty() {
            let change = |plan: &mut Plan| {
                plan.approvals.clone_from(&given);
                plan.happen(PlanEvent::Approve)
            };
            self.engine.change(&id, change).await.unwrap();
        }
        id
    }

    fn approval(&self, plan: &Plan, n: u8) -> Approval {
        let (at, person) = (plan.created_at, format!("person-{n}"));
        let expires_at = Wall(at.0 + 900_000);
        let approval = Approval { name: person.clone(), person, at, expires_at, nonce: [n; 16], mac: [0; 32] };
        Approval { mac: approve::sign(plan, &approval, self.engine.approval_key()), ..approval }
    }

    /// A person's switch: no plan is applied any more.
    pub async fn switch_off(&self) {
        let by = Actor { identity: Identity::of_user("anna"), person: None, name: "anna".into() };
        let off = |set: &mut Set| {
            set.no_plan_apply = true;
            Ok(())
        };
        self.rules.switches.set(&self.store, by, Wall(0), "an incident", off).await.unwrap();
    }

    pub async fn start(&self, id: &PlanId) {
        self.engine.apply(&author(), id).await.unwrap();
    }

    /// Waits until it is over, or waits for a person.
    pub async fn ended(&self, id: &PlanId) -> Ended {
        let mut told: Vec<Tally> = Vec::new();
        let plan = self.engine.follow(id, PATIENCE, |tally| told.push(tally.clone())).await.unwrap();
        Ended { plan, line: self.engine.tally(id).unwrap().line, told, devices: self.devices(id) }
    }

    /// Waits until so many devices are done and the job rests, by what the bus tells; time passes only while nothing else happens.
    pub async fn until_done(&self, id: &PlanId, count: u32, hand: &Hand) {
        let mut events = self.fleet.bus().listen();
        while self.engine.tally(id).unwrap().done < count {
            match tokio::time::timeout(QUIET, events.recv()).await {
                Ok(event) => assert!(matches!(event.unwrap(), Event::Plan(_) | Event::Config(_) | Event::Health(_))),
                Err(_) => hand.advance(Duration::from_secs(1)),
            }
        }
    }

    /// Waits until devices stand so; time passes only while nothing else happens.
    pub async fn until(&self, id: &PlanId, states: &[&str], hand: &Hand) {
        let mut events = self.fleet.bus().listen();
        while self.states(id) != states {
            if tokio::time::timeout(QUIET, events.recv()).await.is_err() {
                hand.advance(Duration::from_secs(1));
            }
        }
    }

    pub fn devices(&self, id: &PlanId) -> Vec<Progress> {
        self.engine.plan(id).unwrap().1.into_iter().map(|(_, progress)| progress).collect()
    }

    /// The states of its devices, in order.
    pub fn states(&self, id: &PlanId) -> Vec<&'static str> {
        self.devices(id).iter().map(|device| device.state.as_str()).collect()
    }
}

/// How a job stands that is over or waits.
pub(crate) struct Ended {
    pub plan: Plan,
    pub line: String,
    pub told: Vec<Tally>,
    pub devices: Vec<Progress>,
}
