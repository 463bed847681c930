//! The appliance dies at every write to its store and every request to the router; the router ends exactly as planned and confirmed,
//! or exactly as it was, and holds nothing of ours.

use super::rig::{Rig, request, rule};
use super::{FILTER, approve};
use routeros_mcp::plan::record::PlanId;
use routeros_mcp::plan::state::{DeviceState, PlanState};
use routeros_mcp::sim::hooks::When;
use routeros_mcp::sim::profiles::Profile;
use serde_json::json;

/// Fewer deaths than this means that they do not happen any more.
const DEATHS_MIN: usize = 40;

async fn ready() -> (Rig, PlanId) {
    let rig = Rig::with(Profile::Office, false).await;
    rig.drafter.guarded();
    let id = rig.draft(request(json!([rule()]), json!({}))).await;
    approve(&rig, &id).await;
    (rig, id)
}

/// What must hold after a death and a restart, wherever it was.
async fn settled(rig: Rig, id: &PlanId, before: &[Vec<(String, String)>], whereabouts: &str) {
    let (plan, progress) = rig.ended(id).await;
    let kept = rig.has_rule();
    match (plan.state, progress.state) {
        (PlanState::Confirmed, DeviceState::Confirmed) => assert!(kept, "{whereabouts}: confirmed, and not there"),
        (PlanState::RolledBack, DeviceState::RolledBack) | (PlanState::Failed, DeviceState::Skipped) => {
            assert_eq!(rig.rows(FILTER), before, "{whereabouts}: {progress:?}");
        }
        // It died before its start was written.
        (PlanState::Draft, DeviceState::Pending) => assert_eq!(rig.rows(FILTER), before, "{whereabouts}"),
        other => panic!("{whereabouts}: {other:?} {progress:?}"),
    }
    rig.holds_no_guard();
    rig.intact().await;
}

#[tokio::test]
async fn a_death_at_any_write_leaves_the_change_whole_or_undone() {
    let mut deaths = 0;
    for after in [false, true] {
        for n in 1.. {
            let (mut rig, id) = ready().await;
            let before = rig.rows(FILTER);
            rig.death.at_commit(n, after);
            let who = Rig::who();
            tokio::select! {
                started = rig.engine().apply(&who, &id) => started.unwrap(),
                () = rig.until_dead() => {}
            }
            rig.until_dead_or_done(&id).await;
            if !rig.death.is_dead() {
                assert!(n > 8, "only {n} writes");
                break;
            }
            deaths += 1;
            rig.restart(false).await;
            settled(rig, &id, &before, &format!("write {n}, after: {after}")).await;
        }
    }
    println!("deaths at writes: {deaths}");
    assert!(deaths >= 16, "{deaths}");
}

#[tokio::test]
async fn a_death_at_any_request_leaves_the_change_whole_or_undone() {
    let mut deaths = 0;
    for when in [When::Before, When::After] {
        for n in 1.. {
            let (mut rig, id) = ready().await;
            let before = rig.rows(FILTER);
            rig.die_at_request(n, when);
            rig.engine().apply(&Rig::who(), &id).await.unwrap();
            rig.until_dead_or_done(&id).await;
            if !rig.death.is_dead() {
                break;
            }
            deaths += 1;
            rig.restart(false).await;
            settled(rig, &id, &before, &format!("request {n}, {when:?}")).await;
        }
    }
    println!("deaths at requests: {deaths}");
    assert!(deaths >= DEATHS_MIN, "{deaths}");
}
