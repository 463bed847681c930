//! Cut at every step: the process killed before and after every durable write and every request, answers lost, the link cut, the
//! router restarted, its power cut, and the process killed once more while it recovers. At every moment the password the router has is
//! in the store; in the end it is the device's own, and nothing is left open.

use super::{OWN, USERS, actual, grant};
use crate::plan_rig::{self as rig, Appliance, Process, Router, Side, copy, home, operator, trail};
use routeros_mcp::base::fault::Kind;
use routeros_mcp::fleet::Which;
use routeros_mcp::sim::hooks::{Step, Verdict, When};
use routeros_mcp::sim::profiles::Profile;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Fewer than this many cases mean that a rotation takes fewer steps than it did, or that the generator has gone blind.
const CASES_MIN: usize = 850;
/// When a link that was cut comes back: while it is still being tried, and after everybody has given up.
const HEALS: [u64; 3] = [5, 150, 7_200];
/// Looks a minute apart until everything must be settled.
const LOOKS: u64 = 240;

/// What is there before the rotation that is cut.
struct Start {
    name: &'static str,
    policy: &'static str,
    /// Over TLS and SSH, each case with a router and a record of its own; otherwise over plain HTTP, from a copy.
    both: bool,
    /// From the moment the router has the new password, SSH lets nobody in.
    refuses: bool,
    base: tempfile::TempDir,
    writes: usize,
    requests: usize,
}

/// What goes wrong, and where.
#[derive(Debug, Clone, Copy)]
enum Cut {
    KillAtWrite(usize, Side),
    KillAtRequest(usize, Side),
    /// Killed, and once more at this request of the recovery.
    KillTwice(usize, Side, usize),
    Lost(usize, Side),
    Link(usize, Side, u64),
    Reboot(usize, Side),
    Power(usize, Side),
}

impl Cut {
    fn kind(self) -> &'static str {
        match self {
            Cut::KillAtWrite(..) => "killed at a write",
            Cut::KillAtRequest(..) => "killed at a request",
            Cut::KillTwice(..) => "killed twice",
            Cut::Lost(..) => "answer lost",
            Cut::Link(..) => "link cut",
            Cut::Reboot(..) => "router restarted",
            Cut::Power(..) => "power cut",
        }
    }

    fn kills(self) -> bool {
        matches!(self, Cut::KillAtWrite(..) | Cut::KillAtRequest(..) | Cut::KillTwice(..))
    }
}

fn router(policy: &str, ssh: bool) -> Router {
    let router = Router::start(Profile::Office, ssh, Duration::ZERO);
    router.hand.move_by_itself();
    grant(&router, policy);
    router
}

async fn rotate(appliance: &Appliance) -> bool {
    let id = appliance.fleet.list()[0].id.clone();
    appliance.engine.rotate(&operator(), &id, false).await.is_ok_and(|rotated| rotated.done)
}

impl Start {
    /// A device whose login never changed; with `spare` one that the router did not take is kept.
    fn of(name: &'static str, policy: &'static str, spare: bool) -> Start {
        let (base, first) = (home(), router(policy, false));
        enrolled(base.path(), &first);
        if spare {
            hit_path(&first, Verdict::Close);
            let done = Process::new(base.path(), &first).plain().run(async |appliance| rotate(appliance).await);
            assert_eq!(done, Some(false), "{name}");
        }
        Start { name, policy, both: false, refuses: false, base, writes: 0, requests: 0 }.uncut()
    }

    /// A device with SSH.
    fn over_both(name: &'static str, policy: &'static str, refuses: bool) -> Start {
        Start { name, policy, both: true, refuses, base: home(), writes: 0, requests: 0 }.uncut()
    }

    /// A router, and an appliance that looks after it.
    fn begin(&self) -> (Router, tempfile::TempDir) {
        let router = router(self.policy, self.both);
        let home = copy(self.base.path());
        if self.both {
            enrolled(home.path(), &router);
        }
        if self.refuses {
            let without = self.policy.replace("ssh,", "!ssh,");
            router.sim.hook(move |step, world| {
                if is_change(step) && step.when == When::After {
                    world.by_hand("admin").set("/user/group", "mcp", &[("policy", &without)]).unwrap();
                }
                Verdict::Go
            });
        }
        (router, home)
    }

    fn process<'a>(&self, home: &'a Path, router: &'a Router) -> Process<'a> {
        let process = Process::new(home, router);
        if self.both { process } else { process.plain() }
    }

