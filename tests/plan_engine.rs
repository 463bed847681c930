//! Plans applied to a simulated router: kept, undone by us, undone by the router alone; and what a crash at any point leaves.
//!
//! Time is the test's own and passes as soon as somebody waits for it.

mod crash;
mod drafter;
mod respelt;
mod rig;
mod since;
mod unsent;
mod window;

use rig::{PATIENCE, Rig, request, rule};
use routeros_mcp::base::clock::Wall;
use routeros_mcp::base::fault::Kind;
use routeros_mcp::plan::approve::sign;
use routeros_mcp::plan::record::{Approval, Cut, Plan, PlanId, Progress, Risk};
use routeros_mcp::plan::state::{DeviceState, PlanEvent, PlanState};
use routeros_mcp::sim::faults::{Fault, Line, Rule};
use routeros_mcp::sim::hooks::{Verdict, When};
use routeros_mcp::sim::profiles::Profile;
use serde_json::json;
use std::time::Duration;

const FILTER: &str = "/ip/firewall/filter";

#[tokio::test]
async fn a_guarded_edit_is_kept_with_every_proof_in_at_most_22_requests() {
    let rig = Rig::new(Profile::Office).await;
    rig.drafter.guarded();
    let id = rig.draft(request(json!([rule()]), json!({}))).await;
    rig.sim.forget_requests();
    let commands = rig.sim.commands().len();
    approve(&rig, &id).await;
    let (plan, progress) = rig.apply(&id).await;
    assert_eq!(
        (plan.state, progress.state),
        (PlanState::Confirmed, DeviceState::Confirmed),
        "{:?} {:?}",
        progress.error,
        progress.difference
    );
    assert!(rig.has_rule());
    rig.holds_no_guard();
    let requests = rig.sim.requests();
    let (rest, ssh) = (requests.len(), rig.sim.commands().len() - commands);
    let said: Vec<String> = requests.iter().map(|seen| format!("{} {}", seen.method, seen.target)).collect();
    println!("a guarded edit with auto confirm: {rest} requests over REST, {ssh} commands over SSH");
    assert!(rest + ssh <= 22 && rest >= 15, "{rest} + {ssh}\n{}", said.join("\n"));
    rig.intact().await;
}

#[tokio::test]
async fn a_direct_low_risk_change_takes_at_most_3_requests_with_its_draft() {
    let rig = Rig::new(Profile::Office).await;
    *rig.drafter.danger.lock().unwrap() = (Risk::Low, Cut::No);
    let edit = json!([{ "menu": "/system/identity", "op": "set", "values": { "name": "renamed" } }]);
    rig.sim.forget_requests();
    let (plan, progress) = rig.run(request(edit, json!({}))).await;
    assert_eq!(plan.state, PlanState::Confirmed, "{:?}", progress.error);
    assert_eq!(rig.rows("/system/identity")[0][0].1, "renamed");
    let requests = rig.sim.requests();
    println!("a direct low-risk change: {} requests", requests.len());
    assert!((2..=3).contains(&requests.len()), "{requests:?}");
}

#[tokio::test]
async fn a_change_that_cuts_us_off_is_undone_by_the_router_alone() {
    let rig = Rig::new(Profile::Office).await;
    rig.drafter.guarded();
    let id = rig.draft(request(json!([rule()]), json!({}))).await;
    approve(&rig, &id).await;
    let before = rig.rows(FILTER);
    rig.sim.hook(|step, _| {
        if (step.when, step.method.as_str(), step.path.as_str()) == (When::After, "PUT", FILTER) { Verdict::CutLink } else { Verdict::Go }
    });
    rig.engine().apply(&Rig::who(), &id).await.unwrap();
    rig.until_rule(true).await;
    // Nobody but the router can take it away: our link stays cut until it has.
    rig.until_rule(false).await;
    rig.sim.faults().set_line(Line::Open);
    let (plan, progress) = rig.ended(&id).await;
    assert_eq!((plan.state, progress.state), (PlanState::RolledBack, DeviceState::RolledBack), "{progress:?}");
    assert_eq!(rig.rows(FILTER), before);
    rig.holds_no_guard();
}

