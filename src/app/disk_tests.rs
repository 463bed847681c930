//! A scripted run of a whole appliance over a disk that fails at its Nth operation, for every N that is worth it: full until somebody
//! frees room, read-only for a while, one I/O error, a power cut.
//!
//! Whatever comes: nothing reaches the router that is not on the disk before it, reads are served while only writes fail, nobody is told
//! that something was done which was not, no guard is left behind, and everything works again without a restart.

mod fate;
mod moments;
mod site;

use crate::app::App;
use crate::base::fault::Kind;
use fate::{Act, Fate, Kept, Trouble};
use serde_json::{Value, json};
use site::{AT_WORK, Site};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// Fewer than this many cases mean that a run does less than it did, or that the generator has gone blind.
const CASES_MIN: usize = 260;
/// Of each step and trouble, about twice so many operations are taken.
const FIRST: usize = 2;
const TROUBLES: [Trouble; 6] = [
    Trouble::Full,
    Trouble::ReadOnly(40),
    Trouble::Once,
    Trouble::Power(Kept::Nothing),
    Trouble::Power(Kept::All),
    Trouble::Power(Kept::Half),
];

const FILTER: &str = "/ip/firewall/filter";
const KEPT: (&str, &str) = ("comment", "wireguard");
const TAKEN_BACK: (&str, &str) = ("comment", "staff to cameras");

/// What the run is made of, in order.
const STEPS: [&str; 14] = [
    "enrol",
    "read",
    "small write",
    "query the trail",
    "draft",
    "approve",
    "apply",
    "keep",
    "draft another",
    "apply another",
    "roll back",
    "health",
    "snapshot",
    "rotate",
];

/// What a run knows while it goes on.
#[derive(Default)]
struct Run {
    plans: BTreeMap<&'static str, String>,
    /// Steps since the first operation failed.
    since: usize,
    /// Which password the router has cannot be written down, so the router is not read before it can.
    login_is_unknown: bool,
}

impl Run {
    async fn step(&mut self, site: &Site, app: &App, name: &'static str) {
        let plan = |which: &str| json!({"plan_id": self.plans.get(which).cloned().unwrap_or_else(|| "plan-0".into())});
        let edge = || json!({"device": "edge"});
        let rule = |key: (&str, &str), values: Value| {
            let edits = json!([{"menu": FILTER, "op": "set", "match": {key.0: key.1}, "values": values}]);
            json!({"devices": ["edge"], "reason": name, "edits": edits, "confirm": "manual", "confirm_timeout": "5m"})
        };
        let waited = |mut arguments: Value| {
            arguments["wait_seconds"] = 20.into();
            arguments
        };
        match name {
            "enrol" => {
                if site.call(app, "device.add", site.arrival()).await.fault.is_some() {
                    // Nothing can be done without it.
                    site.fate.heal();
                    site.call(app, "device.add", site.arrival()).await;
                }
            }
            "read" => drop(site.call(app, "interface.list", edge()).await),
            "small write" => {
                let arguments = json!({"device": "edge", "name": "ether2", "comment": "written"});
                site.call(app, "interface.update_comment", arguments).await;
            }
            "query the trail" => drop(site.call(app, "audit.get_events", json!({})).await),
            "draft" | "draft another" => {
                let asked =
                    if name == "draft" { rule(KEPT, json!({"dst-port": "13232"})) } else { rule(TAKEN_BACK, json!({"disabled": true})) };
                let reply = site.call(app, "plan.create", asked).await;
                if let Some(id) = reply.structured["id"].as_str().map(str::to_owned) {
                    if name == "draft another" {
                        site.call(app, "plan.approve", json!({"plan_id": id})).await;
                    }
                    self.plans.insert(if name == "draft" { "kept" } else { "taken back" }, id);
                }
            }
            "approve" => drop(site.call(app, "plan.approve", plan("kept")).await),
            "apply" => drop(site.call(app, "plan.apply", waited(plan("kept"))).await),
            "keep" => drop(site.call(app, "plan.keep", plan("kept")).await),
            "apply another" => drop(site.call(app, "plan.apply", waited(plan("taken back"))).await),
            "roll back" => drop(site.call(app, "plan.roll_back", plan("taken back")).await),
            "health" => {
                site.call(app, "device.check_connectivity", edge()).await;
                app.dispatch.world().history.save().await.ok();
            }
            "snapshot" => drop(site.call(app, "config.take_snapshot", edge()).await),
            "rotate" => {
                let reply = site.call(app, "device.rotate_credentials", edge()).await;
                self.login_is_unknown = reply.fault == Some(Kind::UnknownOutcome);
            }
            other => panic!("no step {other}"),
        }
    }

    /// All of it. A full disk gets room two steps after it was first noticed.
    async fn all(&mut self, site: &Site, app: &App, trouble: Option<Trouble>) -> Result<Vec<u64>, String> {
        let mut begins = Vec::new();
        for name in STEPS {
            site.step(name);
            begins.push(site.fate.count());
            self.step(site, app, name).await;
            if site.fate.is_off() {
                return Ok(begins);
            }
            if site.fate.failed() == 0 {
                continue;
            }
            self.since += 1;
            if trouble.is_some_and(Trouble::is_readable) {
                reads(site, app, !self.login_is_unknown).await.map_err(|why| format!("after {name}: {why}"))?;
            }
            if self.since == 3 {
                site.fate.heal();
            }
        }
        Ok(begins)
    }
}

