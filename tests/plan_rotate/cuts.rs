//! Cut at every step: the process killed before and after every durable write and every request, answers lost, the link cut, the
//! router restarted, its power cut, and the process killed once more while it recovers. At every moment the password the router has is
//! in the store; in the end it is the device's own, and nothing is left open.

use super::{OWN, USERS, actual, grant};
use crate::plan_rig::{self as rig, Appliance, Process, Router, Side, copy, home, operator, trail};
use routeros_mcp::fleet::Which;
use routeros_mcp::sim::hooks::{Verdict, When};
use routeros_mcp::sim::profiles::Profile;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Fewer than this many cases mean that a rotation takes fewer steps than it did, or that the generator has gone blind.
const CASES_MIN: usize = 500;
/// When a link that was cut comes back: while it is still being tried, and after everybody has given up.
const HEALS: [u64; 2] = [5, 7_200];
/// Looks a minute apart until everything must be settled.
const LOOKS: u64 = 240;

/// What is there before the rotation that is cut.
struct Start {
    name: &'static str,
    policy: &'static str,
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

fn router(policy: &str) -> Router {
    let router = Router::start(Profile::Office, false, Duration::ZERO);
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
        let (base, first) = (home(), router(policy));
        Process::new(base.path(), &first).run(async |appliance| drop(appliance.enrol(&first, "edge").await)).unwrap();
        if spare {
            hit_path(&first, Verdict::Close);
            let done = Process::new(base.path(), &first).plain().run(async |appliance| rotate(appliance).await);
            assert_eq!(done, Some(false), "{name}");
        }
        let (router, home) = (router(policy), copy(base.path()));
        router.sim.forget_requests();
        let process = Process::new(home.path(), &router).plain();
        assert_eq!(process.run(async |appliance| rotate(appliance).await), Some(true), "{name}");
        let (writes, requests) = (process.written.load(Ordering::SeqCst), router.sim.requests().len());
        Start { name, policy, base, writes, requests }
    }

    fn cuts(&self) -> Vec<Cut> {
        let mut cuts = Vec::new();
        for side in [When::Before, When::After] {
            cuts.extend((1..=self.writes).map(|n| Cut::KillAtWrite(n, side)));
            for n in 1..=self.requests {
                cuts.extend([Cut::KillAtRequest(n, side), Cut::Lost(n, side), Cut::Reboot(n, side), Cut::Power(n, side)]);
                cuts.extend(HEALS.map(|heals| Cut::Link(n, side, heals)));
                cuts.extend((1..=3).map(|again| Cut::KillTwice(n, side, again)));
            }
        }
        cuts
    }

    /// Runs one case to its end; says what is wrong.
    fn proven(&self, cut: Cut) -> Result<&'static str, String> {
        let (router, home) = (router(self.policy), copy(self.base.path()));
        let before = actual(&router);
        let mut process = Process::new(home.path(), &router).plain();
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
        known(&router, home.path())?;
        if let Cut::KillTwice(_, _, again) = cut {
            let process = Process::new(home.path(), &router).plain();
            process.dies_at_request(move |number, when, _, _| (number, when) == (again, When::After));
            process.run(async |appliance| recovered(appliance).await);
            drop(process);
            router.sim.unhook();
            known(&router, home.path())?;
        }
        if first.is_none() {
            router.pass(Duration::from_secs(60));
        }
        self.settled(&router, home.path())?;
        trail(home.path())?;
        if first == Some(true) && actual(&router) == before {
            return Err("it said that it was done".into());
        }
        Ok(if actual(&router) == before { "old" } else { "new" })
    }

    /// Another process, the link back at some time: everything is settled, the login works, and can be changed again.
    fn settled(&self, router: &Router, home: &std::path::Path) -> Result<(), String> {
        let process = Process::new(home, router).plain();
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
            match appliance.engine.rotate(&operator(), &device.id, false).await {
                Ok(rotated) if rotated.done && rotated.old_refused => Ok(()),
                other => Err(format!("not again: {other:?}")),
            }
        });
        ended.ok_or("died again")??;
        known(router, home)
    }
}

async fn recovered(appliance: &Appliance) {
    appliance.engine.resume().await.unwrap();
    appliance.engine.rest(false).await.unwrap();
}

/// Whatever happened, the password that the router has is in the store.
fn known(router: &Router, home: &std::path::Path) -> Result<(), String> {
    let has = actual(router);
    let process = Process::new(home, router).plain();
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

fn hit(router: &Router, at: usize, side: Side, verdict: Verdict) {
    router.sim.hook(move |step, _| if (step.number, step.when) == (at, side) { verdict } else { Verdict::Go });
}

/// At the request that changes the password, before it is done.
fn hit_path(router: &Router, verdict: Verdict) {
    router.sim.hook(move |step, _| {
        let asks = step.method != "GET" && (step.path == "/password" || step.path.starts_with("/user/*"));
        if asks && step.when == When::Before { verdict } else { Verdict::Go }
    });
}

#[test]
fn whatever_is_cut_at_whatever_step_a_login_that_works_is_in_the_store() {
    let starts = [
        Start::of("its own password", OWN, false),
        Start::of("its row among the users", USERS, false),
        Start::of("its own password, with a spare", OWN, true),
        Start::of("its row among the users, with a spare", USERS, true),
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
