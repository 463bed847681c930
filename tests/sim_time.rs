//! The simulated router's scheduler and clocks: what runs when.

mod runs;

use crate::sim_rest::{admin, call, until};
use routeros_mcp::base::clock::{Clock, Hand, Wall};
use routeros_mcp::sim::profiles::{Profile, Version};
use routeros_mcp::sim::{BoardClock, Options, Sim};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

pub(crate) const MINUTE: u64 = 60;
const HOUR_MS: i64 = 3_600_000;

pub(crate) async fn rig_as(profile: Profile, version: Option<Version>) -> (Sim, Arc<Hand>) {
    let (clock, hand) = Clock::by_hand(Wall::parse("2026-11-25").unwrap());
    (Sim::start(Options { clock, version, ..Options::new(profile, "gw") }).await.unwrap(), hand)
}

pub(crate) async fn rig(profile: Profile) -> (Sim, Arc<Hand>) {
    rig_as(profile, None).await
}

pub(crate) fn pass(hand: &Hand, seconds: u64) {
    hand.advance(Duration::from_secs(seconds));
}

pub(crate) fn get(sim: &Sim, path: &str, name: &str, attribute: &str) -> String {
    sim.world().find(path, name).and_then(|r| r.get(attribute).map(String::from)).unwrap_or_default()
}

fn entry(sim: &Sim, name: &str, attribute: &str) -> String {
    get(sim, "/system/scheduler", name, attribute)
}

pub(crate) fn note(sim: &Sim) -> String {
    sim.world().rows("/system/note")[0].get("note").unwrap_or_default().to_string()
}

/// Messages of the log with these topics.
pub(crate) fn logged(sim: &Sim, topics: &str) -> Vec<String> {
    let rows = sim.world().rows("/log");
    rows.iter().filter(|r| r.get("topics") == Some(topics)).filter_map(|r| r.get("message").map(String::from)).collect()
}

/// Adds an entry as `mcp`.
async fn schedule(sim: &Sim, body: Value) -> Value {
    let made = call(sim, &sim.credentials().mcp, "PUT", "/system/scheduler", Some(body)).await;
    assert_eq!(made.status, 201, "{}", made.detail());
    made.json()
}

pub(crate) async fn store(sim: &Sim, name: &str, policy: &str, source: &str) -> Value {
    let body = json!({"name": name, "policy": policy, "source": source});
    let made = call(sim, &sim.credentials().mcp, "PUT", "/system/script", Some(body)).await;
    assert_eq!(made.status, 201, "{}", made.detail());
    made.json()
}

#[tokio::test]
async fn startup_with_an_interval_runs_that_long_after_the_add_and_never_before() {
    let (sim, hand) = rig(Profile::Office).await;
    pass(&hand, 100);
    let made = schedule(&sim, json!({"name": "g", "start-time": "startup", "interval": "3m", "on-event": ":log info fired"})).await;
    assert_eq!(
        (made["start-time"].as_str(), made["interval"].as_str(), made["disabled"].as_str()),
        (Some("startup"), Some("3m"), Some("false"))
    );
    assert_eq!((made["next-run"].as_str(), made.get("start-date")), (Some("2026-11-25 00:04:40"), None));
    pass(&hand, 179);
    assert_eq!(entry(&sim, "g", "run-count"), "0");
    pass(&hand, 1);
    assert_eq!((entry(&sim, "g", "run-count").as_str(), entry(&sim, "g", "next-run").as_str()), ("1", "2026-11-25 00:07:40"));
    assert_eq!(logged(&sim, "script,info").iter().filter(|m| *m == "fired").count(), 1);
}

#[tokio::test]
async fn startup_with_an_interval_runs_that_long_after_a_boot_and_not_at_it() {
    let (sim, hand) = rig(Profile::Office).await;
    schedule(&sim, json!({"name": "g", "start-time": "startup", "interval": "3m", "on-event": "/system/note/set note=fired"})).await;
    pass(&hand, 2 * MINUTE);
    sim.reboot();
    assert_eq!((note(&sim), entry(&sim, "g", "next-run")), (String::new(), "2026-11-25 00:05:00".to_string()));
    pass(&hand, 179);
    assert_eq!(note(&sim), "");
    pass(&hand, 1);
    assert_eq!(note(&sim), "fired");
}

