//! Plans over many routers: canaries, batches, halts, what a halt takes back, and what a restart goes on with.

mod rig;
mod witness;

use rig::{Site, name};
use routeros_mcp::plan::state::{DeviceState, PlanState};
use routeros_mcp::sim::faults::{Fault, Line, Rule};
use routeros_mcp::sim::hooks::{Verdict, When};
use serde_json::{Value, json};
use std::time::Duration;

const FILTER: &str = "/ip/firewall/filter";
const PORTS: &str = "/interface/ethernet";

/// High risk: an approval and a guard.
fn guarded() -> Value {
    json!({"menu": FILTER, "op": "add",
           "values": {"chain": "forward", "action": "accept", "src-address": "198.51.100.0/24", "comment": "rollout"}})
}

/// Low risk: sent at once, and read back.
fn light() -> Value {
    json!({"menu": PORTS, "op": "set", "match": {"name": "ether5"}, "values": {"comment": "rollout"}})
}

fn pace(size: u32, pause: &str, on_failure: &str) -> Value {
    json!({"batch": {"size": size, "canary": 1, "pause": pause, "on_failure": on_failure}})
}

/// A router that takes no new filter rule.
fn refuse(site: &Site, router: usize) {
    site.sims[router].faults().inject(Rule::always(Fault::ServerError).method("PUT").on(FILTER));
}

#[test]
fn a_canary_that_fails_halts_the_job_before_anybody_else_is_touched() {
    let site = Site::of(4);
    site.hand.move_by_itself();
    refuse(&site, 0);
    site.run(async |appliance| {
        let id = appliance.approved(0..4, guarded(), pace(3, "60s", "stop")).await;
        appliance.start(&id).await;
        let ended = appliance.ended(&id).await;
        assert_eq!(ended.line, "rolled back 1, untouched 3");
        assert_eq!(ended.plan.state, PlanState::RolledBack);
        assert!(ended.plan.why_ended.as_deref().is_some_and(|why| why.contains(&name(0))), "{:?}", ended.plan.why_ended);
        assert_eq!(appliance.states(&id)[1..], ["pending"; 3]);
    })
    .unwrap();
    assert!(site.holders(FILTER, "rollout").is_empty() && site.leftovers().is_empty());
    let touched = |n: usize| site.sims[n].requests().iter().any(|seen| seen.method != "GET" && seen.path().starts_with(FILTER));
    assert!(touched(0) && !touched(1) && !touched(2) && !touched(3));
}

#[test]
fn with_stop_those_that_are_finished_stay() {
    let site = Site::of(6);
    site.hand.move_by_itself();
    refuse(&site, 3);
    site.run(async |appliance| {
        let id = appliance.approved(0..6, guarded(), pace(2, "60s", "stop")).await;
        appliance.start(&id).await;
        let ended = appliance.ended(&id).await;
        assert_eq!(ended.line, "confirmed 4, rolled back 1, untouched 1");
        assert_eq!(ended.plan.state, PlanState::PartlyConfirmed);
        let done: Vec<u32> = ended.told.iter().map(|tally| tally.done).collect();
        assert!(done.is_sorted() && done.last() == Some(&5) && ended.told.iter().all(|tally| tally.total == 6), "{done:?}");
    })
    .unwrap();
    assert_eq!(site.holders(FILTER, "rollout"), [0, 1, 2, 4], "its own batch is finished, the next is not begun");
    assert!(site.leftovers().is_empty(), "{:?}", site.leftovers());
    site.trail();
}

