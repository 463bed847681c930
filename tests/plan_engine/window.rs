//! While a manual plan waits for a person: kept, given more time, too late, and what others do meanwhile.

use super::rig::Rig;
use super::{FILTER, manual, over};
use routeros_mcp::base::fault::Kind;
use routeros_mcp::plan::record::GuardKind;
use routeros_mcp::plan::state::{DeviceState, PlanState};
use routeros_mcp::sim::profiles::Profile;
use std::time::Duration;

#[tokio::test]
async fn an_edit_by_somebody_else_in_the_window_is_told_and_stays() {
    for says in ["keep", "undo", "nothing"] {
        let rig = Rig::new(Profile::Office).await;
        let id = manual(&rig).await;
        rig.sim.world().by_hand("admin").set(FILTER, "iot to nvr", &[("src-address", "10.9.9.0/24")]).unwrap();
        match says {
            "keep" => rig.engine().confirm(&id).await.unwrap(),
            "undo" => rig.engine().roll_back(&id, "not wanted").await.unwrap(),
            _ => rig.hand.advance(Duration::from_secs(660)),
        }
        let (plan, progress) = over(&rig, &id).await;
        assert_eq!((plan.state, progress.state), (PlanState::NeedsAttention, DeviceState::NeedsAttention), "{says} {progress:?}");
        assert_eq!(progress.difference.len(), 1, "{says} {progress:?}");
        let stays = rig.rows(FILTER).iter().any(|row| row.iter().any(|(_, value)| value == "10.9.9.0/24"));
        assert!(stays, "{says}: a later edit of a person wins");
        rig.holds_no_guard();
    }
}

#[tokio::test]
async fn a_guard_that_silently_does_not_fire_is_noticed_and_the_change_undone_by_us() {
    let rig = Rig::new(Profile::Office).await;
    let before = rig.rows(FILTER);
    let id = manual(&rig).await;
    assert_eq!(rig.progress(&id).guards.len(), 2);
    {
        let mut world = rig.sim.world();
        let timers = world.rows("/system/scheduler");
        let ours = timers.iter().find(|row| row.get("name").is_some_and(|name| name.starts_with("mcp-guard-"))).unwrap();
        let name = ours.get("name").unwrap().to_owned();
        world.by_hand("admin").set("/system/scheduler", &name, &[("disabled", "yes")]).unwrap();
        for job in world.rows("/system/script/job") {
            world.by_hand("admin").remove("/system/script/job", &format!("*{:X}", job.id.unwrap())).unwrap();
        }
    }
    rig.hand.advance(Duration::from_secs(660));
    let (plan, _) = over(&rig, &id).await;
    assert_eq!(plan.state, PlanState::RolledBack);
    assert!(!rig.has_rule());
    rig.holds_no_guard();
    assert_eq!(rig.rows(FILTER), before);
}

#[tokio::test]
async fn a_manual_plan_waits_is_given_more_time_and_is_kept() {
    let rig = Rig::new(Profile::Office).await;
    let id = manual(&rig).await;
    let fires = rig.progress(&id).fires_at.unwrap();
    // Asked for between two seconds: a scheduler knows whole ones.
    rig.hand.advance(Duration::from_millis(1_300));
    let later = rig.engine().extend(&id, Duration::from_secs(1_200)).await.unwrap();
    assert_eq!(later.0 - fires.0, 1_200_000, "{:?}", rig.progress(&id));
    assert_eq!(rig.guards().len(), 3, "one script, one timer, one job: {:?}", rig.guards());
    assert_eq!(rig.engine().extend(&id, Duration::from_secs(3_000)).await.unwrap_err().kind, Kind::BadInput);
    // Past the time it had first, and nothing fired.
    rig.hand.advance(Duration::from_secs(1_500));
    rig.sim.settle();
    assert!(rig.has_rule());
    rig.engine().confirm(&id).await.unwrap();
    let (plan, progress) = over(&rig, &id).await;
    assert_eq!(plan.state, PlanState::Confirmed, "{progress:?}");
    rig.holds_no_guard();
    assert_eq!(rig.engine().confirm(&id).await.unwrap_err().kind, Kind::Conflict);
}

#[tokio::test]
async fn too_late_a_confirmation_lets_the_router_undo_it() {
    let rig = Rig::new(Profile::Office).await;
    let id = manual(&rig).await;
    // 630 s in all: with 5 s left nothing is confirmed any more.
    rig.hand.advance(Duration::from_secs(625));
    let _ = rig.engine().confirm(&id).await;
    let (plan, progress) = over(&rig, &id).await;
    assert_eq!((plan.state, progress.state), (PlanState::RolledBack, DeviceState::RolledBack), "{progress:?}");
    assert!(!rig.has_rule());
    rig.holds_no_guard();
}

#[tokio::test]
async fn a_router_without_scheduler_is_guarded_by_a_job() {
    let rig = Rig::new(Profile::HomeAp).await;
    assert!(!rig.device.facts.can.schedule, "device-mode home");
    let id = manual(&rig).await;
    let kinds: Vec<GuardKind> = rig.progress(&id).guards.iter().map(|guard| guard.kind).collect();
    assert_eq!(kinds, [GuardKind::Execute]);
    rig.engine().confirm(&id).await.unwrap();
    assert_eq!(over(&rig, &id).await.0.state, PlanState::Confirmed);
    assert!(rig.has_rule());
    rig.holds_no_guard();
}

#[tokio::test]
async fn a_script_somebody_changed_is_never_confirmed_over() {
    let rig = Rig::new(Profile::Office).await;
    let id = manual(&rig).await;
    let name = rig.progress(&id).guards[0].name.clone();
    rig.sim.world().by_hand("admin").set("/system/script", &name, &[("source", ":log info harmless")]).unwrap();
    rig.engine().confirm(&id).await.unwrap();
    let (plan, progress) = over(&rig, &id).await;
    assert_eq!(plan.state, PlanState::NeedsAttention);
    assert!(progress.difference.iter().any(|difference| difference.menu == "/system/script"), "{progress:?}");
    rig.holds_no_guard();
}

#[tokio::test]
async fn after_a_rollback_of_the_store_nothing_is_driven_and_the_router_undoes_it_alone() {
    let mut rig = Rig::new(Profile::Office).await;
    let id = manual(&rig).await;
    rig.restart(true).await;
    rig.sim.forget_requests();
    let (plan, progress) = rig.ended(&id).await;
    assert_eq!((plan.state, progress.state), (PlanState::NeedsAttention, DeviceState::NeedsAttention));
    assert_eq!(rig.guards().len(), 3, "a live guard is not taken away");
    rig.engine().sweep().await.unwrap();
    assert_eq!(rig.sim.requests().len(), 0);
    rig.hand.advance(Duration::from_secs(660));
    rig.sim.settle();
    assert!(!rig.has_rule());
}
