//! Everything at once: clients read and change through whole appliances, while links are cut, routers lie, dawdle and restart, clocks step,
//! our process is killed, the disk refuses, and the identity provider and the receiver of alerts have bad days. After each burst of faults
//! everything must settle, and hold what [`invariants`] lists.
//!
//! A scenario is a seed: two routers, a state directory, and bursts one after the other; a burst is made of the seed and its number alone.
//! Faults strike at a router's Nth request, so that they fall between any two steps of whatever is under way. Requests are real (sockets,
//! TLS, SSH, the listener), so two runs of a burst may differ in which of two calls comes first; time is virtual and never does.
//!
//! ```text
//! scripts/faults 10000                              scenarios side by side until so many faults struck, and a table
//! scripts/faults --seed 7 --from 12 [--bursts 3]    what a violation names, with a trace
//! ```
//!
//! A process that is killed is dropped where it stands with all its tasks, as in `plan_rig`; kill -9 of the binary is scripts/test's. Errors
//! of single writes to the disk are the disk-fault tests'; here the disk refuses everything for a while.
//!
//! | file | holds |
//! |---|---|
//! | `scenario.rs` | what callers do in a burst |
//! | `faults.rs`, `disk.rs` | what goes wrong, and when |
//! | `witness.rs` | deals the blows at the routers' doors, notes what they are sent |
//! | `stage.rs`, `outside.rs`, `secrets.rs` | routers, time, processes; provider and receiver; canaries |
//! | `clients.rs` | who calls, and what they are told |
//! | `invariants.rs` | what must hold |
//! | `report.rs` | the table |

#![allow(clippy::print_stdout, reason = "its report is what it is for; clippy knows test functions but not their helpers here")]

mod clients;
mod disk;
mod faults;
mod invariants;
mod outside;
mod report;
mod scenario;
mod secrets;
mod stage;
mod witness;

use clients::Heard;
use faults::Kind;
use invariants::Known;
use outside::Mood;
use report::Report;
use scenario::{Act, Burst, ROUTERS, Way};
use stage::{Running, Stage};
use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Bursts of each scenario of every run of the tests.
const BURSTS: u32 = 8;
/// Fewer faults, kinds of them or calls than this in one of those mean that the runner has gone blind.
const STRUCK_MIN: usize = 60;
const KINDS_MIN: usize = 8;
const CALLS_MIN: usize = 50;
/// Seconds for what never comes because of a bug that was planted.
const PLANTED_S: usize = 3;
/// A scenario with so many violations is not gone on with.
const VIOLATIONS_MAX: usize = 2;
/// Memory that may be more in the last quarter of the bursts than in the second.
const GROWTH_MAX: usize = 48 << 20;

/// A fault of our own making, to see that it is noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Planted {
    UnrecordedWrite,
    RowByNobody,
    Guard,
    Secret,
    DeadLink,
    Record,
    Task,
}

/// Runs bursts `from..to` of a seed, each judged.
fn scenario(seed: u64, bursts: std::ops::Range<u32>, planted: Option<Planted>) -> Report {
    let stage = Stage::start(seed);
    let (mut report, mut known, mut next) = (Report::default(), Known::at_start(&stage), bursts.start);
    let _listening = stage.log.listen();
    let mut half_done: Option<(Burst, Heard)> = None;
    let mut first = true;
    // What is broken stays broken; the first traces tell most.
    while (next < bursts.end || half_done.is_some()) && report.violations.len() < VIOLATIONS_MAX {
        report.processes += 1;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let life = async {
                let running = stage.open().await;
                if std::mem::take(&mut first) {
                    stage.settle_in(&running).await;
                }
                if let Some((burst, heard)) = half_done.take() {
                    judge(&stage, &running, &mut known, &mut report, &burst, heard).await;
                    next += 1;
                }
                while next < bursts.end && report.violations.len() < VIOLATIONS_MAX {
                    let (burst, heard) = half_done.insert((burst(&stage, next, planted), Heard::default()));
                    perform(&stage, &running, burst, heard).await;
                    stage.witness.calm(&stage.routers);
                    if stage.witness.death.is_here() {
                        // It came with the last request: the next process judges.
                        std::future::pending::<()>().await;
                    }
                    let (burst, heard) = half_done.take().expect("it was just put there");
                    if let Some(planted) = planted {
                        invariants::over(&stage, &running).await;
                        plant(&stage, &running, planted).await;
                        stage.patience_s.store(PLANTED_S, Ordering::Relaxed);
                    }
                    judge(&stage, &running, &mut known, &mut report, &burst, heard).await;
                    next += 1;
                }
                running
            };
            let ended = tokio::select! {
                biased;
                () = stage.witness.death.wait() => None,
                running = life => Some(running),
            };
            stage.witness.follow(None);
            if let Some(running) = ended {
                running.app.close().await;
            }
        });
        // Every task where it stands.
        drop(runtime);
        stage.witness.death.begin_anew();
        stage.witness.calm(&stage.routers);
        if let Some((burst, _)) = &half_done {
            stage.pass(Duration::from_secs(burst.away));
        }
    }
    report.passed = Duration::from_millis(stage.passed_ms.load(Ordering::Relaxed) as u64);
    report
}

