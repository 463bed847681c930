//! A whole appliance over a disk with a fate, beside one simulated router, and what both of them know afterwards.

use super::fate::Fate;
use crate::access::principal::Principal;
use crate::app::App;
use crate::audit::{self, Stored};
use crate::base::clock::{Clock, Tempo};
use crate::base::fault::{Fault, Kind};
use crate::config::{self, Inputs};
use crate::dispatch::{Call, Reply};
use crate::plan::state::PlanState;
use crate::routeros::pin::format_fingerprint;
use crate::sim::hooks::{Verdict, When};
use crate::sim::profiles::Profile;
use crate::sim::{Options, Sim};
use crate::tools::spec::Audience;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// How fast time goes while somebody works: pauses of seconds take no time, and a window of minutes is open long enough.
pub(super) const AT_WORK: u32 = 40;
/// How fast it goes while everything comes to its end.
pub(super) const ENDING: u32 = 2_000;
/// Longer than any guard waits.
const LONG: Duration = Duration::from_secs(7_200);
/// Between looks at what comes to its end.
pub(super) const LOOK: Duration = Duration::from_secs(20);
/// Something that takes longer than this hangs.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// A router, its clock, and a state directory.
pub(super) struct Site {
    pub sim: Arc<Sim>,
    pub clock: Clock,
    pub tempo: Arc<Tempo>,
    pub home: tempfile::TempDir,
    pub fate: Fate,
    changes: Arc<Mutex<Vec<Change>>>,
    step: Arc<Mutex<&'static str>>,
    /// What callers were told, in order.
    pub told: Mutex<Vec<Told>>,
}

/// A request that changed the router, and how far the trail was on the disk when it came.
#[derive(Debug, Clone)]
struct Change {
    step: &'static str,
    method: String,
    path: String,
    trail: BTreeMap<PathBuf, u64>,
}

/// An answer.
#[derive(Debug, Clone)]
pub(super) struct Told {
    pub step: &'static str,
    pub tool: String,
    pub fault: Option<Kind>,
    pub text: String,
    pub structured: Value,
    pub correlation: String,
}

fn routers() -> &'static Runtime {
    static ROUTERS: OnceLock<Runtime> = OnceLock::new();
    ROUTERS.get_or_init(|| Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap())
}

impl Site {
    pub fn start(fate: Fate) -> Site {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (clock, tempo) = Clock::paced();
        tempo.set(AT_WORK);
        let options = Options { clock: clock.clone(), ssh: false, plain: false, ..Options::new(Profile::Office, "edge") };
        let sim = Arc::new(routers().block_on(Sim::start(options)).unwrap());
        let policy = "ssh,ftp,reboot,read,write,test,password,sensitive,api,rest-api";
        sim.world().by_hand("admin").set("/user/group", "mcp", &[("policy", policy)]).unwrap();
        let home = tempfile::tempdir_in(concat!(env!("CARGO_MANIFEST_DIR"), "/target")).unwrap();
        let (changes, step): (Arc<Mutex<Vec<Change>>>, Arc<Mutex<&'static str>>) = (Arc::default(), Arc::default());
        let (seen, now, disk) = (changes.clone(), step.clone(), fate.clone());
        sim.hook(move |at, _| {
            if disk.is_off() {
                return Verdict::Close;
            }
            if at.when == When::Before && !at.looks() {
                let (step, trail) = (*now.lock().unwrap(), disk.trail());
                seen.lock().unwrap().push(Change { step, method: at.method.clone(), path: at.path.clone(), trail });
            }
            Verdict::Go
        });
        Site { sim, clock, tempo, home, fate, changes, step, told: Mutex::default() }
    }

    /// Runs a process over the state directory until the work is done; what is left of it ends at once.
    pub fn process<T>(&self, work: impl AsyncFnOnce() -> T) -> T {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async { tokio::time::timeout(PATIENCE, work()).await.expect("it hangs") })
    }

    pub async fn build(&self) -> Result<App, Fault> {
        let flags = [
            ("environment", "lab"),
            ("plan.self_approval", "lab"),
            ("mcp.toolsets", "all"),
            ("routeros.requests_per_second", "1000"),
            ("routeros.retry_attempts", "0"),
            ("log.level", "WARN"),
            ("store.flush_interval", "5m"),
        ];
        let flags = flags.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec();
        let state = self.home.path().join("state");
        let env = vec![("ROUTEROS_MCP_CONFIG_FILE".to_owned(), String::new())];
        let loaded = config::load(&Inputs { config_flag: None, data_dir: Some(state), flags, env });
        let loaded = loaded.map_err(|problems| format!("{:?}", problems.list)).unwrap();
        let media = self.fate.media();
        let app = App::build_over(&loaded, self.clock.clone(), crate::store::Progress::default(), media).await?;
        app.plans().resume().await?;
        Ok(app)
    }

    pub fn step(&self, name: &'static str) {
        *self.step.lock().unwrap() = name;
    }