#[test]
fn with_roll_back_all_the_finished_ones_are_taken_back_by_guarded_plans() {
    let site = Site::of(5);
    site.hand.move_by_itself();
    refuse(&site, 4);
    let before: Vec<_> = site.sims.iter().map(|sim| sim.world().table(FILTER).rows.clone()).collect();
    site.run(async |appliance| {
        let id = appliance.approved(0..5, guarded(), pace(2, "60s", "roll_back_all")).await;
        appliance.start(&id).await;
        let ended = appliance.ended(&id).await;
        assert_eq!((ended.line.as_str(), ended.plan.state), ("rolled back 5", PlanState::RolledBack), "{:?}", ended.devices);
        let plans = appliance.engine.list().unwrap();
        let own: Vec<_> = plans.iter().filter(|plan| plan.id != id).collect();
        assert_eq!(own.len(), 4, "one for each that was confirmed");
        for plan in &own {
            assert_eq!(plan.state, PlanState::Confirmed);
            let (_, devices) = appliance.engine.plan(&plan.id).unwrap();
            assert!(devices[0].0.wants_guard() && devices[0].1.armed_at.is_some(), "{:?}", devices[0].1);
        }
        let orders: Vec<_> = ended.devices[..4].iter().map(|device| device.updated_at).collect();
        assert!(orders.iter().rev().is_sorted(), "newest first: {orders:?}");
    })
    .unwrap();
    let after: Vec<_> = site.sims.iter().map(|sim| sim.world().table(FILTER).rows.clone()).collect();
    assert_eq!(format!("{before:?}"), format!("{after:?}"));
    assert!(site.leftovers().is_empty(), "{:?}", site.leftovers());
    site.trail();
}

#[test]
fn a_rule_that_took_the_place_of_another_is_taken_back_to_the_same_order() {
    let site = Site::of(3);
    site.hand.move_by_itself();
    refuse(&site, 2);
    let before: Vec<_> = site
        .sims
        .iter()
        .map(|sim| sim.world().table(FILTER).rows.iter().map(|row| row.get("comment").map(str::to_owned)).collect::<Vec<_>>())
        .collect();
    site.run(async |appliance| {
        let last = before[0].iter().flatten().next_back().unwrap().clone();
        let new = json!({"chain": "forward", "action": "accept", "src-address": "198.51.100.0/24", "comment": "rollout"});
        let edits = json!([
            {"menu": FILTER, "op": "add", "values": new, "place_before": {"comment": last}},
            {"menu": FILTER, "op": "remove", "match": {"comment": last}}]);
        let mut more = pace(1, "0s", "roll_back_all");
        more["edits"] = edits.clone();
        let id = appliance.approved(0..3, edits[0].clone(), more).await;
        appliance.start(&id).await;
        let ended = appliance.ended(&id).await;
        assert_eq!((ended.line.as_str(), ended.plan.state), ("rolled back 3", PlanState::RolledBack), "{:?}", ended.devices);
    })
    .unwrap();
    let after: Vec<_> = site
        .sims
        .iter()
        .map(|sim| sim.world().table(FILTER).rows.iter().map(|row| row.get("comment").map(str::to_owned)).collect::<Vec<_>>())
        .collect();
    assert_eq!(before, after);
    assert!(site.leftovers().is_empty(), "{:?}", site.leftovers());
}

#[test]
fn what_a_person_changed_since_is_not_taken_back_over_their_head() {
    let site = Site::of(3);
    site.hand.move_by_itself();
    refuse(&site, 2);
    let first = site.sims[0].clone();
    // While the last router is at it, a person puts the new rule of the first one to another use.
    site.sims[2].edit_at(When::Before, "PUT", FILTER, move |_| {
        let id = first.world().rows(FILTER).iter().find(|row| row.get("comment") == Some("rollout")).unwrap().id_text().unwrap();
        first.world().set(FILTER, &id, "src-address", "203.0.113.0/24");
    });
    site.run(async |appliance| {
        let id = appliance.approved(0..3, guarded(), pace(1, "0s", "roll_back_all")).await;
        appliance.start(&id).await;
        let ended = appliance.ended(&id).await;
        assert_eq!((ended.line.as_str(), ended.plan.state), ("rolled back 2, needs attention 1", PlanState::NeedsAttention));
        assert_eq!(ended.devices[0].state, DeviceState::NeedsAttention);
        assert!(!ended.devices[0].difference.is_empty(), "{:?}", ended.devices[0]);
    })
    .unwrap();
    assert_eq!(site.holders(FILTER, "rollout"), [0]);
    assert!(site.leftovers().is_empty());
}

