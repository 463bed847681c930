//! What a router did exactly is confirmed, and undone exactly by whoever undoes it: several rows of an ordered menu, rows that show less
//! while they are disabled, and values that the router shows in other words.

use crate::plan_rig::{Appliance, Process, Router, author, copy, difference, home, request};
use routeros_mcp::plan::record::{PlanId, Progress};
use routeros_mcp::plan::state::{DeviceState, PlanState};
use routeros_mcp::sim::hooks::When;
use routeros_mcp::sim::profiles::Profile;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const FILTER: &str = "/ip/firewall/filter";
const ROUTE: &str = "/ip/route";
/// How a router writes a value it is given.
type Spelling = fn(&str) -> String;

/// Longer than any guard waits.
const LONG: Duration = Duration::from_secs(3_600);

fn scene() -> (Router, tempfile::TempDir) {
    let (router, home) = (Router::start(Profile::Office, false, Duration::ZERO), home());
    router.hand.move_by_itself();
    Process::new(home.path(), &router).plain().run(async |appliance| appliance.enrol(&router, "edge").await).unwrap();
    (router, home)
}

fn rule(comment: &str) -> Value {
    json!({"chain": "forward", "action": "accept", "src-address": format!("10.20.30.{}", comment.len()), "comment": comment})
}

fn add(comment: &str, before: &str) -> Value {
    json!({"menu": FILTER, "op": "add", "values": rule(comment), "place_before": {"comment": before, "chain": "forward"}})
}

fn append(comment: &str) -> Value {
    json!({"menu": FILTER, "op": "add", "values": rule(comment)})
}

fn remove(comment: &str) -> Value {
    json!({"menu": FILTER, "op": "remove", "match": {"comment": comment}})
}

fn relocate(comment: &str, before: &str) -> Value {
    json!({"menu": FILTER, "op": "move", "match": {"comment": comment}, "place_before": {"comment": before}})
}

fn route(op: &str, comment: &str) -> Value {
    json!([{"menu": ROUTE, "op": op, "match": {"comment": comment}}])
}

async fn approved(appliance: &Appliance, edits: &Value, confirm: &str) -> PlanId {
    appliance.approved(&request(edits.clone(), confirm)).await.unwrap_or_else(|fault| panic!("{edits}: {} {:?}", fault.said, fault.hint))
}

fn confirmed(router: &Router, home: &Path, edits: &Value) -> Progress {
    let process = Process::new(home, router).plain();
    process.run(async |appliance| appliance.applied(&approved(appliance, edits, "auto").await).await.unwrap()).unwrap()
}

/// Applied, verified, then taken back by us at a person's word.
fn taken_back(router: &Router, home: &Path, edits: &Value) -> Progress {
    let process = Process::new(home, router).plain();
    process
        .run(async |appliance| {
            let id = approved(appliance, edits, "manual").await;
            let waits = appliance.applied(&id).await.unwrap();
            assert_eq!(waits.state, DeviceState::Verified, "{edits}: {:?} {:?}", waits.error, waits.difference);
            appliance.engine.roll_back(&id, "not wanted").await.unwrap();
            appliance.leaves(&id, PlanState::Executing).await;
            appliance.progress(&id)
        })
        .unwrap()
}

/// We die once all is done, and the router undoes it alone.
fn undone_alone(router: &Router, home: &Path, edits: &Value) {
    let count = edits.as_array().unwrap().len();
    let process = Process::new(home, router).plain();
    let id = process.run(async |appliance| approved(appliance, edits, "auto").await).unwrap();
    let (seen, menu) = (Arc::new(AtomicUsize::new(0)), edits[0]["menu"].as_str().unwrap().to_owned());
    let process = Process::new(home, router).plain();
    process.dies_at_request(move |_, when, method, path| {
        let is_edit = method != "GET" && path.starts_with(&menu) && !path.ends_with("/print");
        when == When::After && is_edit && seen.fetch_add(1, Ordering::SeqCst) + 1 == count
    });
    let ended = process.run(async |appliance| {
        appliance.engine.apply(&author(), &id).await.map(drop).is_ok() && {
            appliance.leaves(&id, PlanState::Executing).await;
            true
        }
    });
    assert_eq!(ended, None, "{edits}: it did not die");
    router.sim.unhook();
    router.pass(LONG);
}

fn orders() -> Vec<Value> {
    vec![
        json!([add("one", "iot stays out"), add("two b", "iot stays out")]),
        json!([append("one"), append("two b")]),
        json!([add("one", "iot stays out"), remove("iot stays out")]),
        json!([remove("iot stays out"), add("one", "cameras stays out")]),
        json!([relocate("iot stays out", "port forwards"), remove("port forwards")]),
        json!([remove("guest stays out"), remove("iot stays out")]),
        json!([add("one", "iot stays out"), relocate("cameras stays out", "one"), remove("guest stays out")]),
    ]
}