#[tokio::test]
async fn a_timer_that_fires_and_may_not_run_the_script_leaves_it_to_the_job() {
    let rig = Rig::new(Profile::Office).await;
    rig.drafter.guarded();
    let id = rig.draft(request(json!([rule()]), json!({}))).await;
    approve(&rig, &id).await;
    let before = rig.rows(FILTER);
    rig.sim.hook(|step, world| {
        if (step.when, step.method.as_str(), step.path.as_str()) != (When::After, "PUT", FILTER) {
            return Verdict::Go;
        }
        // Somebody takes rights away from the timer: the router refuses it the script, and says so in its log alone.
        let timers: Vec<String> = world.rows("/system/scheduler").iter().filter_map(|row| row.get("name").map(str::to_owned)).collect();
        for name in timers.iter().filter(|name| name.starts_with("mcp-guard-")) {
            world.set("/system/scheduler", name, "policy", "read");
        }
        Verdict::CutLink
    });
    rig.engine().apply(&Rig::who(), &id).await.unwrap();
    rig.until_rule(true).await;
    rig.until_rule(false).await;
    rig.sim.faults().set_line(Line::Open);
    let (plan, progress) = rig.ended(&id).await;
    assert_eq!((plan.state, progress.state), (PlanState::RolledBack, DeviceState::RolledBack), "{progress:?}");
    assert_eq!(rig.rows(FILTER), before);
    rig.holds_no_guard();
}

#[tokio::test]
async fn a_failed_check_takes_the_change_back_at_once() {
    let rig = Rig::new(Profile::Office).await;
    rig.drafter.guarded();
    let before = rig.rows(FILTER);
    let id = rig.draft(request(json!([rule()]), json!({ "verify": [{ "reach": "nowhere" }] }))).await;
    approve(&rig, &id).await;
    let (plan, progress) = rig.apply(&id).await;
    assert_eq!((plan.state, progress.state), (PlanState::RolledBack, DeviceState::RolledBack), "{progress:?}");
    assert!(progress.error.unwrap().contains("nowhere"));
    assert_eq!(rig.rows(FILTER), before);
    rig.holds_no_guard();
}

#[tokio::test]
async fn an_answer_that_is_lost_or_wrong_is_settled_by_reading_back() {
    for (fault, ends) in [
        (Fault::CloseAfter, PlanState::Confirmed),
        (Fault::DoneButRefused, PlanState::Confirmed),
        (Fault::GarbageJson, PlanState::Confirmed),
        (Fault::CloseBefore, PlanState::RolledBack),
        (Fault::ServerError, PlanState::RolledBack),
    ] {
        let rig = Rig::new(Profile::Office).await;
        rig.drafter.guarded();
        let id = rig.draft(request(json!([rule()]), json!({}))).await;
        approve(&rig, &id).await;
        rig.sim.faults().inject(Rule::once(fault).on(FILTER).method("PUT"));
        let (plan, progress) = rig.apply(&id).await;
        assert_eq!(plan.state, ends, "{fault:?} {progress:?}");
        assert_eq!(rig.has_rule(), ends == PlanState::Confirmed, "{fault:?}");
        let sent = rig.sim.requests().iter().filter(|seen| seen.method == "PUT" && seen.path() == FILTER).count();
        assert_eq!(sent, 1, "{fault:?}: never sent twice");
        rig.holds_no_guard();
    }
}