fn burst(stage: &Stage, number: u32, planted: Option<Planted>) -> Burst {
    let burst = scenario::burst(stage.seed, number, disk::may_refuse());
    match planted {
        None => burst,
        // Nothing is wrong but what was planted.
        Some(_) => Burst { faults: Vec::new(), provider: Mood::Good, endpoint: Mood::Good, ..burst },
    }
}

/// What callers do and what goes wrong, until the callers are done.
async fn perform(stage: &Stage, running: &Running, burst: &Burst, heard: &Heard) {
    stage.provider.set(burst.provider);
    stage.endpoint.set(burst.endpoint);
    for (number, router) in stage.routers.iter().enumerate() {
        stage.witness.stand(number, router, &burst.faults);
    }
    let done = stage.while_time_flows(clients::all(stage, running, &burst.acts, heard)).await;
    if done.is_none() {
        heard.wrong.lock().unwrap().push("callers wait and wait".to_owned());
    }
}

/// All is well again: everything ends, and what is wrong then is a violation.
async fn judge(stage: &Stage, running: &Running, known: &mut Known, report: &mut Report, burst: &Burst, heard: Heard) {
    let came_with_tokens =
        burst.acts.iter().any(|act| matches!(act, Act::Read { way: Way::Provider, .. } | Act::Write { way: Way::Provider, .. }));
    if burst.provider != Mood::Good && came_with_tokens {
        stage.witness.strike(Kind::Provider, format!("{:?}", burst.provider));
    }
    if burst.endpoint != Mood::Good && stage.endpoint.spoilt() > 0 {
        stage.witness.strike(Kind::Endpoint, format!("{:?}", burst.endpoint));
    }
    stage.provider.set(Mood::Good);
    stage.endpoint.set(Mood::Good);
    let mut wrong = heard.wrong.lock().unwrap().split_off(0);
    wrong.append(&mut stage.told.lock().unwrap());
    wrong.extend(known.judge(stage, running, &burst.acts, &heard, &mut report.ends).await);
    stage.endpoint.spoilt();
    let struck = stage.witness.struck();
    struck.iter().for_each(|(kind, _)| report.count(*kind));
    report.bursts += 1;
    report.memory.push(memory());
    for (outcome, n) in heard.outcomes.lock().unwrap().iter() {
        *report.outcomes.entry(outcome.clone()).or_default() += n;
    }
    let is_asked_for = std::env::var_os("FAULT_VERBOSE").is_some();
    if wrong.is_empty() && !is_asked_for {
        return;
    }
    let faults: Vec<String> = struck.iter().map(|(kind, at)| format!("    {}: {at}", kind.words())).collect();
    let calls: Vec<String> = heard.lines.lock().unwrap().iter().map(|line| format!("    {line}")).collect();
    let log: Vec<String> = stage.log.tail().lines().map(|line| format!("    {line}")).collect();
    let trace = [("faults", faults), ("calls", calls), ("log", log)].map(|(of, lines)| format!("  {of}\n{}", lines.join("\n")));
    let (seed, number) = (stage.seed, burst.number);
    let text = format!("FAULT_SEED={seed} FAULT_FROM={number}\n  {}\n{}", wrong.join("\n  "), trace.join("\n"));
    if is_asked_for {
        println!("{text}");
    }
    if !wrong.is_empty() {
        report.violations.push(text);
    }
}

