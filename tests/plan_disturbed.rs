//! Other people, other plans and other appliances on the same router: noticed, told, and never overwritten without a word.

use crate::plan_rig::{Appliance, Process, Router, author, copy, difference, home, request};
use routeros_mcp::base::fault::Kind;
use routeros_mcp::plan::record::{PlanId, Progress};
use routeros_mcp::plan::state::{DeviceState, PlanState};
use routeros_mcp::sim::hooks::When;
use routeros_mcp::sim::profiles::Profile;
use routeros_mcp::sim::world::World;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

const FILTER: &str = "/ip/firewall/filter";
const SCRIPTS: &str = "/system/script";
/// Longer than any guard waits.
const LONG: Duration = Duration::from_secs(3_600);

/// What somebody does in WinBox.
type Edit = fn(&mut World);

fn rule() -> Value {
    json!([{"menu": FILTER, "op": "set", "match": {"comment": "wireguard"}, "values": {"dst-port": "13232"}}])
}

fn other_rule() -> Value {
    json!([{"menu": FILTER, "op": "set", "match": {"comment": "guest stays out"}, "values": {"action": "reject"}}])
}

/// A router and an appliance that knows it.
fn scene() -> (Router, tempfile::TempDir) {
    let (router, home) = (Router::start(Profile::Office, false, Duration::ZERO), home());
    router.hand.move_by_itself();
    Process::new(home.path(), &router).plain().run(async |appliance| appliance.enrol(&router, "edge").await).unwrap();
    (router, home)
}

fn run<T>(router: &Router, home: &Path, work: impl AsyncFnOnce(&Appliance) -> T) -> T {
    Process::new(home, router).plain().run(work).unwrap()
}

fn drafted(router: &Router, home: &Path, edits: &Value, confirm: &str) -> PlanId {
    run(router, home, async |appliance| appliance.approved(&request(edits.clone(), confirm)).await.unwrap())
}

/// Dies the moment the edit is on the router.
fn applied_and_dead(router: &Router, home: &Path, plan: &PlanId) {
    let process = Process::new(home, router).plain();
    process.dies_at_request(|_, when, method, path| when == When::After && method == "PATCH" && path.starts_with(FILTER));
    assert!(process.run(async |appliance| appliance.applied(plan).await.is_ok()).is_none());
    router.sim.unhook();
}

/// Applies it; somebody edits the router while a person is waited for, who then says keep, or nothing.
fn with_somebody(router: &Router, home: &Path, plan: &PlanId, edit: Edit, keep: bool) -> Progress {
    let somebody = router.clone();
    let window: Arc<dyn Fn() + Send + Sync> = Arc::new(move || edit(&mut somebody.sim.world()));
    let process = Process { keep, window: Some(window), ..Process::new(home, router) }.plain();
    let ended = process.run(async |appliance| {
        appliance.engine.apply(&author(), plan).await.unwrap();
        appliance.leaves(plan, PlanState::Executing).await;
        appliance.progress(plan)
    });
    router.pass(LONG);
    ended.unwrap()
}

fn set(world: &mut World, which: &str, values: &[(&str, &str)]) {
    world.by_hand("admin").set(FILTER, which, values).unwrap();
}

fn is_told(progress: &Progress, words: &str) -> bool {
    progress.difference.iter().any(|one| one.why.contains(words) || format!("{one:?}").contains(words))
}