    /// Nothing goes wrong: how many writes and requests it takes.
    fn uncut(self) -> Start {
        let (router, home) = self.begin();
        let steps = Arc::new(AtomicUsize::new(0));
        let seen = steps.clone();
        router.sim.hook(move |step, _| {
            seen.fetch_max(step.number, Ordering::SeqCst);
            Verdict::Go
        });
        let process = self.process(home.path(), &router);
        assert_eq!(process.run(async |appliance| rotate(appliance).await), Some(!self.refuses), "{}", self.name);
        let writes = process.written.load(Ordering::SeqCst);
        Start { writes, requests: steps.load(Ordering::SeqCst), ..self }
    }

    fn cuts(&self) -> Vec<Cut> {
        let mut cuts = Vec::new();
        for side in [When::Before, When::After] {
            cuts.extend((1..=self.writes).map(|n| Cut::KillAtWrite(n, side)));
            for n in 1..=self.requests {
                cuts.extend([Cut::KillAtRequest(n, side), Cut::Lost(n, side)]);
                if self.refuses {
                    continue;
                }
                cuts.extend([Cut::Reboot(n, side), Cut::Power(n, side)]);
                if !self.both {
                    cuts.extend(HEALS.map(|heals| Cut::Link(n, side, heals)));
                }
                cuts.extend((1..=5).map(|again| Cut::KillTwice(n, side, again)));
            }
        }
        cuts
    }

    /// Runs one case to its end; says what is wrong.
    fn proven(&self, cut: Cut) -> Result<&'static str, String> {
        let (router, home) = self.begin();
        let before = actual(&router);
        let mut process = self.process(home.path(), &router);
        match cut {
            Cut::KillAtWrite(at, side) => process.kill = Some((at, side)),
            Cut::KillAtRequest(at, side) | Cut::KillTwice(at, side, _) => {
                process.dies_at_request(move |number, when, _, _| (number, when) == (at, side));
            }
            Cut::Lost(at, side) => hit(&router, at, side, Verdict::Close),
            Cut::Link(at, side, heals) => {
                router.heal_at(Some(router.clock.mono() + Duration::from_secs(heals)));
                hit(&router, at, side, Verdict::CutLink);
            }
            Cut::Reboot(at, side) => hit(&router, at, side, Verdict::Reboot),
            Cut::Power(at, side) => hit(&router, at, side, Verdict::PowerCut),
        }
        let first = process.run(async |appliance| rotate(appliance).await);
        drop(process);
        router.sim.unhook();
        if cut.kills() != first.is_none() {
            return Err(format!("killed: {first:?}"));
        }
        self.known(&router, home.path())?;
        if let Cut::KillTwice(_, _, again) = cut {
            let process = self.process(home.path(), &router);
            process.dies_at_request(move |number, when, _, _| (number, when) == (again, When::After));
            process.run(async |appliance| recovered(appliance).await);
            drop(process);
            router.sim.unhook();
            self.known(&router, home.path())?;
        }
        if first.is_none() {
            router.pass(Duration::from_secs(60));
        }
        let is_new = self.settled(&router, home.path())? != before;
        trail(home.path())?;
        if first == Some(true) && !is_new {
            return Err("it said that it was done".into());
        }
        Ok(if is_new { "new" } else { "old" })
    }

    /// Another process, the link back at some time: everything is settled, the login works, and can be changed again. The password it
    /// came to before that.
    fn settled(&self, router: &Router, home: &Path) -> Result<String, String> {
        let process = self.process(home, router);
        let ended = process.run(async |appliance| {
            recovered(appliance).await;
            let device = appliance.fleet.list()[0].clone();
            let state = |appliance: &Appliance| appliance.fleet.rotation(&device.id).unwrap();
            for _ in 0..LOOKS {
                if !state(appliance).is_some_and(|rotation| rotation.is_open()) {
                    break;
                }
                router.pass(Duration::from_secs(60));
                appliance.engine.settle_logins(false).unwrap();
                appliance.engine.rest(false).await.unwrap();
            }
            let rotation = state(appliance);
            if let Some(left) = rotation.filter(|rotation| rotation.is_open() || rotation.attention.is_some()) {
                return Err(format!("left open: {left:?}"));
            }
            let kept = appliance.fleet.sealed_password(&device).await.unwrap();
            if kept.expose() != actual(router) {
                return Err("the device's password is not the router's".into());
            }
            router.heal_at(Some(Duration::ZERO));
            grant(router, self.policy);
            let again = async {
                loop {
                    match appliance.engine.rotate(&operator(), &device.id, false).await {
                        // A router takes a moment to listen again.
                        Err(fault) if matches!(fault.kind, Kind::Unreachable | Kind::UnknownOutcome) => tokio::task::yield_now().await,
                        done => return done,
                    }
                }
            };
            match again.await {
                Ok(rotated) if rotated.done && rotated.old_refused => Ok(kept.expose().to_owned()),
                other => Err(format!("not again: {other:?}")),
            }
        });
        let came_to = ended.ok_or("died again")??;
        self.known(router, home)?;
        Ok(came_to)
    }

    /// Whatever happened, the password that the router has is in the store.
    fn known(&self, router: &Router, home: &Path) -> Result<(), String> {
        let has = actual(router);
        let process = self.process(home, router);
        let found = process.run(async |appliance| {
            let device = appliance.fleet.list()[0].clone();
            let mut kept = vec![appliance.fleet.sealed_password(&device).await.unwrap()];
            if let Some(rotation) = appliance.fleet.rotation(&device.id).unwrap() {
                kept.extend(
                    [Which::New, Which::Previous]
                        .iter()
                        .filter_map(|which| appliance.fleet.rotation_secret(&device.id, &rotation, *which).unwrap()),
                );
            }
            kept.iter().any(|password| password.expose() == has)
        });
        if found == Some(true) { Ok(()) } else { Err("NOBODY KNOWS THE ROUTER'S PASSWORD".into()) }
    }
}