/// Does something wrong behind everybody's back.
async fn plant(stage: &Stage, running: &Running, planted: Planted) {
    let world = running.app.dispatch.world();
    let router = &stage.routers[0].sim;
    match planted {
        Planted::UnrecordedWrite => {
            let lane = world.fleet.lane(&world.fleet.find(ROUTERS[0]).unwrap());
            let path = routeros_mcp::routeros::MenuPath::parse("/ip/dns/static").unwrap();
            let values = vec![("name".to_owned(), "nobody.lan".to_owned()), ("address".to_owned(), "192.0.2.1".to_owned())];
            lane.write(routeros_mcp::fleet::Write::Add { path, values }).await.unwrap();
        }
        Planted::RowByNobody => drop(router.world().add("/ip/dns/static", &[("name", "nobody.lan"), ("address", "192.0.2.1")])),
        Planted::Guard => drop(router.world().add("/system/script", &[("name", "mcp-guard-000000000000"), ("source", ":beep")])),
        Planted::Secret => {
            let text = "canary-5ec2e7-in-a-comment";
            router.world().add("/ip/dns/static", &[("name", "secret.lan"), ("address", "192.0.2.1"), ("comment", text)]);
            let heard = Heard::default();
            let act = Act::Read {
                way: Way::Inside,
                tool: "menu.read",
                arguments: serde_json::json!({ "device": ROUTERS[0], "menu": "/ip/dns/static" }),
            };
            clients::all(stage, running, &[act], &heard).await;
            let wrong = heard.wrong.into_inner().unwrap();
            stage.told.lock().unwrap().extend(wrong);
        }
        Planted::DeadLink => router.faults().set_line(routeros_mcp::sim::faults::Line::Refuse),
        Planted::Record => {
            let dir = stage.state_dir().join("audit");
            let segment =
                std::fs::read_dir(dir).unwrap().flatten().map(|entry| entry.path()).find(|path| path.extension().is_some()).unwrap();
            let mut bytes = std::fs::read(&segment).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            std::fs::write(&segment, bytes).unwrap();
        }
        Planted::Task => drop(running.app.tasks.spawn(std::future::pending::<()>())),
    }
}

/// Memory of this process that no file stands for, bytes.
fn memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() << 10
}

/// Panics of the product, wherever they happen: a task that breaks off may go unnoticed.
fn watch_panics() -> &'static Mutex<Vec<String>> {
    static SEEN: Mutex<Vec<String>> = Mutex::new(Vec::new());
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if info.location().is_some_and(|at| at.file().starts_with("src/") && !at.file().starts_with("src/sim/")) {
                SEEN.lock().unwrap().push(info.to_string());
            }
            usual(info);
        }));
    });
    &SEEN
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// One scenario, or what the environment asks for.
fn run(seed: u64) -> Report {
    let panics = watch_panics();
    let seed = number("FAULT_SEED").unwrap_or(seed);
    let from = number("FAULT_FROM").unwrap_or(0) as u32;
    let bursts = number("FAULT_BURSTS").map_or(BURSTS, |bursts| bursts as u32);
    let mut report = scenario(seed, from..from + bursts, None);
    report.violations.extend(panics.lock().unwrap().drain(..).map(|panic| format!("FAULT_SEED={seed}: {panic}")));
    println!("{report}\n{}", report.line());
    if !disk::may_refuse() {
        println!("ABSENT: the disk did not refuse: without nextest other tests share this process");
    }
    report
}

/// No violation, and as much went wrong as should.
fn holds(seed: u64) {
    let report = run(seed);
    assert!(report.violations.is_empty(), "{}", report.violations.join("\n\n"));
    assert!(report.growth() <= GROWTH_MAX, "memory after each burst: {:?}", report.memory);
    if number("FAULT_SEED").is_none() {
        let (struck, kinds) = (report.struck(), report.faults.len());
        assert!(struck >= STRUCK_MIN && kinds >= KINDS_MIN, "only {struck} faults of {kinds} kinds struck");
        assert!(report.calls() >= CALLS_MIN && report.processes > 1, "only {} calls, {} processes", report.calls(), report.processes);
    }
}

#[test]
fn holds_whatever_goes_wrong_while_clients_read_and_change() {
    holds(1);
}

/// Beside the first one, in a process of its own.
#[test]
fn holds_with_other_dice() {
    holds(2);
}

/// Beside the first two.
#[test]
fn holds_with_yet_other_dice() {
    holds(3);
}

#[test]
fn notices_each_kind_of_bug_that_is_planted() {
    for (planted, words) in [
        (Planted::UnrecordedWrite, "no intent of it stands in the trail"),
        (Planted::RowByNobody, "of no plan that is kept"),
        (Planted::Guard, "left behind"),
        (Planted::Secret, "tells a secret"),
        (Planted::DeadLink, "at rest, system.get_overview is answered"),
        (Planted::Record, "the trail does not verify"),
        (Planted::Task, "not at rest"),
    ] {
        let report = scenario(9, 0..1, Some(planted));
        assert_eq!(report.violations.len(), 1, "{planted:?}: {:#?}", report.violations);
        let said = &report.violations[0];
        assert!(said.contains(words) && said.contains("FAULT_SEED=9 FAULT_FROM=0"), "{planted:?}: {said}");
    }
}