#[tokio::test]
async fn a_damaged_answer_does_not_hide_a_row_that_was_added_without_an_answer() {
    const LIST: &str = "/ip/firewall/address-list";
    let mut ends = Vec::new();
    // The damage goes to the first comment, or to the first value, which is the `.id`.
    let commented = json!({ "list": "tests", "address": "10.9.9.9", "comment": "of a test" });
    let bare = json!({ "list": "tests", "address": "10.9.9.9" });
    let cases = [Fault::InvalidUtf8, Fault::RawControl, Fault::WrongBody].into_iter().flat_map(|odd| [(odd, &commented), (odd, &bare)]);
    for (garble, values) in cases {
        for skipped in 0..6 {
            let rig = Rig::new(Profile::HomeAp).await;
            // It is to hit the new row.
            rig.sim.world().table(LIST).rows.clear();
            let id = rig.draft(request(json!([{ "menu": LIST, "op": "add", "values": values }]), json!({}))).await;
            let is_ours = |row: &Vec<(String, String)>| row.iter().any(|(_, value)| value == "10.9.9.9");
            approve(&rig, &id).await;
            rig.sim.faults().inject(Rule::once(Fault::CloseAfter).on(LIST).method("PUT"));
            // The reading that settles it fails, and the one after it is damaged.
            rig.sim.faults().inject(Rule::once(Fault::ServerError).on(LIST).method("GET").after(skipped));
            rig.sim.faults().inject(Rule::once(garble).on(LIST).method("GET").after(skipped + 1));
            let (plan, progress) = rig.apply(&id).await;
            let is_there = rig.rows(LIST).iter().any(is_ours);
            assert_eq!(
                is_there,
                plan.state == PlanState::Confirmed,
                "{garble:?} of {values} after {skipped}: {:?} {progress:?}",
                plan.state
            );
            ends.push(plan.state);
        }
    }
    println!("{} cases", ends.len());
    assert!(ends.contains(&PlanState::RolledBack) && ends.contains(&PlanState::Confirmed), "{ends:?}");
}

#[tokio::test]
async fn a_lost_answer_while_arming_leaves_a_proven_guard_or_nothing() {
    for (path, fault) in [
        ("/system/script", Fault::CloseAfter),
        ("/system/script", Fault::CloseBefore),
        ("/system/scheduler", Fault::CloseAfter),
        ("/system/scheduler", Fault::CloseBefore),
        ("/system/scheduler", Fault::DoneButRefused),
    ] {
        let rig = Rig::new(Profile::Office).await;
        rig.drafter.guarded();
        let id = rig.draft(request(json!([rule()]), json!({}))).await;
        approve(&rig, &id).await;
        rig.sim.faults().inject(Rule::once(fault).on(path).method("PUT"));
        let (plan, progress) = rig.apply(&id).await;
        let kept = plan.state == PlanState::Confirmed;
        assert!(kept || plan.state == PlanState::Failed, "{path} {fault:?} {progress:?}");
        assert_eq!(rig.has_rule(), kept, "{path} {fault:?}");
        rig.holds_no_guard();
    }
}

#[tokio::test]
async fn two_plans_on_one_device_do_not_mix() {
    let rig = Rig::new(Profile::Office).await;
    let second = rig.draft(request(json!([{ "menu": "/ip/dns", "op": "set", "values": { "cache-size": "4096" } }]), json!({}))).await;
    assert!(rig.engine().rests(&rig.device).is_ok());
    let first = manual(&rig).await;
    assert_eq!(rig.engine().rests(&rig.device).unwrap_err().kind, Kind::Conflict, "nobody removes a device that a plan works on");
    let refused = rig.engine().apply(&Rig::who(), &second).await.unwrap_err();
    assert_eq!(refused.kind, Kind::Conflict);
    assert!(refused.said.contains(first.as_str()), "{}", refused.said);
    rig.engine().confirm(&first).await.unwrap();
    assert_eq!(over(&rig, &first).await.0.state, PlanState::Confirmed);
    assert_eq!(rig.apply(&second).await.0.state, PlanState::Confirmed);
}