/// What is only read is answered, by the router too.
async fn reads(site: &Site, app: &App, by_router: bool) -> Result<(), String> {
    let asked = [
        ("device.list", json!({})),
        ("plan.list", json!({})),
        ("audit.get_events", json!({})),
        ("interface.list", json!({"device": "edge"})),
    ];
    for (tool, arguments) in asked.into_iter().take(if by_router { 4 } else { 3 }) {
        let reply = site.call(app, tool, arguments).await;
        if reply.fault.is_some() {
            return Err(format!("{tool} is not served: {}", reply.text));
        }
    }
    Ok(())
}

/// One run with one trouble; how the plan that was to be kept ended.
fn proven(at: u64, trouble: Trouble, seed: u64) -> Result<String, String> {
    let site = Site::start(Fate::of(at, trouble));
    let before = site.value(FILTER, KEPT, "dst-port");
    let went = site.process(async || {
        let app = match site.build().await {
            Ok(app) => app,
            Err(fault) if site.fate.failed() > 0 && fault.kind == Kind::Storage => {
                // It says so and ends; its supervisor starts it again.
                site.fate.heal();
                if site.fate.is_off() {
                    return Ok(None);
                }
                site.build().await.map_err(|fault| format!("it does not start once healed: {}", fault.chain()))?
            }
            Err(fault) => return Err(format!("it does not start: {}", fault.chain())),
        };
        Run::default().all(&site, &app, Some(trouble)).await?;
        if site.fate.is_off() {
            return Ok(None);
        }
        site.fate.heal();
        site.step("settle");
        site.settled(&app).await?;
        finish(&site, &app).await.map(Some)?;
        app.close().await;
        Ok(Some(()))
    })?;
    if went.is_none() {
        let Trouble::Power(kept) = trouble else { return Err("off without a power cut".into()) };
        site.fate.power_on(kept, seed);
        site.process(async || {
            let app = site.build().await.map_err(|fault| format!("it does not start after the power cut: {}", fault.chain()))?;
            site.step("settle");
            if app.dispatch.world().fleet.find("edge").is_err() {
                let told = site.told.lock().unwrap().iter().any(|told| told.tool == "device.add" && told.fault.is_none());
                if told {
                    return Err("a device that was added is gone".to_owned());
                }
                site.call(&app, "device.add", site.arrival()).await;
            }
            site.settled(&app).await?;
            finish(&site, &app).await?;
            app.close().await;
            Ok(())
        })?;
    }
    site.much_later();
    site.reckoning()?;
    verdict(&site, &before)
}

/// It works again.
async fn finish(site: &Site, app: &App) -> Result<(), String> {
    site.step("finish");
    site.tempo.set(AT_WORK);
    reads(site, app, true).await.map_err(|why| format!("once healed {why}"))?;
    let arguments = json!({"device": "edge", "name": "ether3", "comment": "at the end"});
    let reply = site.call(app, "interface.update_comment", arguments).await;
    if reply.fault.is_some() || site.value("/interface", ("name", "ether3"), "comment") != "at the end" {
        return Err(format!("once healed a small write does not work: {}", reply.text));
    }
    Ok(())
}

/// Whether what callers were told is so.
fn verdict(site: &Site, before: &str) -> Result<String, String> {
    let told = site.told.lock().unwrap();
    let answer = |step: &str, tool: &str| told.iter().rfind(|told| told.step == step && told.tool == tool);
    let comment = site.value("/interface", ("name", "ether2"), "comment");
    if let Some(write) = answer("small write", "interface.update_comment") {
        let is_there = comment == "written";
        match write.fault {
            None if !is_there => return Err(format!("the small write was answered and is not there: {}", write.text)),
            Some(kind) if kind != Kind::UnknownOutcome && is_there => {
                return Err(format!("the small write was refused and is there: {}", write.text));
            }
            _ => {}
        }
    }
    let (kept, taken_back) = (site.value(FILTER, KEPT, "dst-port"), site.value(FILTER, TAKEN_BACK, "disabled"));
    // A flag that is off may be said or not.
    if taken_back == "true" {
        return Err(format!("what nobody kept is there: disabled={taken_back}"));
    }
    let word = answer("keep", "plan.keep");
    let is_kept = kept == "13232";
    if !is_kept && kept != before {
        return Err(format!("neither as planned nor as it was: {kept}"));
    }
    match word {
        Some(word) if word.fault.is_none() && word.structured["state"] == "confirmed" && !is_kept => {
            return Err(format!("it was said to be kept and is not: {}", word.text));
        }
        Some(word) if word.fault.is_some_and(|kind| kind != Kind::UnknownOutcome) && is_kept => {
            return Err(format!("keeping was refused and it is kept: {}", word.text));
        }
        None if is_kept => return Err("nobody kept it and it is kept".into()),
        _ => {}
    }
    Ok(if is_kept { "kept" } else { "as before" }.to_owned())
}

