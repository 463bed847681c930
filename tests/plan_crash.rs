//! Cut at every step: the process killed before and after every durable write and every request to the router, the link cut, the router
//! restarted, its power cut. Afterwards the router is exactly as planned and the record says confirmed, or exactly as it was and the
//! record says so; nothing of ours is left on it, and the trail holds.
//!
//! A plan is drafted and approved once; each case starts from a copy of that state directory, beside a new router on its own clock.

use crate::plan_rig::{self as rig, Process, Router, Side, copy, difference, home, request, trail};
use routeros_mcp::plan::record::PlanId;
use routeros_mcp::plan::state::{DeviceState, PlanState};
use routeros_mcp::sim::hooks::{Verdict, When};
use routeros_mcp::sim::profiles::Profile;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Fewer than this many cases mean that plans take fewer steps than they did, or that the generator has gone blind.
const CASES_MIN: usize = 2_000;
/// When a link that was cut comes back: before the guard fires, about then, and after everybody has given up.
const HEALS: [u64; 3] = [15, 150, 7_200];
/// From the draft to the start of the job.
const LATER: Duration = Duration::from_secs(60);
/// Longer than any guard waits.
const LONG: Duration = Duration::from_secs(3_600);

type Rows = BTreeMap<String, Vec<String>>;

/// What is changed, in words, and how.
fn edits() -> Vec<(&'static str, Value)> {
    const FILTER: &str = "/ip/firewall/filter";
    let vlan = json!({ "vlan-ids": "10" });
    vec![
        (
            "set a rule",
            json!([{"menu": FILTER, "op": "set", "match": {"comment": "wireguard"}, "values": {"dst-port": "13232", "log": true}}]),
        ),
        (
            "add a rule",
            json!([{"menu": FILTER, "op": "add", "values": {"chain": "forward", "action": "accept", "src-address": "10.20.30.0/24",
                "dst-address": "10.20.50.5", "comment": "iot to nvr"}, "place_before": {"comment": "iot stays out"}}]),
        ),
        ("remove a rule", json!([{"menu": FILTER, "op": "remove", "match": {"comment": "voice to internet"}}])),
        (
            "move a rule",
            json!([{"menu": FILTER, "op": "move", "match": {"comment": "guest stays out"}, "place_before": {"comment": "staff to printers"}}]),
        ),
        ("set dns", json!([{"menu": "/ip/dns", "op": "set", "values": {"servers": "9.9.9.9,149.112.112.112"}}])),
        (
            "add an address",
            json!([{"menu": "/ip/address", "op": "add", "values": {"address": "10.20.70.1/24", "interface": "vlan10-staff"}}]),
        ),
        (
            "edit a vlan of the bridge",
            json!([{"menu": "/interface/bridge/vlan", "op": "set", "match": vlan, "values": {"tagged": "bridge,ether8"}}]),
        ),
        ("switch a service off", json!([{"menu": "/ip/service", "op": "disable", "match": {"name": "winbox"}}])),
        (
            "shut us out",
            json!([{"menu": FILTER, "op": "add", "values": {"chain": "input", "action": "reject", "reject-with": "tcp-reset", "protocol": "tcp",
                "connection-state": "new", "comment": "nobody"}, "place_before": {"comment": "accept established"}}]),
        ),
        (
            "two edits",
            json!([{"menu": "/ip/dns/static", "op": "set", "match": {"name": "nvr.office.example"}, "values": {"address": "10.20.50.6"}},
                   {"menu": FILTER, "op": "disable", "match": {"comment": "staff to cameras"}}]),
        ),
    ]
}

/// A plan that is ready to be applied, and what it comes to.
struct Ready {
    name: String,
    base: tempfile::TempDir,
    plan: PlanId,
    before: Rows,
    planned: Rows,
    /// Undone, not kept, when nothing goes wrong.
    undone: bool,
    writes: usize,
    requests: usize,
}

/// What goes wrong, and where.
#[derive(Debug, Clone, Copy)]
enum Cut {
    KillAtWrite(usize, Side),
    KillAtRequest(usize, Side),
    Link(usize, Side, u64),
    Reboot(usize, Side),
    Power(usize, Side),
}

impl Cut {
    fn kind(self) -> &'static str {
        match self {
            Cut::KillAtWrite(..) => "killed at a write",
            Cut::KillAtRequest(..) => "killed at a request",
            Cut::Link(..) => "link cut",
            Cut::Reboot(..) => "router restarted",
            Cut::Power(..) => "power cut",
        }
    }
}