#[tokio::test]
async fn startup_without_an_interval_runs_three_seconds_after_each_boot_and_not_when_added() {
    let (sim, hand) = rig(Profile::Office).await;
    let made = schedule(&sim, json!({"name": "b", "start-time": "startup", "on-event": "/system/note/set note=booted"})).await;
    assert_eq!((made["interval"].as_str(), made.get("next-run")), (Some("0s"), None));
    pass(&hand, 10 * MINUTE);
    assert_eq!(note(&sim), "");
    for _ in 0..2 {
        sim.world().put_single("/system/note", "note", "");
        sim.reboot();
        pass(&hand, 2);
        assert_eq!(note(&sim), "");
        pass(&hand, 1);
        assert_eq!((note(&sim).as_str(), entry(&sim, "b", "run-count").as_str()), ("booted", "1"));
    }
}

#[tokio::test]
async fn an_interval_without_a_start_runs_first_after_itself() {
    let (sim, hand) = rig(Profile::Office).await;
    pass(&hand, 30);
    let made = schedule(&sim, json!({"name": "i", "interval": "10s", "on-event": ":log info tick"})).await;
    assert_eq!((made["start-date"].as_str(), made["start-time"].as_str()), (Some("2026-11-25"), Some("00:00:30")));
    pass(&hand, 9);
    assert_eq!(entry(&sim, "i", "run-count"), "0");
    pass(&hand, 1);
    assert_eq!(entry(&sim, "i", "run-count"), "1");
}

#[tokio::test]
async fn an_interval_that_passed_three_times_runs_three_times_at_its_times() {
    let (sim, hand) = rig(Profile::Office).await;
    schedule(
        &sim,
        json!({"name": "i", "start-time": "startup", "interval": "1m", "on-event": ":log warning (\"run \" . [/system/clock/get time])"}),
    )
    .await;
    pass(&hand, 200);
    sim.settle();
    assert_eq!(entry(&sim, "i", "run-count"), "3");
    assert_eq!(logged(&sim, "script,warning"), ["run 00:01:00", "run 00:02:00", "run 00:03:00"]);
    let times: Vec<String> = sim
        .world()
        .rows("/log")
        .iter()
        .filter(|r| r.get("topics") == Some("script,warning"))
        .map(|r| r.get("time").unwrap().into())
        .collect();
    assert_eq!(times, ["2026-11-25 00:01:00", "2026-11-25 00:02:00", "2026-11-25 00:03:00"]);
}

#[tokio::test]
async fn entries_and_delays_of_jobs_happen_in_the_order_of_their_times() {
    let (sim, hand) = rig(Profile::Office).await;
    let mcp = sim.credentials().mcp;
    let job = json!({"script": ":log warning j0; :delay 15s; :log warning j15; :delay 10s; :log warning j25; :delay 1h"});
    call(&sim, &mcp, "POST", "/execute", Some(job)).await;
    schedule(
        &sim,
        json!({"name": "i", "start-time": "startup", "interval": "10s", "on-event": ":log warning i; :delay 7s; :log warning late"}),
    )
    .await;
    pass(&hand, 30);
    assert_eq!(logged(&sim, "script,warning"), ["j0", "i", "j15", "late", "i", "j25", "late", "i"]);
}

#[tokio::test]
async fn a_start_in_the_future_runs_at_it_and_once_without_an_interval() {
    let (sim, hand) = rig(Profile::Office).await;
    let body = json!({"name": "o", "start-date": "2026-11-25", "start-time": "00:10:00", "on-event": "/system/note/set note=once"});
    assert_eq!(schedule(&sim, body).await["next-run"], "2026-11-25 00:10:00");
    pass(&hand, 599);
    assert_eq!(note(&sim), "");
    pass(&hand, 1);
    assert_eq!((note(&sim).as_str(), entry(&sim, "o", "run-count").as_str(), entry(&sim, "o", "next-run").as_str()), ("once", "1", ""));
    pass(&hand, 86_400);
    assert_eq!(entry(&sim, "o", "run-count"), "1");
}

#[tokio::test]
async fn a_start_in_the_past_without_an_interval_has_no_next_run_and_never_runs() {
    let (sim, hand) = rig(Profile::Office).await;
    for (name, start) in [("past", json!({"start-date": "2026-11-24", "start-time": "12:00:00"})), ("now", json!({}))] {
        let mut body = json!({"name": name, "on-event": "/system/note/set note=ran"});
        body.as_object_mut().unwrap().extend(start.as_object().unwrap().clone());
        assert_eq!(schedule(&sim, body).await.get("next-run"), None, "{name}");
    }
    pass(&hand, 3 * 86_400);
    assert_eq!(note(&sim), "");
}