#[test]
fn what_somebody_changes_between_draft_and_apply_stops_it_and_stays() {
    let moved: [(&str, Edit); 6] = [
        ("the same attribute", |world| set(world, "wireguard", &[("dst-port", "9999")])),
        ("another attribute", |world| set(world, "wireguard", &[("log", "yes")])),
        ("disabled", |world| set(world, "wireguard", &[("disabled", "yes")])),
        ("removed", |world| world.by_hand("admin").remove(FILTER, "wireguard").unwrap()),
        ("moved", |world| world.by_hand("admin").move_before(FILTER, "wireguard", Some("accept established")).unwrap()),
        ("another comment", |world| set(world, "wireguard", &[("comment", "mine")])),
    ];
    let beside: [(&str, Edit); 2] = [
        ("another rule", |world| set(world, "guest stays out", &[("log", "yes")])),
        ("another menu", |world| world.by_hand("admin").set("/ip/dns", "", &[("servers", "9.9.9.9")]).unwrap()),
    ];
    let all = moved.iter().map(|case| (case, DeviceState::Skipped)).chain(beside.iter().map(|case| (case, DeviceState::Confirmed)));
    for ((what, edit), state) in all {
        let (router, home) = scene();
        let plan = drafted(&router, home.path(), &rule(), "auto");
        edit(&mut router.sim.world());
        let theirs = router.rows();
        router.sim.forget_requests();
        let ended = run(&router, home.path(), async |appliance| appliance.applied(&plan).await.unwrap());
        assert_eq!(ended.state, state, "{what}: {:?} {:?}", ended.error, ended.difference);
        if state == DeviceState::Skipped {
            assert!(router.sim.requests().iter().all(|seen| seen.method == "GET"), "{what}: something was written");
            assert!(router.rows() == theirs && !ended.difference.is_empty() && ended.error.is_some(), "{what}: {ended:?}");
        } else {
            assert_eq!(difference(&theirs, &router.rows()).len(), 2, "{what}");
        }
    }
    println!("{} edits between draft and apply", moved.len() + beside.len());
}

#[test]
fn what_somebody_changes_while_a_person_is_waited_for_is_never_confirmed_over() {
    let cases: [(&str, Edit, &str); 3] = [
        ("the same attribute", |world| set(world, "wireguard", &[("dst-port", "9999")]), "dst-port=9999"),
        ("the row is gone", |world| world.by_hand("admin").remove(FILTER, "wireguard").unwrap(), ""),
        ("the old value", |world| set(world, "wireguard", &[("dst-port", "13231")]), "dst-port=13231"),
    ];
    for keep in [true, false] {
        for (what, edit, theirs) in cases {
            let (router, home) = scene();
            let plan = drafted(&router, home.path(), &rule(), "manual");
            let before = router.rows();
            let ended = with_somebody(&router, home.path(), &plan, edit, keep);
            let rows = &router.rows()[FILTER];
            let row = rows.iter().find(|row| row.contains("comment=wireguard"));
            let at = format!("{what}, keep: {keep}: {:?} {:?} {:?}", ended.state, ended.error, ended.difference);
            assert!(row.map_or(theirs.is_empty(), |row| !theirs.is_empty() && row.contains(theirs)), "{at}: {row:?}");
            assert!(router.leftovers().is_empty(), "{at}: {:?}", router.leftovers());
            if router.rows() == before {
                assert_eq!(ended.state, DeviceState::RolledBack, "{at}");
            } else {
                assert!(ended.state == DeviceState::NeedsAttention && !ended.difference.is_empty(), "{at}");
            }
        }
    }
    println!("{} edits while a person was waited for", cases.len() * 2);
}

#[test]
fn a_row_that_somebody_moved_while_a_person_was_waited_for_stays_where_they_put_it() {
    let moved = json!([{"menu": FILTER, "op": "move", "match": {"comment": "guest stays out"}, "place_before": {"comment": "wireguard"}}]);
    let (router, home) = scene();
    let plan = drafted(&router, home.path(), &moved, "manual");
    let theirs: Edit = |world| world.by_hand("admin").move_before(FILTER, "guest stays out", None).unwrap();
    let ended = with_somebody(&router, home.path(), &plan, theirs, false);
    assert!(router.rows()[FILTER].last().is_some_and(|row| row.contains("guest stays out")), "it was put back over their head");
    assert!(ended.state == DeviceState::NeedsAttention && !ended.difference.is_empty(), "{ended:?}");
    assert!(router.leftovers().is_empty());
}