impl Ready {
    fn of(name: &str, edits: &Value, confirm: &str) -> Ready {
        let base = home();
        let drafting = Router::start(Profile::Office, false, Duration::ZERO);
        let process = Process::new(base.path(), &drafting);
        let plan = process
            .run(async |appliance| {
                appliance.enrol(&drafting, "edge").await;
                appliance
                    .approved(&request(edits.clone(), confirm))
                    .await
                    .map_err(|fault| format!("{name}: {} {:?}", fault.said, fault.hint))
            })
            .unwrap()
            .unwrap();
        let mut ready = Ready {
            name: format!("{name}, {confirm}"),
            base,
            plan,
            before: Rows::new(),
            planned: Rows::new(),
            undone: name == "shut us out",
            writes: 0,
            requests: 0,
        };
        ready.uncut();
        ready
    }

    /// Nothing goes wrong: how many writes and requests it takes, and how the router is then.
    fn uncut(&mut self) {
        let (router, home) = (Router::start(Profile::Office, false, LATER), copy(self.base.path()));
        router.hand.move_by_itself();
        self.before = router.rows();
        let process = Process { keep: true, ..Process::new(home.path(), &router) }.plain();
        router.sim.forget_requests();
        let ended = process.run(async |appliance| appliance.applied(&self.plan).await).unwrap().unwrap();
        (self.requests, self.writes) = (router.sim.requests().len(), process.written.load(Ordering::SeqCst));
        self.planned = router.rows();
        let expected = if self.undone { DeviceState::RolledBack } else { DeviceState::Confirmed };
        assert_eq!(ended.state, expected, "{}: {:?} {:?}", self.name, ended.error, ended.difference);
        assert_eq!(self.undone, self.planned == self.before, "{}", self.name);
        assert!(router.leftovers().is_empty(), "{}: {:?}", self.name, router.leftovers());
    }

    fn cuts(&self, turn: usize) -> Vec<Cut> {
        let mut cuts = Vec::new();
        for side in [When::Before, When::After] {
            cuts.extend((1..=self.writes).map(|n| Cut::KillAtWrite(n, side)));
            cuts.extend((1..=self.requests).map(|n| Cut::KillAtRequest(n, side)));
        }
        // Every request on one side with one plan, on the other with the next.
        let side = |n: usize| if (n + turn).is_multiple_of(2) { When::Before } else { When::After };
        for n in 1..=self.requests {
            let heals = HEALS[(n + turn / 2) % HEALS.len()];
            cuts.extend([Cut::Link(n, side(n), heals), Cut::Reboot(n, side(n)), Cut::Power(n, side(n))]);
        }
        cuts
    }

    /// Runs one case to its end; says what is wrong.
    fn proven(&self, cut: Cut, n: usize) -> Result<String, String> {
        let (router, home) = (Router::start(Profile::Office, false, LATER), copy(self.base.path()));
        router.hand.move_by_itself();
        let mut process = Process { keep: true, ..Process::new(home.path(), &router) }.plain();
        match cut {
            Cut::KillAtWrite(at, side) => process.kill = Some((at, side)),
            Cut::KillAtRequest(at, side) => process.dies_at_request(move |number, when, _, _| (number, when) == (at, side)),
            Cut::Link(at, side, heals) => {
                router.heal_at(Some(router.clock.mono() + Duration::from_secs(heals)));
                hit(&router, at, side, Verdict::CutLink);
            }
            Cut::Reboot(at, side) => hit(&router, at, side, Verdict::Reboot),
            Cut::Power(at, side) => hit(&router, at, side, Verdict::PowerCut),
        }
        let first = process.run(async |appliance| appliance.applied(&self.plan).await.map(|progress| progress.state));
        drop(process);
        router.sim.unhook();
        let killed = first.is_none();
        // After the last write all is done, and whether the end or the death comes first is a matter of luck.
        let is_over = matches!(cut, Cut::KillAtWrite(at, When::After) if at == self.writes) && matches!(first, Some(Ok(_)));
        if matches!(cut, Cut::KillAtWrite(..) | Cut::KillAtRequest(..)) != killed && !is_over {
            return Err(format!("killed: {killed}: {first:?}"));
        }
        // Some time nobody is there: sometimes less than the guard waits, sometimes more.
        if killed {
            router.pass(Duration::from_secs([0, 30, 600][n % 3]));
        }
        self.again(&router, &home, n)
    }