#[test]
fn a_cancelled_job_begins_nobody_else_and_says_what_stays() {
    let site = Site::of(4);
    site.run(async |appliance| {
        // The clock stands: the job waits between its batches until somebody says something.
        let id = appliance.approved(0..4, light(), pace(2, "60s", "roll_back_all")).await;
        appliance.start(&id).await;
        appliance.until_done(&id, 1, &site.hand).await;
        appliance.engine.cancel(&id, "wrong address").await.unwrap();
        let ended = appliance.ended(&id).await;
        assert_eq!((ended.line.as_str(), ended.plan.state), ("confirmed 1, untouched 3", PlanState::PartlyConfirmed));
        assert_eq!(ended.plan.why_ended.as_deref(), Some("wrong address"));
    })
    .unwrap();
    assert_eq!(site.holders(PORTS, "rollout"), [0], "cancelling is no failure: nothing is taken back");
}

#[test]
fn a_switch_thrown_meanwhile_keeps_the_other_routers_as_they_are_and_no_way_back_shut() {
    for (on_failure, line, holders) in
        [("stop", "confirmed 1, skipped 1, untouched 2", &[0][..]), ("roll_back_all", "rolled back 1, skipped 1, untouched 2", &[])]
    {
        let site = Site::of(4);
        site.run(async |appliance| {
            let id = appliance.approved(0..4, guarded(), pace(1, "60s", on_failure)).await;
            appliance.start(&id).await;
            appliance.until_done(&id, 1, &site.hand).await;
            appliance.switch_off().await;
            site.hand.move_by_itself();
            let ended = appliance.ended(&id).await;
            assert_eq!(ended.line, line, "{on_failure}");
            let said = ended.devices[1].error.as_deref().unwrap_or_default();
            assert!(said.contains("switched off meanwhile"), "{said}");
        })
        .unwrap();
        assert_eq!(site.holders(FILTER, "rollout"), holders, "{on_failure}");
        assert!(site.leftovers().is_empty());
    }
}

#[test]
fn rolling_back_a_job_by_hand_takes_back_what_it_finished() {
    let site = Site::of(3);
    site.run(async |appliance| {
        let id = appliance.approved(0..3, light(), pace(2, "60s", "stop")).await;
        appliance.start(&id).await;
        appliance.until_done(&id, 1, &site.hand).await;
        appliance.engine.roll_back(&id, "not now").await.unwrap();
        site.hand.move_by_itself();
        let ended = appliance.ended(&id).await;
        assert_eq!((ended.line.as_str(), ended.plan.state), ("rolled back 1, untouched 2", PlanState::RolledBack));
    })
    .unwrap();
    assert!(site.holders(PORTS, "rollout").is_empty());
}

#[test]
fn after_a_restart_between_batches_the_job_goes_on_with_the_next() {
    let site = Site::of(4);
    let id = site
        .run(async |appliance| {
            let id = appliance.approved(0..4, guarded(), pace(3, "60s", "stop")).await;
            appliance.start(&id).await;
            appliance.until_done(&id, 1, &site.hand).await;
            id
        })
        .unwrap();
    assert_eq!(site.holders(FILTER, "rollout"), [0]);
    site.hand.move_by_itself();
    site.run(async |appliance| {
        appliance.engine.resume().await.unwrap();
        let ended = appliance.ended(&id).await;
        assert_eq!((ended.line.as_str(), ended.plan.state), ("confirmed 4", PlanState::Confirmed));
    })
    .unwrap();
    assert_eq!(site.holders(FILTER, "rollout"), [0, 1, 2, 3]);
    assert!(site.leftovers().is_empty());
    site.trail();
}

