//! Changes that cannot be sent, or that the router refuses whole: what is said then is that nothing was changed, and at once.

use super::*;
use futures_util::FutureExt;
use routeros_mcp::sim::Sim;
use std::sync::Arc;
use tokio::net::TcpStream;

/// A comment of a row: small enough for no guard.
fn comment() -> serde_json::Value {
    json!([{ "menu": FILTER, "op": "set", "match": { "comment": "wireguard" }, "values": { "comment": "renamed" } }])
}

/// REST is off from now on, and no connection to it is left.
async fn switch_rest_off(sim: Arc<Sim>) {
    sim.faults().set_rest_line(Line::Refuse);
    sim.cut_connections();
    while TcpStream::connect(("127.0.0.1", sim.https_port())).await.is_ok() {
        tokio::task::yield_now().await;
    }
    // What was cut is seen by its other end a few turns later.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

fn writes(rig: &Rig) -> usize {
    rig.sim.requests().iter().filter(|seen| matches!(seen.method.as_str(), "PUT" | "PATCH" | "DELETE")).count()
}

#[tokio::test]
async fn while_rest_is_off_nothing_is_begun_though_ssh_answers() {
    let rig = Rig::new(Profile::Office).await;
    let id = rig.draft(request(comment(), json!({}))).await;
    switch_rest_off(rig.sim.clone()).await;
    let began = rig.mono();
    let (plan, progress) = rig.apply(&id).await;
    assert_eq!((plan.state, progress.state), (PlanState::Failed, DeviceState::Skipped), "{progress:?}");
    let error = progress.error.unwrap();
    assert!(error.contains("over REST") && error.contains("www-ssl") && error.contains("nothing was changed"), "{error}");
    assert!(rig.mono() - began < Duration::from_secs(60), "it took {:?}", rig.mono() - began);
    assert_eq!(writes(&rig), 0);
}

#[tokio::test]
async fn a_change_that_never_left_ends_at_once_untouched() {
    let rig = Rig::with(Profile::Office, false).await;
    let id = rig.draft(request(comment(), json!({}))).await;
    let sim = rig.sim.clone();
    // Begun, about to be sent, being sent.
    rig.death.before_commit(4, move || switch_rest_off(sim).boxed());
    let began = rig.mono();
    let (plan, progress) = rig.apply(&id).await;
    assert_eq!((plan.state, progress.state), (PlanState::Failed, DeviceState::Skipped), "{progress:?}");
    assert!(progress.error.unwrap().contains("no connection to"));
    assert!(rig.mono() - began < Duration::from_secs(60), "it took {:?}", rig.mono() - began);
    assert_eq!(writes(&rig), 0);
    rig.intact().await;
}

#[tokio::test]
async fn a_refusal_of_the_first_step_says_why_and_that_nothing_was_changed() {
    let rig = Rig::new(Profile::Office).await;
    let before = rig.rows(FILTER);
    let id = rig.draft(request(comment(), json!({}))).await;
    {
        let mut world = rig.sim.world();
        world.by_hand("admin").set("/user/group", "mcp", &[("policy", "read,test,api,rest-api,ssh,!write")]).unwrap();
        world.forget_logins();
    }
    let (plan, progress) = rig.apply(&id).await;
    assert_eq!((plan.state, progress.state), (PlanState::RolledBack, DeviceState::RolledBack), "{progress:?}");
    let error = progress.error.unwrap();
    assert!(error.contains("policy `write`") && error.ends_with("; nothing was changed"), "{error}");
    assert_eq!(rig.rows(FILTER), before);

    // Once the record knows it, the router is not asked any more.
    let probed = rig.fleet().probe(&rig.device.id).await.unwrap();
    assert!(probed.facts.policies.as_ref().is_some_and(|granted| !granted.contains(&"write".to_owned())), "{:?}", probed.facts);
    rig.sim.forget_requests();
    let again = serde_json::from_value(request(comment(), json!({}))).unwrap();
    let refused = rig.engine().create(&Rig::who(), again, "plan.create").await.unwrap_err();
    assert_eq!(refused.kind, Kind::RouterDenied, "{}", refused.said);
    assert!(refused.said.contains("lacks the policy write") && refused.hint.unwrap().contains("device test"));
    assert!(rig.sim.requests().is_empty());
}