#[tokio::test]
async fn of_two_appliances_the_one_that_was_there_first_stays_and_the_other_is_told() {
    let rig = Rig::new(Profile::Office).await;
    rig.drafter.guarded();
    let other = [("name", "mcp-guard-00000000beef"), ("source", ":log info x"), ("policy", "read,write,test")];
    rig.sim.world().by_hand("admin").add("/system/script", &other).unwrap();
    let id = rig.draft(request(json!([rule()]), json!({}))).await;
    approve(&rig, &id).await;
    let (plan, progress) = rig.apply(&id).await;
    assert_eq!((plan.state, progress.state), (PlanState::Failed, DeviceState::Skipped));
    assert!(progress.error.unwrap().contains("plan-00000000beef"));
    assert_eq!(rig.guards(), ["/system/script mcp-guard-00000000beef"]);
    assert!(!rig.has_rule());
    let swept = rig.engine().sweep().await.unwrap();
    assert_eq!((swept.removed.len(), swept.left.len()), (0, 1), "another's guard is told and left alone: {swept:?}");
    assert_eq!(rig.guards().len(), 1);
}

#[tokio::test]
async fn nothing_is_proven_over_plain_http_without_ssh() {
    let rig = Rig::with(Profile::Office, false).await;
    rig.fleet().remove(&rig.device.id).await.unwrap();
    rig::enroll(rig.fleet(), &rig.sim, "edge", true).await;
    rig.drafter.guarded();
    let id = rig.draft(request(json!([rule()]), json!({}))).await;
    approve(&rig, &id).await;
    let (plan, progress) = rig.apply(&id).await;
    assert_eq!(plan.state, PlanState::Failed);
    assert!(progress.error.unwrap().contains("no verified TLS"));
    assert!(!rig.has_rule());
    rig.holds_no_guard();
}

#[tokio::test]
async fn a_plan_without_its_approvals_does_not_start() {
    let rig = Rig::new(Profile::Office).await;
    rig.drafter.guarded();
    let id = rig.draft(request(json!([rule()]), json!({}))).await;
    assert_eq!(rig.engine().apply(&Rig::who(), &id).await.unwrap_err().kind, Kind::Conflict);
    approve(&rig, &id).await;
    // Ours to say, but over another digest.
    let spoil = |plan: &mut Plan| {
        plan.digest[0] ^= 1;
        Ok(())
    };
    rig.engine().change(&id, spoil).await.unwrap();
    assert_eq!(rig.engine().apply(&Rig::who(), &id).await.unwrap_err().kind, Kind::Conflict);
    rig.engine().change(&id, spoil).await.unwrap();
    rig.hand.advance(Duration::from_secs(901));
    assert_eq!(rig.engine().apply(&Rig::who(), &id).await.unwrap_err().kind, Kind::Conflict, "approvals run out");
    assert_eq!(rig.engine().refuse(&id, "").await.unwrap_err().kind, Kind::BadInput);
    rig.engine().refuse(&id, "not now").await.unwrap();
    assert_eq!(rig.engine().plan(&id).unwrap().0.state, PlanState::Refused);
}

#[tokio::test]
async fn a_plan_whose_approval_or_day_is_over_is_shown_as_what_it_then_is() {
    let rig = Rig::new(Profile::Office).await;
    rig.drafter.guarded();
    let id = rig.draft(request(json!([rule()]), json!({}))).await;
    approve(&rig, &id).await;
    rig.engine().change(&id, |plan| plan.happen(PlanEvent::Approve)).await.unwrap();
    let shown = || (rig.engine().head(&id).unwrap().state, rig.engine().list().unwrap()[0].state);
    assert_eq!(shown(), (PlanState::Approved, PlanState::Approved));
    rig.hand.advance(Duration::from_secs(901));
    assert_eq!(shown(), (PlanState::Draft, PlanState::Draft), "nobody has written down that the approval ran out");
    let refused = rig.engine().apply(&Rig::who(), &id).await.unwrap_err();
    assert!(refused.said.contains("ran out"), "{}", refused.said);
    rig.hand.advance(Duration::from_secs(86_400));
    assert_eq!(shown(), (PlanState::Expired, PlanState::Expired));
    assert!(rig.engine().plan(&id).unwrap().0.why_ended.is_some());
}