    /// A new process over the same state; then everything must be settled.
    fn again(&self, router: &Router, home: &tempfile::TempDir, n: usize) -> Result<String, String> {
        let process = Process::new(home.path(), router).plain();
        let (plan, progress) = process
            .run(async |appliance| {
                // The person may have waited for us.
                if n.is_multiple_of(2) {
                    appliance.engine.confirm(&self.plan).await.ok();
                }
                appliance.engine.resume().await.unwrap();
                appliance.leaves(&self.plan, PlanState::Executing).await;
                if appliance.progress(&self.plan).state == DeviceState::Unknown {
                    router.pass(LONG);
                    router.heal_at(Some(Duration::ZERO));
                    appliance.becomes_known(&self.plan).await;
                }
                let plan = appliance.engine.plan(&self.plan).unwrap().0;
                (plan, appliance.progress(&self.plan))
            })
            .ok_or("died again")?;
        router.pass(LONG);
        let (now, left) = (router.rows(), router.leftovers());
        let at = format!("{} / {} ({:?})", plan.state.as_str(), progress.state.as_str(), progress.error);
        if !left.is_empty() {
            return Err(format!("{at}: left behind {left:?}"));
        }
        trail(home.path()).map_err(|why| format!("{at}: {why}"))?;
        let (wanted, plans): (&Rows, &[PlanState]) = match progress.state {
            DeviceState::Confirmed => (&self.planned, &[PlanState::Confirmed]),
            DeviceState::RolledBack => (&self.before, &[PlanState::RolledBack]),
            DeviceState::Skipped => (&self.before, &[PlanState::Failed]),
            DeviceState::Pending => (&self.before, &[PlanState::Draft, PlanState::Approved]),
            _ => return Err(at),
        };
        if !plans.contains(&plan.state) || (self.undone && progress.state == DeviceState::Confirmed) {
            return Err(at);
        }
        if now != *wanted {
            return Err(format!("{at}: {:?}; it said {:?}", difference(wanted, &now), router.said()));
        }
        Ok(progress.state.as_str().to_owned())
    }
}

fn hit(router: &Router, at: usize, side: Side, verdict: Verdict) {
    router.sim.hook(move |step, _| if (step.number, step.when) == (at, side) { verdict } else { Verdict::Go });
}

#[test]
fn whatever_is_cut_at_whatever_step_the_change_is_kept_whole_or_undone_whole() {
    let modes = ["auto", "manual"];
    let wanted: Vec<(&str, Value, &str)> =
        edits().into_iter().flat_map(|(name, edits)| modes.map(|mode| (name, edits.clone(), mode))).collect();
    let plans = rig::side_by_side(&wanted, |(name, edits, mode)| Ready::of(name, edits, mode));
    let cases: Vec<(&Ready, Cut)> =
        plans.iter().enumerate().flat_map(|(turn, plan)| plan.cuts(turn).into_iter().map(move |cut| (plan, cut))).collect();
    for plan in &plans {
        println!("{}: {} writes, {} requests", plan.name, plan.writes, plan.requests);
    }
    let stride = rig::stride();
    let chosen: Vec<(usize, &(&Ready, Cut))> = cases.iter().enumerate().skip(stride.0).step_by(stride.1).collect();
    let tally: Mutex<BTreeMap<(&str, String), usize>> = Mutex::default();
    let wrong: Mutex<Vec<String>> = Mutex::default();
    let done = AtomicUsize::new(0);
    rig::side_by_side(&chosen, |(n, (plan, cut))| {
        match plan.proven(*cut, *n) {
            Ok(ended) => *tally.lock().unwrap().entry((cut.kind(), ended)).or_default() += 1,
            Err(why) => wrong.lock().unwrap().push(format!("{n}: {}: {cut:?}: {why}", plan.name)),
        }
        done.fetch_add(1, Ordering::SeqCst);
    });
    for ((kind, ended), count) in tally.into_inner().unwrap() {
        println!("{kind}: {count} {ended}");
    }
    let (wrong, done) = (wrong.into_inner().unwrap(), done.into_inner());
    println!("{done} cases of {} plans", plans.len());
    assert!(wrong.is_empty(), "{} of {done} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(cases.len() >= CASES_MIN && done * stride.1 >= CASES_MIN, "only {done} cases");
}