#[test]
fn several_edits_of_one_order_are_confirmed() {
    let (router, base) = scene();
    let rules = router.sim.world().table(FILTER).rows.clone();
    for edits in orders() {
        let home = copy(base.path());
        let before = router.rows();
        let ended = confirmed(&router, home.path(), &edits);
        assert_eq!(ended.state, DeviceState::Confirmed, "{edits}: {:?} {:?}", ended.error, ended.difference);
        assert!(router.rows() != before && router.leftovers().is_empty(), "{edits}");
        router.sim.world().table(FILTER).rows.clone_from(&rules);
    }
}

#[test]
fn several_edits_of_one_order_are_taken_back_exactly_by_us_and_by_the_router_alone() {
    let (router, base) = scene();
    for edits in orders() {
        let before = router.rows();
        let home = copy(base.path());
        let ended = taken_back(&router, home.path(), &edits);
        assert_eq!(ended.state, DeviceState::RolledBack, "{edits}: {:?} {:?}", ended.error, ended.difference);
        assert_eq!(difference(&before, &router.rows()), Vec::<String>::new(), "{edits}");
        let home = copy(base.path());
        undone_alone(&router, home.path(), &edits);
        assert_eq!(difference(&before, &router.rows()), Vec::<String>::new(), "{edits}: {:?}", router.said());
        assert!(router.leftovers().is_empty(), "{edits}: {:?}", router.leftovers());
    }
}

#[test]
fn an_entry_with_a_time_to_live_is_taken_away_by_the_router_alone() {
    const LISTS: &str = "/ip/firewall/address-list";
    let (router, base) = scene();
    // The router says of another one that it is dynamic, so that the undo knows the mark.
    router.sim.world().add(LISTS, &[("list", "scanners"), ("address", "198.51.100.9"), ("timeout", "2d"), ("dynamic", "true")]);
    let is_there = |router: &Router, address: &str| router.rows()[LISTS].iter().any(|row| row.contains(address));
    let values = json!({"list": "blocked", "address": "10.20.99.10", "timeout": "10h"});
    undone_alone(&router, base.path(), &json!([{"menu": LISTS, "op": "add", "values": values}]));
    assert_eq!(["10.20.99.10", "198.51.100.9"].map(|address| is_there(&router, address)), [false, true]);
    assert!(router.leftovers().is_empty());
}

#[test]
fn a_rule_somebody_puts_between_two_of_ours_is_told_and_stays() {
    let (router, home) = scene();
    let edits = json!([add("one", "iot stays out"), add("two b", "iot stays out")]);
    let process = Process::new(home.path(), &router).plain();
    let ended = process
        .run(async |appliance| {
            let id = approved(appliance, &edits, "manual").await;
            assert_eq!(appliance.applied(&id).await.unwrap().state, DeviceState::Verified);
            router.sim.world().by_hand("admin").move_before(FILTER, "cameras stays out", Some("two b")).unwrap();
            appliance.engine.confirm(&id).await.unwrap();
            appliance.leaves(&id, PlanState::Executing).await;
            appliance.progress(&id)
        })
        .unwrap();
    assert!(ended.state == DeviceState::NeedsAttention && !ended.difference.is_empty(), "{ended:?}");
}

#[test]
fn a_static_route_is_disabled_enabled_and_removed_though_it_shows_less_while_it_is_disabled() {
    let (router, home) = scene();
    let disabled = |router: &Router| {
        let rows = router.sim.world().rows(ROUTE);
        rows.iter().find(|row| row.get("comment") == Some("site 2")).map(|row| (row.is("disabled"), row.get("distance").map(str::to_owned)))
    };
    let steps = [
        (route("disable", "site 2"), Some((true, None))),
        (route("enable", "site 2"), Some((false, Some("1".to_owned())))),
        (route("disable", "site 2"), Some((true, None))),
        (json!([{"menu": ROUTE, "op": "set", "match": {"comment": "site 2"}, "values": {"gateway": "10.20.99.7"}}]), Some((true, None))),
        (route("remove", "site 2"), None),
    ];
    for (edits, left) in steps {
        let before = router.rows();
        let undone = taken_back(&router, copy(home.path()).path(), &edits);
        assert_eq!(undone.state, DeviceState::RolledBack, "{edits}: {:?} {:?}", undone.error, undone.difference);
        assert_eq!(difference(&before, &router.rows()), Vec::<String>::new(), "{edits}");
        let ended = confirmed(&router, home.path(), &edits);
        assert_eq!(ended.state, DeviceState::Confirmed, "{edits}: {:?} {:?}", ended.error, ended.difference);
        assert_eq!(disabled(&router), left, "{edits}");
    }
}