#[tokio::test]
async fn a_removal_by_disabling_is_finished_only_once_confirmed() {
    let rig = Rig::new(Profile::Office).await;
    let name = [("name", "nas.example"), ("address", "192.0.2.9")];
    rig.sim.world().by_hand("admin").add("/ip/dns/static", &name).unwrap();
    // `each` is how these tests ask for it.
    let edit = json!([{ "menu": "/ip/dns/static", "op": "remove", "match": { "name": "nas.example" }, "each": true }]);
    let has = |rig: &Rig| rig.rows("/ip/dns/static").iter().any(|row| row.iter().any(|(_, value)| value == "nas.example"));
    rig.drafter.guarded();
    let id = rig.draft(request(edit, json!({ "confirm": "manual" }))).await;
    approve(&rig, &id).await;
    rig.hand.stand();
    rig.apply(&id).await;
    assert!(has(&rig));
    rig.engine().confirm(&id).await.unwrap();
    let (plan, progress) = over(&rig, &id).await;
    assert_eq!(plan.state, PlanState::Confirmed, "{progress:?}");
    assert!(!has(&rig));
    rig.holds_no_guard();
}

#[tokio::test]
async fn a_removal_that_the_router_takes_and_does_not_do_is_told() {
    let rig = Rig::new(Profile::Office).await;
    let row = [("name", "nas.example"), ("address", "192.0.2.9")];
    rig.sim.world().by_hand("admin").add("/ip/dns/static", &row).unwrap();
    let edit = json!([{ "menu": "/ip/dns/static", "op": "remove", "match": { "name": "nas.example" }, "each": true }]);
    rig.sim.hook(move |step, world| {
        if step.when == When::After && step.method == "DELETE" && step.path.starts_with("/ip/dns/static") {
            world.by_hand("admin").add("/ip/dns/static", &[row[0], row[1], ("disabled", "yes")]).unwrap();
        }
        Verdict::Go
    });
    let id = rig.draft(request(edit, json!({ "confirm": "auto" }))).await;
    approve(&rig, &id).await;
    rig.apply(&id).await;
    let (plan, progress) = over(&rig, &id).await;
    assert_eq!(plan.state, PlanState::Confirmed, "{progress:?}");
    assert!(progress.error.as_deref().is_some_and(|error| error.contains("still shows it")), "{progress:?}");
}

/// A manual plan that waits for a person, with its guard.
async fn manual(rig: &Rig) -> PlanId {
    rig.drafter.guarded();
    let id = rig.draft(request(json!([rule()]), json!({ "confirm": "manual" }))).await;
    approve(rig, &id).await;
    rig.hand.stand();
    let (plan, progress) = rig.apply(&id).await;
    assert_eq!((plan.state, progress.state), (PlanState::Executing, DeviceState::Verified), "{progress:?}");
    assert!(rig.has_rule());
    id
}

/// Until a plan that waited is over; time passes by itself again.
async fn over(rig: &Rig, id: &PlanId) -> (Plan, Progress) {
    rig.hand.move_by_itself();
    for _ in 0..1_000 {
        let (plan, progress) = rig.ended(id).await;
        if plan.state != PlanState::Executing {
            return (plan, progress);
        }
        tokio::task::yield_now().await;
    }
    panic!("{id} did not end within {PATIENCE:?}")
}

/// A person says yes.
pub(crate) async fn approve(rig: &Rig, id: &PlanId) {
    let key = rig.engine().approval_key().clone();
    rig.engine()
        .change(id, |plan| {
            let at = plan.created_at;
            let blank = Approval {
                person: "person-1".into(),
                name: "Ann".into(),
                at,
                expires_at: Wall(at.0 + 900_000),
                nonce: [7; 16],
                mac: [0; 32],
            };
            let mac = sign(plan, &blank, &key);
            plan.approvals = vec![Approval { mac, ..blank }];
            Ok(())
        })
        .await
        .unwrap();
}
