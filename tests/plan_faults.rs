//! Routers that answer wrongly, late or not at all, guards that do not fire, clocks that step: the end is right, or it is said what is not.

use crate::plan_rig::{Process, Router, copy, difference, home, request, side_by_side, trail};
use routeros_mcp::base::fault::Kind;
use routeros_mcp::plan::record::PlanId;
use routeros_mcp::plan::state::{DeviceState, PlanState};
use routeros_mcp::sim::faults::{Fault, Rule};
use routeros_mcp::sim::hooks::{Verdict, When};
use routeros_mcp::sim::profiles::{Profile, Version};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

const FILTER: &str = "/ip/firewall/filter";
const LATER: Duration = Duration::from_secs(60);
/// Longer than any guard waits.
const LONG: Duration = Duration::from_secs(3_600);
/// Fewer wrong answers than this mean that plans ask less than they did.
const ANSWERS_MIN: usize = 200;
/// Fewer steps of a clock than this mean the same.
const STEPS_MIN: usize = 80;

/// An appliance with an approved plan, not running.
struct Ready {
    base: tempfile::TempDir,
    plan: PlanId,
}

impl Ready {
    fn of(edits: Value, confirm: &str) -> Ready {
        let (base, drafting) = (home(), Router::start(Profile::Office, false, Duration::ZERO));
        let process = Process::new(base.path(), &drafting).plain();
        let plan = process
            .run(async |appliance| {
                appliance.enrol(&drafting, "edge").await;
                appliance.approved(&request(edits, confirm)).await.unwrap()
            })
            .unwrap();
        Ready { base, plan }
    }

    fn router(&self) -> Router {
        let router = Router::start(Profile::Office, false, LATER);
        router.hand.move_by_itself();
        router
    }
}

fn rule() -> Value {
    json!([{"menu": FILTER, "op": "set", "match": {"comment": "wireguard"}, "values": {"dst-port": "13232"}}])
}

/// How it ended, once everybody had time: right, or wrong in these words.
fn ended(ready: &Ready, router: &Router, home: &tempfile::TempDir, before: &BTreeMap<String, Vec<String>>) -> Result<&'static str, String> {
    let process = Process::new(home.path(), router).plain();
    let (plan, progress) = process
        .run(async |appliance| {
            appliance.engine.resume().await.unwrap();
            appliance.leaves(&ready.plan, PlanState::Executing).await;
            if appliance.progress(&ready.plan).state == DeviceState::Unknown {
                router.pass(LONG);
                appliance.becomes_known(&ready.plan).await;
            }
            (appliance.engine.plan(&ready.plan).unwrap().0, appliance.progress(&ready.plan))
        })
        .ok_or("died")?;
    router.pass(LONG);
    let at = format!("{} / {} ({:?} {:?})", plan.state.as_str(), progress.state.as_str(), progress.error, progress.difference);
    trail(home.path())?;
    if !router.leftovers().is_empty() {
        return Err(format!("{at}: left behind {:?}", router.leftovers()));
    }
    let differs = difference(before, &router.rows());
    let is_planned = differs.len() == 2 && differs.iter().all(|row| row.contains("comment=wireguard"));
    match progress.state {
        DeviceState::Confirmed if is_planned => Ok("confirmed"),
        DeviceState::RolledBack | DeviceState::Skipped if differs.is_empty() => Ok(progress.state.as_str()),
        DeviceState::NeedsAttention if !progress.difference.is_empty() => Ok("needs attention, with the difference"),
        _ => Err(format!("{at}: {differs:?}")),
    }
}