#[test]
fn what_somebody_changes_before_it_is_undone_stays_and_is_told() {
    let (router, home) = scene();
    let plan = drafted(&router, home.path(), &rule(), "auto");
    applied_and_dead(&router, home.path(), &plan);
    set(&mut router.sim.world(), "wireguard", &[("dst-port", "9999")]);
    router.pass(LONG);
    let ended = run(&router, home.path(), async |appliance| {
        appliance.engine.resume().await.unwrap();
        appliance.leaves(&plan, PlanState::Executing).await;
        appliance.progress(&plan)
    });
    assert!(router.rows()[FILTER].iter().any(|row| row.contains("dst-port=9999")), "their edit is gone");
    assert!(ended.state == DeviceState::NeedsAttention && is_told(&ended, "9999"), "{ended:?}");
    assert!(router.leftovers().is_empty());
}

#[test]
fn a_guard_that_somebody_changed_is_not_relied_on_and_not_left() {
    fn script(world: &mut World) -> String {
        let scripts = world.rows(SCRIPTS);
        scripts.iter().filter_map(|row| row.get("name")).find(|name| name.starts_with("mcp-guard-")).unwrap().to_owned()
    }
    let cases: [(&str, Edit); 3] = [
        ("its source", |world| {
            let script = script(world);
            world.by_hand("admin").set(SCRIPTS, &script, &[("source", "/system/reboot")]).unwrap();
        }),
        ("it is gone", |world| {
            let script = script(world);
            world.by_hand("admin").remove(SCRIPTS, &script).unwrap();
        }),
        ("its rights", |world| {
            let script = script(world);
            world.by_hand("admin").set(SCRIPTS, &script, &[("policy", "read")]).unwrap();
        }),
    ];
    for (what, edit) in cases {
        let (router, home) = scene();
        let plan = drafted(&router, home.path(), &rule(), "manual");
        let before = router.rows();
        let ended = with_somebody(&router, home.path(), &plan, edit, true);
        assert!(matches!(ended.state, DeviceState::NeedsAttention | DeviceState::RolledBack), "{what}: {ended:?}");
        assert!(ended.error.is_some(), "{what}: nothing is told");
        assert_eq!(difference(&before, &router.rows()), Vec::<String>::new(), "{what}");
        assert!(router.leftovers().is_empty(), "{what}: {:?}", router.leftovers());
    }
}

#[test]
fn of_two_plans_on_one_device_one_runs_and_the_other_is_told() {
    let (router, home) = scene();
    let (first, second) = (drafted(&router, home.path(), &rule(), "manual"), drafted(&router, home.path(), &other_rule(), "auto"));
    run(&router, home.path(), async |appliance| {
        appliance.engine.apply(&author(), &first).await.unwrap();
        let told = appliance.engine.apply(&author(), &second).await.unwrap_err();
        assert!(told.kind == Kind::Conflict && told.said.contains(first.as_str()), "{}", told.said);
        let twice = appliance.engine.apply(&author(), &first).await.unwrap_err();
        assert_eq!(twice.kind, Kind::Conflict, "{}", twice.said);
        appliance.leaves(&first, PlanState::Executing).await;
        let again = appliance.engine.apply(&author(), &first).await.unwrap_err();
        assert_eq!(again.kind, Kind::Conflict, "{}", again.said);
        let late = appliance.engine.confirm(&first).await.unwrap_err();
        assert_eq!(late.kind, Kind::Conflict, "{}", late.said);
        assert_eq!(appliance.progress(&first).state, DeviceState::RolledBack, "nobody confirmed it");
        assert_eq!(appliance.applied(&second).await.unwrap().state, DeviceState::Confirmed, "now it may");
    });
}

#[test]
fn of_two_plans_on_one_row_the_later_one_is_stale() {
    let (router, home) = scene();
    let (first, second) = (drafted(&router, home.path(), &rule(), "auto"), drafted(&router, home.path(), &rule(), "auto"));
    run(&router, home.path(), async |appliance| {
        assert_eq!(appliance.applied(&first).await.unwrap().state, DeviceState::Confirmed);
        assert_eq!(appliance.applied(&second).await.unwrap().state, DeviceState::Skipped);
    });
}