#[tokio::test]
async fn an_entry_on_the_wall_clock_keeps_its_grid_over_a_reboot() {
    let (sim, hand) = rig(Profile::Office).await;
    schedule(
        &sim,
        json!({"name": "w", "start-date": "2026-11-24", "start-time": "00:00:30", "interval": "10m", "on-event": ":log info w"}),
    )
    .await;
    assert_eq!(entry(&sim, "w", "next-run"), "2026-11-25 00:00:30");
    pass(&hand, 25);
    sim.reboot();
    pass(&hand, 5);
    assert_eq!((entry(&sim, "w", "run-count").as_str(), entry(&sim, "w", "next-run").as_str()), ("1", "2026-11-25 00:10:30"));
}

#[tokio::test]
async fn a_clock_step_moves_entries_on_the_wall_clock_and_not_those_of_startup() {
    for step in [HOUR_MS, -HOUR_MS] {
        let (sim, hand) = rig(Profile::Office).await;
        schedule(&sim, json!({"name": "wall", "interval": "30m", "on-event": ":log info x"})).await;
        schedule(&sim, json!({"name": "mono", "start-time": "startup", "interval": "30m", "on-event": ":log info x"})).await;
        pass(&hand, 10 * MINUTE);
        sim.step_clock(step);
        let runs = |name| entry(&sim, name, "run-count");
        // What was passed over runs once; a start that lies ahead again is waited for.
        let next = if step > 0 { "2026-11-25 01:30:00" } else { "2026-11-25 00:00:00" };
        assert_eq!((runs("wall").as_str(), entry(&sim, "wall", "next-run").as_str()), (if step > 0 { "1" } else { "0" }, next), "{step}");
        pass(&hand, 20 * MINUTE - 1);
        assert_eq!(runs("mono"), "0", "{step}");
        pass(&hand, 1);
        assert_eq!(runs("mono"), "1", "{step}");
    }
}

#[tokio::test]
async fn startup_can_be_made_to_follow_the_wall_clock() {
    let (sim, hand) = rig(Profile::Office).await;
    sim.world().startup_follows_wall = true;
    schedule(&sim, json!({"name": "g", "start-time": "startup", "interval": "3m", "on-event": ":log info x"})).await;
    sim.step_clock(-HOUR_MS);
    pass(&hand, 10 * MINUTE);
    assert_eq!((entry(&sim, "g", "run-count").as_str(), entry(&sim, "g", "next-run").as_str()), ("0", "2026-11-25 00:03:00"));
    sim.step_clock(HOUR_MS);
    assert_eq!(entry(&sim, "g", "run-count"), "1");
}

#[tokio::test]
async fn days_of_a_schedule_skip_the_others() {
    let (sim, _hand) = rig(Profile::Chr).await;
    let body = json!({"name": "d", "start-date": "2026-11-20", "start-time": "06:00:00", "interval": "1d", "days": "sat,sun", "on-event": ":log info x"});
    assert_eq!(schedule(&sim, body).await["next-run"], "2026-11-28 06:00:00", "the first Saturday");
}

#[tokio::test]
async fn a_changed_or_enabled_entry_starts_its_interval_anew() {
    let (sim, hand) = rig(Profile::Office).await;
    let made =
        schedule(&sim, json!({"name": "g", "start-time": "startup", "interval": "3m", "on-event": ":log info x", "disabled": "yes"})).await;
    assert_eq!(made.get("next-run"), None);
    let path = format!("/system/scheduler/{}", made[".id"].as_str().unwrap());
    pass(&hand, 10 * MINUTE);
    assert_eq!(entry(&sim, "g", "run-count"), "0");
    assert_eq!(admin(&sim, "PATCH", &path, Some(json!({"disabled": "no"}))).await.json()["next-run"], "2026-11-25 00:13:00");
    pass(&hand, MINUTE);
    assert_eq!(admin(&sim, "PATCH", &path, Some(json!({"interval": "5m"}))).await.json()["next-run"], "2026-11-25 00:16:00");
    assert_eq!(admin(&sim, "DELETE", &path, None).await.status, 204);
    pass(&hand, 3_600);
    assert!(!logged(&sim, "script,info").contains(&"x".to_string()));
}