fn enrolled(home: &Path, router: &Router) {
    Process::new(home, router).run(async |appliance| drop(appliance.enrol(router, "edge").await)).unwrap();
}

async fn recovered(appliance: &Appliance) {
    appliance.engine.resume().await.unwrap();
    appliance.engine.rest(false).await.unwrap();
}

fn hit(router: &Router, at: usize, side: Side, verdict: Verdict) {
    router.sim.hook(move |step, _| if (step.number, step.when) == (at, side) { verdict } else { Verdict::Go });
}

/// At the request that changes the password, before it is done.
fn hit_path(router: &Router, verdict: Verdict) {
    router.sim.hook(move |step, _| if is_change(step) && step.when == When::Before { verdict } else { Verdict::Go });
}

/// The request that changes the password.
fn is_change(step: &Step) -> bool {
    step.method != "GET" && (step.path == "/password" || step.path.starts_with("/user/*"))
}

#[test]
fn whatever_is_cut_at_whatever_step_a_login_that_works_is_in_the_store() {
    let starts = [
        Start::of("its own password", OWN, false),
        Start::of("its row among the users", USERS, false),
        Start::of("its own password, with a spare", OWN, true),
        Start::of("its row among the users, with a spare", USERS, true),
        Start::over_both("over both services", OWN, false),
        Start::over_both("over SSH it is not taken", OWN, true),
    ];
    let cases: Vec<(&Start, Cut)> = starts.iter().flat_map(|start| start.cuts().into_iter().map(move |cut| (start, cut))).collect();
    for start in &starts {
        println!("{}: {} writes, {} requests", start.name, start.writes, start.requests);
    }
    let stride = rig::stride();
    let chosen: Vec<&(&Start, Cut)> = cases.iter().skip(stride.0).step_by(stride.1).collect();
    let tally: Mutex<BTreeMap<(&str, &str), usize>> = Mutex::default();
    let wrong: Mutex<Vec<String>> = Mutex::default();
    let done = AtomicUsize::new(0);
    rig::side_by_side(&chosen, |(start, cut)| {
        match start.proven(*cut) {
            Ok(ended) => *tally.lock().unwrap().entry((cut.kind(), ended)).or_default() += 1,
            Err(why) => wrong.lock().unwrap().push(format!("{}: {cut:?}: {why}", start.name)),
        }
        done.fetch_add(1, Ordering::SeqCst);
    });
    for ((kind, ended), count) in tally.into_inner().unwrap() {
        println!("{kind}: {count} {ended}");
    }
    let (wrong, done) = (wrong.into_inner().unwrap(), done.into_inner());
    println!("{done} cases of {} starts", starts.len());
    assert!(wrong.is_empty(), "{} of {done} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(cases.len() >= CASES_MIN && done * stride.1 >= CASES_MIN, "only {done} cases");
}