#[test]
fn a_device_caught_by_a_crash_is_undone_and_the_others_go_on() {
    let site = Site::of(5);
    site.hand.move_by_itself();
    site.dies_at(2, "PUT", FILTER);
    let mut id = None;
    let killed = site.run(async |appliance| {
        id = Some(appliance.approved(0..5, guarded(), pace(2, "60s", "stop")).await);
        appliance.start(id.as_ref().unwrap()).await;
        appliance.ended(id.as_ref().unwrap()).await.line
    });
    assert_eq!(killed, None);
    let id = id.unwrap();
    site.sims.iter().for_each(|sim| sim.unhook());
    let line = site
        .run(async |appliance| {
            appliance.engine.resume().await.unwrap();
            let ended = appliance.ended(&id).await;
            assert_eq!(ended.plan.state, PlanState::PartlyConfirmed);
            assert_eq!(ended.devices[2].state, DeviceState::RolledBack, "{:?}", ended.devices[2]);
            assert_eq!([3, 4].map(|n| ended.devices[n].state).last(), Some(&DeviceState::Confirmed), "the batch after it was begun");
            let kept: Vec<usize> = (0..5).filter(|n| ended.devices[*n].state == DeviceState::Confirmed).collect();
            assert_eq!(kept, site.holders(FILTER, "rollout"), "the records say what the routers hold");
            ended.line
        })
        .unwrap();
    assert!(line.starts_with("confirmed ") && line.contains(", rolled back "), "{line}");
    assert!(site.leftovers().is_empty(), "{:?}", site.leftovers());
    site.trail();
}

#[test]
fn a_crash_while_taking_back_goes_on_taking_back() {
    let site = Site::of(4);
    site.hand.move_by_itself();
    refuse(&site, 3);
    site.dies_at(1, "DELETE", FILTER);
    let mut id = None;
    let killed = site.run(async |appliance| {
        id = Some(appliance.approved(0..4, guarded(), pace(1, "0s", "roll_back_all")).await);
        appliance.start(id.as_ref().unwrap()).await;
        appliance.ended(id.as_ref().unwrap()).await.line
    });
    assert_eq!(killed, None);
    site.sims.iter().for_each(|sim| sim.unhook());
    site.run(async |appliance| {
        appliance.engine.resume().await.unwrap();
        let ended = appliance.ended(id.as_ref().unwrap()).await;
        assert_eq!((ended.line.as_str(), ended.plan.state), ("rolled back 4", PlanState::RolledBack), "{:?}", ended.devices);
        assert!(appliance.engine.list().unwrap().iter().all(|plan| plan.state != PlanState::Executing));
    })
    .unwrap();
    assert!(site.holders(FILTER, "rollout").is_empty() && site.leftovers().is_empty());
    site.trail();
}

#[test]
fn a_device_whose_rows_moved_is_skipped_and_counts_as_a_failure() {
    let site = Site::of(4);
    site.hand.move_by_itself();
    site.run(async |appliance| {
        let id = appliance.approved(0..4, guarded(), pace(1, "0s", "stop")).await;
        // Somebody was quicker: what the plan would add is there.
        let mine = [("chain", "forward"), ("action", "accept"), ("src-address", "198.51.100.0/24"), ("comment", "rollout")];
        site.sims[1].world().add(FILTER, &mine);
        appliance.start(&id).await;
        let ended = appliance.ended(&id).await;
        assert_eq!((ended.line.as_str(), ended.plan.state), ("confirmed 1, skipped 1, untouched 2", PlanState::PartlyConfirmed));
        assert_eq!(appliance.states(&id), ["confirmed", "skipped", "pending", "pending"]);
    })
    .unwrap();
    assert!(site.leftovers().is_empty());
}

