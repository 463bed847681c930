//! Edits that cut our access: each is seen coming when it is drafted, and each is undone by the router alone when nothing of ours lives
//! any more the moment it is applied.

use crate::plan_rig::{Process, Router, copy, difference, edit, home, request};
use routeros_mcp::plan::record::{Cut, Risk};
use routeros_mcp::sim::hooks::When;
use routeros_mcp::sim::lockout::cases::{self, Case};
use routeros_mcp::sim::profiles::Profile;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Fewer than this many edits mean that the corpus has shrunk.
const CASES_MIN: usize = 200;
/// Fewer than this many that a router had to undo alone mean that nearly all were refused before.
const UNDONE_MIN: usize = 150;
/// Longer than any guard waits here.
const LONG: Duration = Duration::from_secs(1_200);

enum Seen {
    /// No plan: the reason.
    Refused(String),
    /// A plan that says what it may do, undone after it did.
    Flagged,
    /// The same, and the router did not do what it was told.
    Ignored,
}

#[derive(Default)]
struct Tally {
    cases: usize,
    refused: Vec<String>,
    ignored: Vec<&'static str>,
    undone: usize,
    wrong: Vec<String>,
}

#[test]
fn every_edit_that_cuts_us_off_is_flagged_and_undone_by_the_router_alone() {
    let tallies: Vec<(Profile, Tally)> = std::thread::scope(|scope| {
        let threads: Vec<_> = Profile::ALL.iter().map(|profile| (*profile, scope.spawn(|| walk(*profile)))).collect();
        threads.into_iter().map(|(profile, thread)| (profile, thread.join().unwrap())).collect()
    });
    let (mut cases, mut undone) = (0, 0);
    let mut wrong = Vec::new();
    for (profile, tally) in tallies {
        let name = profile.name();
        println!("{name}: {} cutting edits, {} undone by the router alone, {} refused:", tally.cases, tally.undone, tally.refused.len());
        tally.refused.iter().for_each(|why| println!("  {why}"));
        println!("  not done by the router, guard fired: {}", tally.ignored.join(", "));
        wrong.extend(tally.wrong.into_iter().map(|why| format!("{name}: {why}")));
        (cases, undone) = (cases + tally.cases, undone + tally.undone);
    }
    println!("{cases} cutting edits, {undone} undone by the router alone");
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(cases >= CASES_MIN, "only {cases} cases");
    assert!(undone >= UNDONE_MIN, "only {undone} undone");
}

fn walk(profile: Profile) -> Tally {
    let mut tally = Tally::default();
    let (mut router, mut base) = fresh(profile);
    for (n, case) in cases::cutting(profile).iter().enumerate() {
        tally.cases += 1;
        let confirm = if n % 2 == 0 { "auto" } else { "manual" };
        match proven(&router, base.path(), case, confirm) {
            Ok(Seen::Flagged) => tally.undone += 1,
            Ok(Seen::Ignored) => tally.ignored.push(case.name),
            Ok(Seen::Refused(why)) => tally.refused.push(format!("{}: {why}", case.name)),
            Err(why) => {
                tally.wrong.push(format!("{} ({confirm}): {why}", case.name));
                (router, base) = fresh(profile);
            }
        }
    }
    tally
}

fn fresh(profile: Profile) -> (Router, tempfile::TempDir) {
    let (router, base) = (Router::start(profile, true, Duration::ZERO), home());
    router.hand.move_by_itself();
    router.let_us_change_users();
    Process::new(base.path(), &router).run(async |appliance| appliance.enrol(&router, "edge").await);
    (router, base)
}

fn proven(router: &Router, base: &Path, case: &Case, confirm: &str) -> Result<Seen, String> {
    let home = copy(base);
    let (before, open) = (router.rows(), router.sim.lockout().open());
    let process = Process::new(home.path(), router);
    // Dies the moment the edit is done: after the script and its timers, the next write is the edit's.
    let menu = case.menu.to_owned();
    let is_edit = move |method: &str, path: &str| {
        let path = path.split('?').next().unwrap_or_default();
        method != "GET" && path.strip_prefix(&menu).is_some_and(|rest| !rest.starts_with("/print") && !path.ends_with("/print"))
    };
    let armed = Arc::new(AtomicBool::new(false));
    let is_armed = armed.clone();
    process.dies_at_request(move |_, when, method, path| when == When::After && is_armed.load(Ordering::SeqCst) && is_edit(method, path));
    let ran = process.run(async |appliance| {
        let plan = match appliance.approved(&request(serde_json::json!([edit(case, router)]), confirm)).await {
            Ok(plan) => plan,
            Err(fault) => return Ok(Seen::Refused(fault.said)),
        };
        let (of, devices) = appliance.engine.plan(&plan).unwrap();
        let draft = &devices[0].0;
        if of.cut == Cut::No || of.risk < Risk::High || draft.cut_reasons.is_empty() {
            return Err(format!("drafted as {:?} of {:?} risk, {:?}", of.cut, of.risk, draft.cut_reasons));
        }
        let is_home = router.sim.world().rows("/system/device-mode").iter().any(|row| row.get("mode") == Some("home"));
        if draft.cut_reasons.iter().any(|why| why.contains("lost by a reboot")) != is_home {
            return Err(format!("whether a reboot loses its guard is not told: {:?}", draft.cut_reasons));
        }
        armed.store(true, Ordering::SeqCst);
        let ended = appliance.applied(&plan).await.map_err(|fault| format!("not applied: {}", fault.said))?;
        Err(format!("nobody died: it ended {} ({:?})", ended.state.as_str(), ended.error))
    });
    router.sim.unhook();
    match ran {
        Some(Ok(seen)) => return if router.rows() == before { Ok(seen) } else { Err("a draft changed the router".into()) },
        Some(Err(why)) => return Err(why),
        None => {}
    }
    let cut = router.sim.lockout();
    let guard =
        router.sim.world().rows("/system/script").iter().rfind(|row| row.get("name").is_some_and(|n| n.starts_with("mcp-"))).cloned();
    // A user that switches itself off is not heard.
    let ignored = case.cuts.iter().all(|service| cut.is_open(service));
    let others = |rows: &str| !rows.contains("mcp-guard");
    if ignored && (case.menu != "/user" || difference(&before, &router.rows()).iter().any(|row| others(row))) {
        return Err(format!("it cut nothing: {:?}", difference(&before, &router.rows())));
    }
    router.pass(LONG);
    let (after, left) = (router.rows(), router.leftovers());
    if after != before {
        let script = guard.as_ref().and_then(|row| row.get("source")).unwrap_or_default();
        let said = router.said().into_iter().rev().take(4).collect::<Vec<_>>();
        return Err(format!("not as it was: {:?}; it said {said:?}\n{script}", difference(&before, &after)));
    }
    if !left.is_empty() {
        return Err(format!("left behind: {left:?}"));
    }
    if router.sim.lockout().open() != open {
        return Err(format!("not let in again: {:?}", router.sim.lockout().reasons()));
    }
    Ok(if ignored { Seen::Ignored } else { Seen::Flagged })
}