#[tokio::test]
async fn a_reboot_zeroes_the_run_count() {
    let (sim, hand) = rig(Profile::Office).await;
    schedule(&sim, json!({"name": "g", "start-time": "startup", "interval": "1m", "on-event": ":log info x"})).await;
    pass(&hand, 2 * MINUTE);
    assert_eq!(entry(&sim, "g", "run-count"), "2");
    sim.reboot();
    assert_eq!(entry(&sim, "g", "run-count"), "0");
}

#[tokio::test]
async fn entries_of_the_same_moment_all_run() {
    let (sim, hand) = rig(Profile::Office).await;
    for name in ["a", "b", "c", "d"] {
        let on_event = format!(":log warning {name}");
        schedule(&sim, json!({"name": name, "start-time": "startup", "interval": "1m", "on-event": on_event})).await;
    }
    pass(&hand, MINUTE);
    let mut ran = logged(&sim, "script,warning");
    ran.sort();
    assert_eq!(ran, ["a", "b", "c", "d"]);
}

#[tokio::test]
async fn a_power_cut_loses_the_clock_until_ntp_answers() {
    let (sim, hand) = rig(Profile::Office).await;
    schedule(&sim, json!({"name": "g", "start-time": "startup", "interval": "3m", "on-event": "/system/note/set note=fired"})).await;
    schedule(&sim, json!({"name": "wall", "interval": "1m", "on-event": ":log info x"})).await;
    call(&sim, &sim.credentials().mcp, "POST", "/execute", Some(json!({"script": ":delay 1m; /system/note/set note=job"}))).await;
    sim.power_cut(BoardClock::BuildDate { ntp_after: Some(Duration::from_secs(100)) });
    let clock = |sim: &Sim| sim.world().rows("/system/clock")[0].get("date").unwrap().to_string();
    assert_eq!((clock(&sim).as_str(), entry(&sim, "g", "next-run").as_str()), ("2026-02-11", "2026-02-11 10:15:33"));
    assert_eq!(entry(&sim, "wall", "next-run"), "2026-11-25 00:00:00", "its start lies ahead again");
    pass(&hand, 99);
    assert_eq!((clock(&sim).as_str(), note(&sim).as_str(), entry(&sim, "wall", "run-count").as_str()), ("2026-02-11", "", "0"));
    pass(&hand, 1);
    assert_eq!((clock(&sim).as_str(), entry(&sim, "wall", "run-count").as_str()), ("2026-11-25", "1"));
    pass(&hand, 79);
    assert_eq!(note(&sim), "", "the job is lost");
    pass(&hand, 1);
    assert_eq!(note(&sim), "fired", "three minutes after the boot");
}

#[tokio::test]
async fn the_clock_can_be_set_over_rest() {
    let (sim, hand) = rig(Profile::Office).await;
    let set = admin(&sim, "POST", "/system/clock/set", Some(json!({"date": "2026-11-25", "time": "01:00:00"}))).await;
    assert_eq!(set.status, 200);
    pass(&hand, 5);
    assert_eq!(sim.world().rows("/system/clock")[0].get("time"), Some("01:00:05"));
}

#[tokio::test]
async fn a_dead_scheduler_says_when_it_will_run_and_does_not() {
    let (sim, hand) = rig(Profile::Office).await;
    sim.faults().set_scheduler_dead(true);
    schedule(&sim, json!({"name": "g", "start-time": "startup", "interval": "1m", "on-event": "/system/note/set note=x"})).await;
    pass(&hand, 90);
    assert_eq!(
        (note(&sim).as_str(), entry(&sim, "g", "run-count").as_str(), entry(&sim, "g", "next-run").as_str()),
        ("", "0", "2026-11-25 00:02:00")
    );
    assert!(logged(&sim, "script,error").is_empty());
    sim.faults().set_scheduler_dead(false);
    pass(&hand, 30);
    assert_eq!(note(&sim), "x");
}

#[tokio::test]
async fn with_the_machines_clock_an_entry_runs_though_nobody_asks() {
    let sim = Sim::start(Options::new(Profile::Office, "")).await.unwrap();
    let (tell, told) = std::sync::mpsc::channel();
    sim.hook(move |_, _| {
        let _ = tell.send(());
        routeros_mcp::sim::hooks::Verdict::Go
    });
    schedule(&sim, json!({"name": "g", "start-time": "startup", "interval": "1s", "on-event": "/system/note/set note=by-itself"})).await;
    assert_eq!(told.try_iter().count(), 2, "one request, before and after");
    until(|| sim.quietly(|world| world.rows("/system/note")[0].get("note") == Some("by-itself"))).await;
}