#[test]
fn a_busy_router_holds_the_next_batch_back() {
    let cases = [("cpu-load", "80"), ("free-memory", "1")];
    for (attribute, value) in cases {
        let site = Site::of(3);
        site.hand.move_by_itself();
        // Above the gate, below what keeps a router from being changed at all, and no worse for the change.
        let value = if attribute == "free-memory" {
            let rows = site.sims[0].world().rows("/system/resource");
            (rows[0].get("total-memory").unwrap().parse::<u64>().unwrap() / 100 * 13).to_string()
        } else {
            value.to_owned()
        };
        site.sims[0].world().put_single("/system/resource", attribute, &value);
        site.run(async |appliance| {
            let id = appliance.approved(0..3, guarded(), pace(2, "0s", "stop")).await;
            appliance.start(&id).await;
            let ended = appliance.ended(&id).await;
            assert_eq!(ended.line, "confirmed 1, untouched 2", "{attribute}");
            assert!(ended.plan.why_ended.as_deref().is_some_and(|why| why.contains(" %")), "{:?}", ended.plan.why_ended);
        })
        .unwrap();
    }
    println!("{} kinds of load", cases.len());
}

#[test]
fn a_stranger_that_no_longer_answers_halts_the_job() {
    let site = Site::of(4);
    site.hand.move_by_itself();
    let stranger = site.sims[3].clone();
    site.sims[0].hook(move |step, _| {
        if step.when == When::After && step.method == "PATCH" && step.path.starts_with(PORTS) {
            stranger.faults().set_line(Line::Refuse);
            stranger.cut_connections();
        }
        Verdict::Go
    });
    site.run(async |appliance| {
        let id = appliance.approved(0..3, light(), pace(2, "0s", "roll_back_all")).await;
        appliance.start(&id).await;
        let ended = appliance.ended(&id).await;
        assert!(ended.plan.why_ended.as_deref().is_some_and(|why| why.contains(&name(3))), "{:?}", ended.plan.why_ended);
        assert_eq!(ended.line, "rolled back 1, untouched 2");
    })
    .unwrap();
    assert!(site.holders(PORTS, "rollout").is_empty());
}

#[test]
fn each_batch_of_a_manual_plan_waits_for_its_own_word() {
    let site = Site::of(4);
    site.run(async |appliance| {
        // The clock stands: nobody's time runs out while a person thinks.
        let more = json!({"confirm": "manual", "confirm_timeout": "60s", "batch": {"size": 2, "canary": 1, "pause": "0s"}});
        let id = appliance.approved(0..4, guarded(), more).await;
        appliance.start(&id).await;
        for states in [
            ["verified", "pending", "pending", "pending"],
            ["confirmed", "verified", "verified", "pending"],
            ["confirmed", "confirmed", "confirmed", "verified"],
        ] {
            appliance.until(&id, &states, &site.hand).await;
            let waits = appliance.ended(&id).await;
            assert_eq!((appliance.states(&id), waits.plan.state), (states.to_vec(), PlanState::Executing));
            appliance.engine.confirm(&id).await.unwrap();
        }
        site.hand.move_by_itself();
        let ended = appliance.ended(&id).await;
        assert_eq!((ended.line.as_str(), ended.plan.state), ("confirmed 4", PlanState::Confirmed));
    })
    .unwrap();
    assert!(site.leftovers().is_empty());
}

#[test]
fn fifty_routers_that_take_20_ms_to_answer() {
    let site = Site::in_real_time(50);
    site.sims.iter().for_each(|sim| sim.faults().inject(Rule::always(Fault::Latency(Duration::from_millis(20)))));
    site.run(async |appliance| {
        let id = appliance.approved(0..50, guarded(), pace(5, "0s", "stop")).await;
        let began = site.clock.mono();
        appliance.start(&id).await;
        let ended = appliance.ended(&id).await;
        println!("50 routers in batches of 5, each guarded: {:.1} s", (site.clock.mono() - began).as_secs_f64());
        assert_eq!((ended.line.as_str(), ended.plan.state), ("confirmed 50", PlanState::Confirmed), "{:?}", ended.plan.why_ended);
    })
    .unwrap();
    assert_eq!(site.holders(FILTER, "rollout").len(), 50);
    assert!(site.leftovers().is_empty());
}
