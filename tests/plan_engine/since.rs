//! What is otherwise than at the draft by the time a plan is applied: told, and nothing is done.

use super::*;

#[tokio::test]
async fn rows_that_moved_since_the_draft_are_told_and_nothing_is_done() {
    let rig = Rig::new(Profile::Office).await;
    rig.drafter.guarded();
    let edit = json!([{ "menu": "/ip/dns", "op": "set", "values": { "cache-size": "4096" } }]);
    let id = rig.draft(request(edit, json!({}))).await;
    approve(&rig, &id).await;
    rig.sim.world().by_hand("admin").set("/ip/dns", "", &[("cache-size", "3000")]).unwrap();
    rig.sim.forget_requests();
    let (plan, progress) = rig.apply(&id).await;
    assert_eq!((plan.state, progress.state), (PlanState::Failed, DeviceState::Skipped));
    assert_eq!(progress.difference.len(), 1, "{progress:?}");
    assert!(rig.sim.requests().iter().all(|seen| seen.method == "GET"), "{:?}", rig.sim.requests());
}

#[tokio::test]
async fn what_could_cut_us_off_only_since_the_draft_is_not_applied_without_a_guard() {
    let edit = json!([{ "menu": "/ip/firewall/address-list", "op": "add", "values": { "list": "others", "address": "0.0.0.0/0" } }]);
    for is_used in [false, true] {
        let rig = Rig::new(Profile::Office).await;
        let id = rig.draft(request(edit.clone(), json!({}))).await;
        approve(&rig, &id).await;
        if is_used {
            let rule = [("chain", "input"), ("action", "drop"), ("src-address-list", "others")];
            let mut world = rig.sim.world();
            let first = world.rows("/ip/firewall/filter").first().and_then(|row| row.id).map(|id| format!("*{id:X}")).unwrap();
            world.by_hand("admin").add("/ip/firewall/filter", &[&rule[..], &[("place-before", first.as_str())]].concat()).unwrap();
        }
        rig.sim.forget_requests();
        let (plan, progress) = rig.apply(&id).await;
        let came = (plan.state, progress.error.as_deref().is_some_and(|why| why.contains("could cut our access")));
        assert_eq!(came, if is_used { (PlanState::Failed, true) } else { (PlanState::Confirmed, false) }, "{progress:?}");
        let is_write = |method: &str| matches!(method, "PUT" | "PATCH" | "DELETE");
        assert!(!is_used || !rig.sim.requests().iter().any(|seen| is_write(&seen.method)), "{:?}", rig.sim.requests());
    }
}
