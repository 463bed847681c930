//! A disk that takes nothing while a plan is being applied: its job waits for the disk and then goes on, and until then nobody else gets the
//! device. Found by the fault runner.

use crate::plan_rig::{Appliance, Process, Router, author, difference, home, request, trail};
use routeros_mcp::base::fault::Kind;
use routeros_mcp::plan::record::PlanId;
use routeros_mcp::plan::state::{DeviceState, PlanState};
use routeros_mcp::sim::profiles::Profile;
use serde_json::json;
use std::time::Duration;

const FILTER: &str = "/ip/firewall/filter";
/// More writes than a plan takes.
const MANY: usize = 40;
/// Turns that the job has while the disk is full.
const LOOKS: usize = 50;

fn rule(port: &str) -> serde_json::Value {
    request(json!([{"menu": FILTER, "op": "set", "match": {"comment": "wireguard"}, "values": {"dst-port": port}}]), "auto")
}

fn scene() -> (Router, tempfile::TempDir, PlanId, PlanId) {
    let (router, home) = (Router::start(Profile::Office, false, Duration::ZERO), home());
    let plans = Process::new(home.path(), &router).plain().run(async |appliance| {
        appliance.enrol(&router, "edge").await;
        (appliance.approved(&rule("13232")).await.unwrap(), appliance.approved(&rule("13233")).await.unwrap())
    });
    let (first, second) = plans.unwrap();
    (router, home, first, second)
}

async fn ended(appliance: &Appliance, plan: &PlanId) -> (PlanState, DeviceState) {
    appliance.leaves(plan, PlanState::Executing).await;
    (appliance.engine.plan(plan).unwrap().0.state, appliance.progress(plan).state)
}

#[test]
fn a_job_that_a_full_disk_broke_off_keeps_its_device_and_goes_on_when_there_is_room() {
    let (mut kinds, mut refused) = (std::collections::BTreeSet::new(), 0);
    for n in 1..MANY {
        let (router, home, first, second) = scene();
        let before = router.rows();
        let process = Process { full: Some(n), ..Process::new(home.path(), &router) }.plain();
        let (states, has_begun, is_done) = process
            .run(async |appliance| {
                let begun = appliance.engine.apply(&author(), &first).await;
                router.hand.move_by_itself();
                if begun.is_err() {
                    process.make_room();
                    appliance.engine.apply(&author(), &second).await.expect("who could not begin has no device");
                    return (ended(appliance, &second).await, false, false);
                }
                while !process.is_full() && appliance.engine.plan(&first).unwrap().0.state == PlanState::Executing {
                    tokio::task::yield_now().await;
                }
                if !process.is_full() {
                    return (ended(appliance, &first).await, true, true);
                }
                // It tries again and again.
                for _ in 0..LOOKS {
                    tokio::task::yield_now().await;
                }
                let other = appliance.engine.apply(&author(), &second).await.unwrap_err();
                assert_eq!(other.kind, Kind::Conflict, "write {n}: {}", other.said);
                process.make_room();
                (ended(appliance, &first).await, true, false)
            })
            .unwrap();
        if !has_begun {
            refused += 1;
        } else if !is_done {
            kinds.insert(states.1.as_str());
        }
        router.pass(Duration::from_secs(3_600));
        assert!(router.leftovers().is_empty(), "write {n}: {states:?}: {:?}", router.leftovers());
        trail(home.path()).unwrap();
        let changed = difference(&before, &router.rows());
        match states {
            (PlanState::Confirmed, DeviceState::Confirmed) => assert_eq!(changed.len(), 2, "write {n}: {changed:?}"),
            (PlanState::RolledBack, DeviceState::RolledBack) | (PlanState::Failed, DeviceState::Skipped) => {
                assert!(changed.is_empty(), "write {n}: {states:?}: {changed:?}");
            }
            _ => panic!("write {n}: {states:?}: {changed:?}"),
        }
        if is_done {
            println!("{n} writes, {refused} of them before it began: {kinds:?}");
            assert!(refused > 0);
            assert!(kinds.contains("confirmed") && kinds.contains("rolled_back"), "{kinds:?}");
            assert!(n > 8, "only {n} writes");
            return;
        }
    }
    panic!("it never came to its end");
}