/// How many ended how; none wrongly.
fn tally(ends: &[Result<&'static str, String>]) -> BTreeMap<&'static str, usize> {
    let mut tally: BTreeMap<&str, usize> = BTreeMap::new();
    ends.iter().filter_map(|end| end.as_ref().ok()).for_each(|end| *tally.entry(end).or_default() += 1);
    let wrong: Vec<&String> = ends.iter().filter_map(|end| end.as_ref().err()).collect();
    assert!(wrong.is_empty(), "{} of {} wrong: {wrong:#?}", wrong.len(), ends.len());
    tally
}

#[test]
fn whatever_answer_is_wrong_late_or_lost_the_end_is_right() {
    let faults = [
        Fault::GarbageJson,
        Fault::CutJson,
        Fault::ServerError,
        Fault::CloseBefore,
        Fault::CloseAfter,
        Fault::DoneButRefused,
        Fault::WrongBody,
        Fault::InvalidUtf8,
        Fault::RawControl,
        Fault::OthersAnswer,
        Fault::Late(Duration::from_secs(8)),
    ];
    let ready = Ready::of(rule(), "auto");
    let requests = {
        let (router, home) = (ready.router(), copy(ready.base.path()));
        router.sim.forget_requests();
        let ended =
            Process::new(home.path(), &router).plain().run(async |appliance| appliance.applied(&ready.plan).await.unwrap()).unwrap();
        assert_eq!(ended.state, DeviceState::Confirmed, "{:?}", ended.error);
        router.sim.requests().len() as u32
    };
    let cases: Vec<(Fault, u32)> = faults.iter().flat_map(|fault| (0..requests).map(|n| (*fault, n))).collect();
    let ends = side_by_side(&cases, |(fault, n)| {
        let (router, home) = (ready.router(), copy(ready.base.path()));
        let before = router.rows();
        router.sim.faults().inject(Rule::once(*fault).after(*n));
        let process = Process::new(home.path(), &router).plain();
        let first = process.run(async |appliance| appliance.applied(&ready.plan).await.map(|progress| progress.state)).ok_or("died")?;
        router.sim.faults().clear();
        drop(process);
        let end = ended(&ready, &router, &home, &before);
        if let Some(end) = end.as_ref().ok().filter(|end| end.starts_with("needs")) {
            println!("{fault:?} at request {n}: {first:?}: {end}");
        }
        end.map_err(|why| format!("{fault:?} at request {n}: {first:?}: {why}"))
    });
    println!("one wrong answer: {} cases, {:?}", ends.len(), tally(&ends));
    assert!(ends.len() >= ANSWERS_MIN, "only {}", ends.len());
}

#[test]
fn a_step_of_either_clock_by_an_hour_at_any_request_changes_nothing() {
    let modes = ["auto", "manual"].map(|confirm| Ready::of(rule(), confirm));
    let mut cases = Vec::new();
    for (mode, _) in modes.iter().enumerate() {
        for n in 1..=21 {
            cases.extend([(mode, n, "router's", 1), (mode, n, "router's", -1), (mode, n, "our", 1), (mode, n, "our", -1)]);
        }
    }
    let stepped = Arc::new(AtomicUsize::new(0));
    let ends = side_by_side(&cases, |(mode, n, whose, hours)| {
        let (ready, stepped) = (&modes[*mode], stepped.clone());
        let (router, home) = (ready.router(), copy(ready.base.path()));
        let before = router.rows();
        let (hand, clock, at, ours, by) = (router.hand.clone(), router.clock.clone(), *n, *whose == "our", i64::from(*hours) * 3_600_000);
        router.sim.hook(move |step, world| {
            if (step.number, step.when) == (at, When::Before) {
                stepped.fetch_add(1, SeqCst);
                if ours {
                    hand.step_wall(routeros_mcp::base::clock::Wall(clock.wall().0 + by));
                } else {
                    world.step_clock(by);
                }
            }
            Verdict::Go
        });
        let process = Process { keep: true, ..Process::new(home.path(), &router) }.plain();
        let first = process.run(async |appliance| appliance.applied(&ready.plan).await.unwrap()).ok_or("died")?;
        drop(process);
        router.sim.unhook();
        let end = ended(ready, &router, &home, &before);
        end.and_then(|end| {
            let kept = matches!(end, "confirmed" | "skipped");
            if kept { Ok(end) } else { Err(format!("{end}: {:?}", first.error)) }
        })
        .map_err(|why| format!("{whose} clock by {hours} h at request {n}, mode {mode}: {why}"))
    });
    let stepped = stepped.load(SeqCst);
    println!("a clock that steps: {} cases, {stepped} steps, {:?}", ends.len(), tally(&ends));
    assert!(stepped >= STEPS_MIN, "only {stepped}");
}

#[test]
fn a_guard_that_silently_never_fires_is_made_good_once_we_are_back() {
    let ready = Ready::of(rule(), "auto");
    let (router, home) = (ready.router(), copy(ready.base.path()));
    let before = router.rows();
    let process = Process::new(home.path(), &router).plain();
    process.dies_at_request(|_, when, method, path| when == When::After && method == "PATCH" && path.starts_with(FILTER));
    assert!(process.run(async |appliance| appliance.applied(&ready.plan).await.is_ok()).is_none());
    drop(process);
    router.sim.unhook();
    router.sim.faults().set_scheduler_dead(true);
    // The waiting job goes with the restart.
    router.sim.reboot();
    router.pass(LONG);
    assert!(!difference(&before, &router.rows()).is_empty(), "nobody has undone it");
    assert_eq!(ended(&ready, &router, &home, &before), Ok("rolled_back"));
}

#[test]
fn each_of_the_two_timers_alone_is_enough() {
    let ready = Ready::of(rule(), "manual");
    for gone in ["/system/scheduler", "/system/script/job"] {
        let (router, home) = (ready.router(), copy(ready.base.path()));
        let before = router.rows();
        let process = Process::new(home.path(), &router).plain();
        process.dies_at_request(|_, when, method, path| when == When::After && method == "PATCH" && path.starts_with(FILTER));
        assert!(process.run(async |appliance| appliance.applied(&ready.plan).await.is_ok()).is_none());
        drop(process);
        router.sim.unhook();
        if gone == "/system/scheduler" {
            router.sim.world().remove(gone, &format!("mcp-guard-{}", &ready.plan.as_str()[5..]));
        } else {
            router.sim.reboot();
        }
        router.pass(LONG);
        assert_eq!((difference(&before, &router.rows()), router.leftovers()), (vec![], vec![]), "without {gone}");
        assert_eq!(ended(&ready, &router, &home, &before), Ok("rolled_back"), "without {gone}");
    }
}

#[test]
fn a_router_that_was_upgraded_since_the_draft_is_left_alone() {
    let ready = Ready::of(rule(), "auto");
    let (router, home) = (Router::start_as(Profile::Office, Some(Version::V7_23), false, LATER), copy(ready.base.path()));
    router.hand.move_by_itself();
    let before = router.rows();
    let process = Process::new(home.path(), &router).plain();
    let ended = process.run(async |appliance| appliance.applied(&ready.plan).await.unwrap()).unwrap();
    assert_eq!(ended.state, DeviceState::Skipped);
    assert!(ended.error.as_ref().is_some_and(|error| error.contains("version")), "{:?}", ended.error);
    assert!(router.sim.requests().iter().all(|seen| seen.method == "GET"), "nothing was written");
    assert_eq!(router.rows(), before);
}

/// Found by the fault runner: one wrong answer made a menu unwritable on every router of that build, for good.
#[test]
fn what_a_router_says_wrongly_of_its_menus_is_not_kept() {
    let (router, home) = (Router::start(Profile::Office, false, Duration::ZERO), home());
    let process = Process::new(home.path(), &router).plain();
    process
        .run(async |appliance| {
            appliance.enrol(&router, "edge").await;
            let added =
                json!([{"menu": FILTER, "op": "add", "values": {"chain": "forward", "action": "drop", "src-address": "192.0.2.7"}}]);
            let (added, changed) = (request(added, "auto"), request(rule(), "auto"));
            for (asked, passes) in [(&added, 0), (&changed, 1)] {
                router.sim.faults().inject(Rule::once(Fault::WrongBody).on("/console/inspect").after(passes));
                let told = appliance.approved(asked).await.unwrap_err();
                assert_eq!(told.kind, Kind::Unreachable, "{}", told.said);
                router.sim.faults().clear();
            }
            appliance.approved(&added).await.unwrap();
            appliance.approved(&changed).await.unwrap();
        })
        .unwrap();
}

/// The shortest one that can be configured.
#[test]
fn a_guard_of_half_a_minute_lets_a_change_through() {
    let ready = Ready::of(rule(), "auto");
    let (router, home) = (ready.router(), copy(ready.base.path()));
    let process = Process { guard: Duration::from_secs(30), ..Process::new(home.path(), &router) }.plain();
    let progress = process.run(async |appliance| appliance.applied(&ready.plan).await.unwrap()).unwrap();
    assert_eq!(progress.state, DeviceState::Confirmed, "{:?}", progress.error);
}

/// Found by the fault runner: the guard had fired while a disk took its time, and the change that shut us out came after it.
#[test]
fn nothing_is_changed_once_the_guard_is_about_to_fire() {
    let shut_out = json!([{"menu": FILTER, "op": "add", "match_all": true, "values": {"chain": "input", "action": "reject",
        "reject-with": "tcp-reset", "protocol": "tcp", "connection-state": "new"}, "place_before": {"comment": "accept established"}}]);
    for late in [60, 600] {
        let ready = Ready::of(shut_out.clone(), "auto");
        let (router, home) = (ready.router(), copy(ready.base.path()));
        let before = router.rows();
        let (hand, armed) = (router.hand.clone(), std::sync::atomic::AtomicBool::new(false));
        router.sim.forget_requests();
        router.sim.hook(move |step, _| {
            use std::sync::atomic::Ordering::SeqCst;
            let is_ours = step.path.starts_with("/execute") || step.path.starts_with("/system/script");
            if step.when == When::After && step.method != "GET" && is_ours {
                armed.store(true, SeqCst);
            }
            // The last thing that is read before the first change.
            if step.when == When::After && step.method == "GET" && step.path == FILTER && armed.swap(false, SeqCst) {
                hand.advance(Duration::from_secs(late));
            }
            Verdict::Go
        });
        let process = Process::new(home.path(), &router).plain();
        let first = process.run(async |appliance| appliance.applied(&ready.plan).await.unwrap()).unwrap();
        drop(process);
        router.sim.unhook();
        assert_eq!(first.state, DeviceState::RolledBack, "{late} s: {:?}", first.error);
        assert!(first.error.as_ref().is_some_and(|error| error.contains("too soon to change anything")), "{late} s: {:?}", first.error);
        assert!(router.sim.requests().iter().all(|seen| seen.method != "PUT" || seen.path() != FILTER), "{late} s: it was sent");
        assert_eq!(ended(&ready, &router, &home, &before), Ok("rolled_back"), "{late} s");
    }
}