#[test]
fn a_route_to_a_network_that_is_connected_too_is_added_and_taken_back() {
    let (router, home) = scene();
    let table = router.sim.world().rows(ROUTE);
    let made = table.iter().find(|row| row.is("dynamic") && row.get("dst-address").is_some_and(|to| to.starts_with("10.20.30.")));
    let network = made.and_then(|row| row.get("dst-address")).expect("a connected network");
    let edits = json!([{"menu": ROUTE, "op": "add", "values": {"dst-address": network, "blackhole": "yes"}}]);
    let before = router.rows();
    let undone = taken_back(&router, copy(home.path()).path(), &edits);
    assert_eq!(undone.state, DeviceState::RolledBack, "{:?} {:?}", undone.error, undone.difference);
    // What our way back may hang on is guarded.
    let guarded = json!([edits[0], route("disable", "isp a")[0]]);
    undone_alone(&router, copy(home.path()).path(), &guarded);
    assert_eq!(difference(&before, &router.rows()), Vec::<String>::new(), "{:?}", router.said());
    assert!(!router.said().is_empty());
    let hole = json!({"dst-address": network, "blackhole": "yes"});
    for (edits, is_there) in [(edits, true), (json!([{"menu": ROUTE, "op": "remove", "match": hole}]), false)] {
        let ended = confirmed(&router, home.path(), &edits);
        assert_eq!(ended.state, DeviceState::Confirmed, "{edits}: {:?} {:?}", ended.error, ended.difference);
        assert_eq!(router.rows() != before, is_there, "{edits}");
    }
}

#[test]
fn what_a_disabled_route_does_not_show_is_not_overwritten() {
    let (router, home) = scene();
    assert_eq!(confirmed(&router, home.path(), &route("disable", "isp b")).state, DeviceState::Confirmed);
    let edits = json!([{"menu": ROUTE, "op": "set", "match": {"comment": "isp b"}, "values": {"distance": "9"}}]);
    let process = Process::new(home.path(), &router).plain();
    let refused = process.run(async |appliance| appliance.approved(&request(edits, "auto")).await.unwrap_err()).unwrap();
    assert!(refused.said.contains("not shown while it is disabled"), "{}", refused.said);
}

#[test]
fn a_router_that_shows_the_same_in_other_words_did_as_planned() {
    fn ordered(text: &str) -> String {
        let mut words: Vec<&str> = text.split(',').collect();
        words.sort_unstable();
        words.join(",")
    }
    fn with_length(text: &str) -> String {
        let word = |word: &str| if word.is_empty() || word.contains('/') { word.to_owned() } else { format!("{word}/32") };
        text.split(',').map(word).collect::<Vec<_>>().join(",")
    }
    let states = json!([{"menu": FILTER, "op": "set", "match": {"comment": "iot stays out"},
        "values": {"connection-state": "untracked,related,established"}}]);
    let allowed = json!([{"menu": "/ip/service", "op": "set", "match": {"name": "winbox"}, "values": {"address": "192.0.2.7,10.0.0.0/8"}}]);
    let cases: [(Value, &str, Spelling); 2] = [(states, "connection-state", ordered), (allowed, "address", with_length)];
    for (edits, attribute, spelling) in cases {
        let (router, home) = scene();
        router.sim.world().respell(attribute, spelling);
        let before = router.rows();
        let undone = taken_back(&router, copy(home.path()).path(), &edits);
        assert_eq!(undone.state, DeviceState::RolledBack, "{edits}: {:?} {:?}", undone.error, undone.difference);
        undone_alone(&router, copy(home.path()).path(), &edits);
        assert_eq!(difference(&before, &router.rows()), Vec::<String>::new(), "{edits}: {:?}", router.said());
        let ended = confirmed(&router, home.path(), &edits);
        assert_eq!(ended.state, DeviceState::Confirmed, "{edits}: {:?} {:?}", ended.error, ended.difference);
    }
}

#[test]
fn the_guard_leaves_what_somebody_changed_since_where_our_access_does_not_hang_on_it() {
    let edits = json!([{"menu": "/interface/bridge", "op": "set", "match": {"name": "bridge"}, "values": {"ageing-time": "10m"}}]);
    let (router, home) = scene();
    let process = Process::new(home.path(), &router).plain();
    let id = process.run(async |appliance| approved(appliance, &edits, "auto").await).unwrap();
    let process = Process::new(home.path(), &router).plain();
    process.dies_at_request(|_, when, method, path| when == When::After && method == "PATCH" && path.starts_with("/interface/bridge"));
    assert!(process.run(async |appliance| appliance.applied(&id).await.is_ok()).is_none());
    router.sim.unhook();
    router.sim.world().by_hand("admin").set("/interface/bridge", "bridge", &[("ageing-time", "7m")]).unwrap();
    router.pass(LONG);
    assert!(router.said().iter().any(|line| line.contains("left to others 1")), "{:?}", router.said());
    let ended = Process::new(home.path(), &router).plain().run(async |appliance| {
        appliance.engine.resume().await.unwrap();
        appliance.leaves(&id, PlanState::Executing).await;
        appliance.progress(&id)
    });
    let ended = ended.unwrap();
    assert!(ended.state == DeviceState::NeedsAttention && !ended.difference.is_empty(), "{ended:?}");
    let rows = router.sim.world().rows("/interface/bridge");
    assert_eq!(rows.iter().find(|row| row.get("name") == Some("bridge")).unwrap().get("ageing-time"), Some("7m"));
}