    /// A call at the command line.
    pub async fn call(&self, app: &App, tool: &str, arguments: Value) -> Reply {
        let arguments = arguments.as_object().cloned().unwrap_or_default();
        let call = Call::new(tool, arguments, Arc::new(Principal::operator()), Audience::Operator);
        let reply = app.dispatch.call(call).await;
        let correlation = reply.meta.get("correlation_id").and_then(Value::as_str).unwrap_or_default().to_owned();
        let step = *self.step.lock().unwrap();
        let (text, structured) = (reply.text.clone(), reply.structured.clone());
        // Nobody hears what is said after the power went.
        let fault = if self.fate.is_off() { Some(Kind::UnknownOutcome) } else { reply.fault };
        self.told.lock().unwrap().push(Told { step, tool: tool.to_owned(), fault, text, structured, correlation });
        reply
    }

    pub fn arrival(&self) -> Value {
        let login = self.sim.credentials().mcp;
        json!({
            "name": "edge", "address": "127.0.0.1", "rest_port": self.sim.https_port(), "ssh_port": 1,
            "username": login.user, "password": login.password.expose(),
            "tls_fingerprint": format_fingerprint(&self.sim.fingerprint()),
            "capabilities": ["writes", "professional", "firewall", "routing", "wireless", "dhcp", "bridge", "system"],
        })
    }

    /// An attribute of a row on the router.
    pub fn value(&self, menu: &str, key: (&str, &str), attribute: &str) -> String {
        let mut world = self.sim.world();
        let rows = world.rows(menu);
        let row = rows.iter().find(|row| row.get(key.0) == Some(key.1)).unwrap_or_else(|| panic!("no {key:?} in {menu}"));
        row.get(attribute).unwrap_or_default().to_owned()
    }

    /// Guards of ours on the router.
    fn guards(&self) -> Vec<String> {
        let mut world = self.sim.world();
        let mut left = Vec::new();
        for menu in ["/system/script", "/system/scheduler"] {
            let rows = world.rows(menu);
            left.extend(rows.iter().filter_map(|row| row.get("name")).filter(|name| name.starts_with("mcp-")).map(str::to_owned));
        }
        left.extend(world.rows("/system/script/job").iter().map(|job| format!("job {job:?}")));
        left
    }

    /// Waits until no plan is being applied, as time goes by.
    pub async fn settled(&self, app: &App) -> Result<(), String> {
        self.tempo.set(ENDING);
        let over = async {
            loop {
                app.plans().settle_logins(false).map_err(|fault| fault.said)?;
                app.plans().rest(true).await.map_err(|fault| fault.said)?;
                let plans = app.plans().list().map_err(|fault| fault.said)?;
                if plans.iter().all(|plan| plan.state != PlanState::Executing) {
                    return Ok(());
                }
                self.clock.sleep(LOOK).await;
            }
        };
        let settled = tokio::time::timeout(PATIENCE / 4, over).await;
        self.tempo.set(AT_WORK);
        settled.unwrap_or_else(|_| {
            let plans = app.plans().list().unwrap_or_default();
            Err(format!("still being applied: {:?}", plans.iter().map(|plan| (plan.reason.clone(), plan.state)).collect::<Vec<_>>()))
        })
    }

    /// Two hours later, with nobody there.
    pub fn much_later(&self) {
        self.tempo.set(100_000);
        routers().block_on(self.clock.sleep(LONG));
        self.sim.settle();
    }

    /// The trail is whole, everything that reached the router was in it before, and so is everything that callers were told was done.
    pub fn reckoning(&self) -> Result<(), String> {
        let dir = self.home.path().join("state/audit");
        audit::verify(&dir).map_err(|error| format!("the trail: {error}"))?;
        let records = audit::with_ends(&dir).map_err(|error| format!("the trail: {error}"))?;
        for change in self.changes.lock().unwrap().iter() {
            let is_there = |(path, end, _): &&(PathBuf, u64, Stored)| change.trail.get(path).is_some_and(|flushed| end <= flushed);
            let wanted = intents(&change.path);
            let is_intent = |stored: &Stored| stored.record.phase == audit::Phase::Intent && wanted.contains(&stored.record.tool.as_str());
            if !records.iter().filter(is_there).any(|(_, _, stored)| is_intent(stored)) {
                return Err(format!("in {}: {} {} without one of {wanted:?} on the disk before", change.step, change.method, change.path));
            }
        }
        for told in self.told.lock().unwrap().iter().filter(|told| told.fault.is_none() && !is_read(&told.tool)) {
            if !records.iter().any(|(_, _, stored)| stored.record.correlation_id == told.correlation) {
                return Err(format!("in {}: {} was answered and is not in the trail", told.step, told.tool));
            }
        }
        match self.guards() {
            left if left.is_empty() => Ok(()),
            left => Err(format!("left behind: {left:?}")),
        }
    }

    /// How many requests changed the router.
    pub fn changes(&self) -> usize {
        self.changes.lock().unwrap().len()
    }
}

/// What the trail calls it when something is sent there.
fn intents(path: &str) -> &'static [&'static str] {
    match path {
        path if path.starts_with("/ip/firewall") => &["plan.apply", "plan.roll_back"],
        path if path.starts_with("/interface") => &["plan.apply", "plan.roll_back"],
        path if path.starts_with("/password") || path.starts_with("/user") => &["device.rotate_credentials"],
        path if path.starts_with("/export") || path.starts_with("/file") => &["config.take_snapshot"],
        _ => &["plan.arm", "plan.confirm", "plan.roll_back", "plan.clean"],
    }
}

fn is_read(tool: &str) -> bool {
    crate::tools::find(tool).is_some_and(|tool| tool.effect == crate::base::tier::Effect::Reads)
}