/// A run in which nothing goes wrong: at which operation each step begins, and what each operation is.
fn uncut() -> (Vec<u64>, Vec<Act>) {
    let site = Site::start(Fate::default());
    let begins = site.process(async || {
        let app = site.build().await.unwrap();
        let begins = Run::default().all(&site, &app, None).await.unwrap();
        app.close().await;
        begins
    });
    for told in site.told.lock().unwrap().iter() {
        assert!(told.fault.is_none(), "{}: {}: {}", told.step, told.tool, told.text);
    }
    assert_eq!(site.value(FILTER, KEPT, "dst-port"), "13232");
    site.much_later();
    site.reckoning().unwrap();
    let acts = site.fate.acts();
    let count = |act: Act| acts.iter().filter(|other| **other == act).count();
    let each = [Act::Open, Act::Read, Act::Write, Act::SetLen, Act::Sync].map(|act| format!("{act:?} {}", count(act)));
    println!("{} operations ({}), {} changes of the router; steps begin at {begins:?}", acts.len(), each.join(", "), site.changes());
    (begins, acts)
}

/// Which troubles at which operations: the first of the start and of each step, and about as many of the rest.
fn cases(begins: &[u64], acts: &[Act], seed: u64) -> Vec<(u64, Trouble)> {
    let mut chance = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut all = Vec::new();
    let (mut from, mut ends) = (0, begins.to_vec());
    ends.push(acts.len() as u64);
    for end in ends {
        for trouble in TROUBLES {
            let places: Vec<u64> = (from..end).filter(|at| trouble.begins_at(acts[*at as usize])).map(|at| at + 1).collect();
            for (n, at) in places.iter().enumerate() {
                chance = chance.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(0x1405_7B7E_F767_814F);
                if n < FIRST || (chance >> 33) % (places.len() as u64) < FIRST as u64 {
                    all.push((*at, trouble));
                }
            }
        }
        from = end;
    }
    all
}

/// `DISK_CASE=120,full` for one of them.
fn chosen(text: &str) -> (u64, Trouble) {
    let (at, word) = text.split_once(',').unwrap();
    let trouble = TROUBLES.into_iter().find(|trouble| format!("{trouble:?}").to_lowercase().starts_with(word)).unwrap();
    (at.parse().unwrap(), trouble)
}

#[test]
fn a_start_on_a_full_disk_serves_reads_refuses_changes_and_goes_on_once_there_is_room() {
    let site = Site::start(Fate::default());
    site.process(async || {
        let app = site.build().await.unwrap();
        site.call(&app, "device.add", site.arrival()).await;
        app.close().await;
    });
    site.fate.begin(Trouble::Full);
    site.process(async || {
        let app = site.build().await.unwrap();
        reads(&site, &app, true).await.unwrap();
        let arguments = json!({"device": "edge", "name": "ether2", "comment": "written"});
        let refused = site.call(&app, "interface.update_comment", arguments).await;
        assert_eq!(refused.fault, Some(Kind::Storage), "{}", refused.text);
        site.fate.heal();
        site.settled(&app).await.unwrap();
        finish(&site, &app).await.unwrap();
        app.close().await;
    });
}

#[test]
fn whatever_the_disk_refuses_and_whenever_nothing_is_done_unwritten_and_all_of_it_heals() {
    let (began, seed) = (Instant::now(), std::env::var("DISK_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(20_261_127));
    println!("DISK_SEED={seed}");
    let (begins, acts) = uncut();
    let cases = match std::env::var("DISK_CASE") {
        Ok(text) => text.split(';').map(chosen).collect(),
        Err(_) => cases(&begins, &acts, seed),
    };
    let (next, wrong): (AtomicUsize, Mutex<Vec<String>>) = Default::default();
    let tally: Mutex<BTreeMap<(&str, String), usize>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from).clamp(1, 4) * 5 {
            scope.spawn(|| {
                while let Some((at, trouble)) = cases.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let end = std::panic::catch_unwind(|| proven(*at, *trouble, seed)).unwrap_or_else(|_| Err("panicked".into()));
                    match end {
                        Ok(end) => *tally.lock().unwrap().entry((trouble.kind(), end)).or_default() += 1,
                        Err(why) => {
                            let step = STEPS.iter().zip(&begins).rfind(|(_, from)| at > from).map_or("start", |(step, _)| step);
                            wrong.lock().unwrap().push(format!("{at} ({step}, {:?}), {trouble:?}: {why}", acts.get(*at as usize - 1)));
                        }
                    }
                }
            });
        }
    });
    for ((kind, end), count) in tally.into_inner().unwrap() {
        println!("{kind}: {count} {end}");
    }
    let wrong = wrong.into_inner().unwrap();
    println!("{} cases of a run of {} operations, {} wrong, {:?}", cases.len(), acts.len(), wrong.len(), began.elapsed());
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(std::env::var("DISK_CASE").is_ok() || cases.len() >= CASES_MIN, "only {} cases", cases.len());
}
