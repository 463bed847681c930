//! What safe change costs a router, in requests, with every proof.

use crate::plan_rig::{Appliance, Process, Router, author, home, request};
use routeros_mcp::plan::edit::Request;
use routeros_mcp::plan::record::Risk;
use routeros_mcp::plan::state::DeviceState;
use routeros_mcp::sim::profiles::Profile;
use serde_json::{Value, json};
use std::time::Duration;

const FILTER: &str = "/ip/firewall/filter";

/// Requests over REST and commands over SSH since the last count.
fn count(router: &Router) -> (usize, usize) {
    let counted = (router.sim.requests().len(), router.sim.commands().len());
    router.sim.forget_requests();
    counted
}

fn with_router<T>(work: impl AsyncFnOnce(&Appliance, &Router) -> T) -> T {
    let (router, home) = (Router::start(Profile::Office, true, Duration::ZERO), home());
    router.hand.move_by_itself();
    let process = Process::new(home.path(), &router);
    process
        .run(async |appliance| {
            appliance.enrol(&router, "edge").await;
            router.sim.forget_requests();
            work(appliance, &router).await
        })
        .unwrap()
}

fn rule(n: u32) -> Value {
    json!([{"menu": FILTER, "op": "add", "place_before": {"comment": "iot stays out"},
        "values": {"chain": "forward", "action": "accept", "in-interface": "vlan30-iot", "dst-address": format!("10.20.50.{n}"),
            "comment": format!("iot to camera {n}")}}])
}

fn input_rule(n: u32) -> Value {
    json!([{"menu": FILTER, "op": "add", "place_before": {"comment": "drop the rest", "chain": "input"},
        "values": {"chain": "input", "action": "accept", "src-address": format!("10.20.10.{n}"), "comment": format!("desk {n}")}}])
}

#[test]
fn a_draft_on_sixty_rules_takes_at_most_14_requests_and_6_once_they_are_known() {
    for (what, edits) in [("forward", rule as fn(u32) -> Value), ("input", input_rule)] {
        with_router(async |appliance, router| {
            for n in 0..4 {
                let rule = [("chain", "forward"), ("action", "drop"), ("dst-address", &format!("203.0.113.{n}"))];
                router.sim.world().by_hand("admin").add(FILTER, &rule).unwrap();
            }
            let rules = router.sim.world().rows(FILTER).len();
            let mut taken = Vec::new();
            for n in 1..=3 {
                appliance.approved(&request(edits(n), "auto")).await.unwrap();
                taken.push(count(router));
            }
            println!("{what} rule among {rules}: cold {:?}, then {:?} and {:?} requests over REST and SSH", taken[0], taken[1], taken[2]);
            assert!(rules >= 60, "{rules}");
            assert!(taken[0].0 + taken[0].1 <= 14 && taken[0].0 >= 3, "{taken:?}");
            assert!(taken[1..].iter().all(|(rest, ssh)| (1..=6).contains(&(rest + ssh))), "{taken:?}");
        });
    }
}

#[test]
fn a_guarded_edit_that_confirms_itself_takes_at_most_22_requests() {
    for edits in [rule(7), input_rule(7), json!([{"menu": "/ip/service", "op": "disable", "match": {"name": "winbox"}}])] {
        with_router(async |appliance, router| {
            let plan = appliance.approved(&request(edits.clone(), "auto")).await.unwrap();
            let guarded = appliance.engine.plan(&plan).unwrap().1[0].0.wants_guard();
            count(router);
            let ended = appliance.applied(&plan).await.unwrap();
            let requests = router.sim.requests();
            let said = requests.iter().map(|seen| format!("{} {}", seen.method, seen.target));
            let said: Vec<String> = said.chain(router.sim.commands().iter().map(|seen| format!("{seen:?}"))).collect();
            let (rest, ssh) = count(router);
            println!("{}: {rest} requests over REST, {ssh} commands over SSH", edits[0]["menu"]);
            assert_eq!((guarded, ended.state), (true, DeviceState::Confirmed), "{:?}", ended.error);
            assert!(rest + ssh <= 22 && rest >= 15, "{rest} + {ssh}\n{}", said.join("\n"));
        });
    }
}

#[test]
fn a_direct_change_of_low_risk_takes_at_most_3_requests_with_its_draft() {
    with_router(async |appliance, router| {
        let mut taken = Vec::new();
        for name in ["first", "second", "third"] {
            let edits = json!([{"menu": "/system/identity", "op": "set", "values": {"name": name}}]);
            let request: Request = serde_json::from_value(request(edits, "auto")).unwrap();
            let plan = appliance.engine.create(&author(), request, "system.set_identity").await.unwrap();
            let (of, _) = appliance.engine.plan(&plan).unwrap();
            assert_eq!((of.risk, of.needed), (Risk::Low, 0));
            let ended = appliance.applied(&plan).await.unwrap();
            assert_eq!(ended.state, DeviceState::Confirmed, "{:?}", ended.error);
            assert_eq!(router.sim.world().rows("/system/identity")[0].get("name"), Some(name));
            taken.push(count(router));
        }
        println!("a direct change of low risk: {taken:?} requests over REST and SSH");
        assert!(taken[1..].iter().all(|(rest, ssh)| (2..=3).contains(&(rest + ssh))), "{taken:?}");
    });
}