#[test]
fn of_two_appliances_on_one_device_the_later_one_is_told_and_the_guard_of_the_first_stays() {
    let (router, home) = scene();
    let before = router.rows();
    let other = copy(home.path());
    let (ours, theirs) = (drafted(&router, home.path(), &rule(), "manual"), drafted(&router, other.path(), &other_rule(), "auto"));
    applied_and_dead(&router, home.path(), &ours);
    let guard = router.leftovers();
    assert_eq!(guard.len(), 3, "{guard:?}");
    let told = run(&router, other.path(), async |appliance| {
        let ended = appliance.applied(&theirs).await.unwrap();
        let swept = appliance.engine.sweep().await.unwrap();
        assert!(swept.removed.is_empty() && swept.left.len() == 2, "{swept:?}");
        ended
    });
    assert_eq!(told.state, DeviceState::Skipped, "{told:?}");
    assert!(told.error.as_ref().is_some_and(|error| error.contains(ours.as_str())), "{:?}", told.error);
    assert_eq!(router.leftovers(), guard, "the guard of the first stands as it did");
    router.pass(LONG);
    assert_eq!((difference(&before, &router.rows()), router.leftovers()), (vec![], vec![]), "and has undone its change");
}

#[test]
fn a_store_that_was_restored_drives_nothing_and_leaves_a_live_guard_alone() {
    for knows in [true, false] {
        let (router, home) = scene();
        let before = router.rows();
        let older = copy(home.path());
        let plan = drafted(&router, home.path(), &rule(), "manual");
        applied_and_dead(&router, home.path(), &plan);
        let guard = router.leftovers();
        // A store from the middle of it, and one from before it.
        let store = if knows { copy(home.path()) } else { older };
        router.sim.forget_requests();
        let process = Process { restored: true, ..Process::new(store.path(), &router) }.plain();
        process
            .run(async |appliance| {
                appliance.engine.resume().await.unwrap();
                let swept = appliance.engine.sweep().await.unwrap();
                assert!(swept.removed.is_empty(), "{swept:?}");
                if knows {
                    let (of, devices) = appliance.engine.plan(&plan).unwrap();
                    assert_eq!((of.state, devices[0].1.state), (PlanState::NeedsAttention, DeviceState::NeedsAttention));
                    assert!(devices[0].1.error.is_some() && appliance.engine.confirm(&plan).await.is_err());
                }
            })
            .unwrap();
        assert!(router.sim.requests().iter().all(|seen| seen.method == "GET"), "something was written");
        assert_eq!(router.leftovers(), guard);
        router.pass(LONG);
        assert_eq!((difference(&before, &router.rows()), router.leftovers()), (vec![], vec![]), "the router has undone it alone");
    }
}

#[test]
fn a_device_that_was_taken_out_of_care_meanwhile_is_not_asked_any_more() {
    let (router, home) = scene();
    let before = router.rows();
    let plan = drafted(&router, home.path(), &rule(), "manual");
    applied_and_dead(&router, home.path(), &plan);
    router.sim.forget_requests();
    let ended = run(&router, home.path(), async |appliance| {
        let device = appliance.fleet.find("edge").unwrap();
        appliance.fleet.decommission(&device.id).await.unwrap();
        appliance.engine.resume().await.unwrap();
        appliance.leaves(&plan, PlanState::Executing).await;
        (appliance.engine.plan(&plan).unwrap().0.state, appliance.progress(&plan))
    });
    assert_eq!(ended.0, PlanState::NeedsAttention, "{ended:?}");
    assert!(ended.1.error.is_some() && router.sim.requests().is_empty(), "{ended:?}");
    router.pass(LONG);
    assert_eq!((difference(&before, &router.rows()), router.leftovers()), (vec![], vec![]), "the router has undone it alone");
    let (router, home) = scene();
    let plan = drafted(&router, home.path(), &rule(), "auto");
    run(&router, home.path(), async |appliance| {
        let device = appliance.fleet.find("edge").unwrap();
        appliance.fleet.decommission(&device.id).await.unwrap();
        router.sim.forget_requests();
        let ended = appliance.applied(&plan).await.map(|progress| progress.state);
        assert!(!matches!(ended, Ok(DeviceState::Confirmed)) && router.sim.requests().is_empty(), "{ended:?}");
    });
}
