//! Routers that keep a text in another spelling than it was written in: what is undone is that row, and nothing else.

use super::*;
use serde_json::Value;

const STATIC: &str = "/ip/dns/static";

/// A new row whose comment the router does not keep as it is.
fn added(menu: &str) -> Value {
    let values = match menu {
        STATIC => json!({ "name": "nvr.lan", "address": "192.0.2.8", "comment": "\u{fc}bel " }),
        _ => json!({ "chain": "forward", "action": "accept", "src-address": "10.0.30.0/24", "comment": "\u{fc}bel " }),
    };
    json!([{ "menu": menu, "op": "add", "values": values }])
}

/// A router that keeps comments in ASCII.
async fn rig() -> Rig {
    let rig = Rig::new(Profile::Office).await;
    rig.sim.world().respell("comment", |text| text.trim().replace('\u{fc}', "?"));
    rig
}

/// The row's `.id` and comment, where it is there.
fn respelt(rig: &Rig, menu: &str) -> Option<String> {
    let mut world = rig.sim.world();
    world.rows(menu).iter().filter_map(|row| row.get("comment")).find(|comment| comment.contains("?bel")).map(str::to_owned)
}

#[tokio::test]
async fn a_row_that_was_added_is_taken_away_by_its_id() {
    for menu in [FILTER, STATIC] {
        for is_guarded in [false, true] {
            let rig = rig().await;
            if is_guarded {
                rig.drafter.guarded();
            }
            let before = rig.rows(menu);
            let id = rig.draft(request(added(menu), json!({}))).await;
            approve(&rig, &id).await;
            let (plan, progress) = rig.apply(&id).await;
            assert_eq!((plan.state, progress.state), (PlanState::RolledBack, DeviceState::RolledBack), "{menu} {is_guarded}: {progress:?}");
            assert!(!progress.error.unwrap().contains("nothing was changed"));
            assert_eq!(rig.rows(menu), before, "{menu} {is_guarded}");
            rig.holds_no_guard();
        }
    }
}

#[tokio::test]
async fn a_row_that_was_set_gets_its_old_values_back() {
    let rig = rig().await;
    let before = rig.rows(FILTER);
    let edit = json!([{ "menu": FILTER, "op": "set", "match": { "comment": "wireguard" }, "values": { "comment": "\u{fc}bel " } }]);
    let (plan, progress) = rig.run(request(edit, json!({}))).await;
    assert_eq!(plan.state, PlanState::RolledBack, "{progress:?}");
    assert_eq!(rig.rows(FILTER), before);
}

#[tokio::test]
async fn a_row_that_somebody_changed_since_stays_and_is_told() {
    let rig = rig().await;
    let mut is_written = false;
    rig.sim.hook(move |step, world| {
        if step.when == When::After && step.method == "PUT" {
            is_written = true;
        } else if std::mem::take(&mut is_written) {
            world.by_hand("admin").set(FILTER, "?bel", &[("src-address", "10.0.31.0/24")]).unwrap();
        }
        Verdict::Go
    });
    let (plan, progress) = rig.run(request(added(FILTER), json!({}))).await;
    assert_eq!((plan.state, progress.state), (PlanState::NeedsAttention, DeviceState::NeedsAttention), "{progress:?}");
    assert!(progress.error.unwrap().contains("could not be undone whole") && progress.difference[0].why.contains("somebody changed it"));
    assert!(respelt(&rig, FILTER).is_some());
}

#[tokio::test]
async fn after_a_restart_of_the_router_its_ids_are_no_proof() {
    let rig = rig().await;
    let (mut is_written, hand) = (false, rig.hand.clone());
    rig.sim.hook(move |step, world| {
        if step.when == When::After && step.method == "PUT" {
            is_written = true;
        } else if std::mem::take(&mut is_written) {
            hand.advance(Duration::from_secs(60));
            world.reboot();
        }
        Verdict::Go
    });
    let (plan, progress) = rig.run(request(added(FILTER), json!({}))).await;
    assert_eq!(plan.state, PlanState::NeedsAttention, "{progress:?}");
    assert!(progress.difference[0].why.contains("was not taken away"), "{:?}", progress.difference);
    assert!(respelt(&rig, FILTER).is_some());
}

#[tokio::test]
async fn a_row_whose_answer_was_lost_too_is_told_and_left() {
    let rig = rig().await;
    let id = rig.draft(request(added(FILTER), json!({}))).await;
    rig.sim.faults().inject(Rule::once(Fault::CloseAfter).on(FILTER).method("PUT"));
    let (plan, progress) = rig.apply(&id).await;
    assert_eq!(plan.state, PlanState::NeedsAttention, "{progress:?}");
    assert!(progress.difference[0].why.contains("seems to have added it"), "{:?}", progress.difference);
    assert!(respelt(&rig, FILTER).is_some());
}
