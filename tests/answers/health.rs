//! How routers are: one, and all of them.

use super::well_formed;
use crate::site::Site;
use routeros_mcp::base::clock::Wall;
use routeros_mcp::history::health::Sample;
use routeros_mcp::history::look::Depth;
use routeros_mcp::sim::faults::{Fault, Line, Rule};
use routeros_mcp::sim::profiles::Profile;
use routeros_mcp::sim::row::Row;
use routeros_mcp::{tools, watch};
use serde_json::{Value, json};
use std::time::Duration;

async fn health(site: &Site, device: &str) -> Value {
    site.forget(device);
    let reply = site.good("system.get_health", json!({"device": device})).await;
    well_formed(tools::find("system.get_health").unwrap(), &reply);
    assert!(reply.meta["estimated_tokens"].as_u64().unwrap() <= 2_500, "{:?}", reply.meta);
    reply.structured
}

fn reasons(answer: &Value) -> String {
    answer["reasons"].as_array().unwrap().iter().filter_map(Value::as_str).collect::<Vec<_>>().join("; ")
}

#[tokio::test]
async fn health_costs_three_requests_at_most_and_tells_sensors_on_every_router() {
    let site = Site::of(&Profile::ALL, &[]).await;
    for profile in Profile::ALL {
        for _ in 0..4 {
            let before = site.sim(profile.name()).faults().requests_total();
            let answer = health(&site, profile.name()).await;
            let cost = site.sim(profile.name()).faults().requests_total() - before;
            assert!((1..=3).contains(&cost), "{}: {cost} requests", profile.name());
            let sensors = answer["sensors"].as_array().unwrap();
            assert!(!profile.model().board || sensors.iter().any(|s| s["name"] == "cpu-temperature" && s["unit"] == "C"), "{sensors:?}");
            assert!(profile.model().board || sensors.is_empty(), "CHR has none: {sensors:?}");
        }
    }
}

#[tokio::test]
async fn each_thing_that_ails_a_router_lowers_its_score_and_is_named() {
    let site = Site::of(&[Profile::HomeAp], &[]).await;
    let well = health(&site, "home-ap").await;
    assert_eq!((well["status"].as_str(), well["score"].as_u64()), (Some("healthy"), Some(100)), "{well}");
    let sensor = |name: &str, value: &str, unit: &str| {
        let mut world = site.sim("home-ap").world();
        let rows = &mut world.table("/system/health").rows;
        rows.retain(|row| row.get("name") != Some(name));
        rows.push(Row::new(Some(0x40)).with("name", name).with("type", unit).with("value", value));
    };
    sensor("board-temperature1", "91", "C");
    let hot = health(&site, "home-ap").await;
    assert_eq!(hot["status"], "critical", "{hot}");
    assert!(reasons(&hot).contains("temperature is at 9"), "{hot}");
    sensor("board-temperature1", "40", "C");
    sensor("voltage", "9.1", "V");
    sensor("psu2-state", "fail", "");
    let power = health(&site, "home-ap").await;
    assert_eq!(power["status"], "warning", "{power}");
    assert!(
        reasons(&power).contains("supply voltage is at 9.1 V") && reasons(&power).contains("power supply 2 reports a fault"),
        "{power}"
    );
    sensor("voltage", "24", "V");
    sensor("psu2-state", "ok", "");
    for (name, value, reason) in [
        ("cpu-load", "97", "CPU load is at 97 %"),
        ("bad-blocks", "2.4%", "bad blocks is at 3 %"),
        ("free-memory", "1024", "memory in use"),
    ] {
        site.sim("home-ap").world().put_single("/system/resource", name, value);
        let ill = health(&site, "home-ap").await;
        assert!(ill["score"].as_u64().unwrap() < 100 && reasons(&ill).contains(reason), "{name}: {ill}");
    }
}

#[tokio::test]
async fn a_flapping_link_is_noticed_between_looks() {
    let site = Site::of(&[Profile::HomeAp], &[]).await;
    // Each second look reads the links.
    health(&site, "home-ap").await;
    health(&site, "home-ap").await;
    for row in &mut site.sim("home-ap").world().table("/interface/ethernet").rows {
        row.put("link-downs", "7");
    }
    health(&site, "home-ap").await;
    let flapping = health(&site, "home-ap").await;
    assert!(reasons(&flapping).contains("lost their link"), "{flapping}");
    assert_eq!(flapping["status"], "critical");
}

#[tokio::test]
async fn a_clock_that_lost_its_servers_is_told_without_a_request_a_look() {
    let site = Site::of(&[Profile::HomeAp], &[]).await;
    let asked = || site.sim("home-ap").faults().requests_to("/system/ntp/client");
    site.sim("home-ap").world().put_single("/system/ntp/client", "enabled", "true");
    site.sim("home-ap").world().put_single("/system/ntp/client", "status", "waiting");
    let mut seen = Vec::new();
    for _ in 0..8 {
        let answer = health(&site, "home-ap").await;
        seen.push(reasons(&answer).contains("not synchronized"));
    }
    assert!(seen.iter().any(|told| *told) && seen.last() == Some(&true), "{seen:?}");
    assert_eq!(asked(), 1, "one reading stands for all of them");
}

#[tokio::test]
async fn thresholds_come_from_the_configuration() {
    let site =
        Site::of(&[Profile::HomeAp], &[("health_check.disk_warning_percent", "5"), ("health_check.disk_critical_percent", "99")]).await;
    let answer = health(&site, "home-ap").await;
    assert_eq!(answer["status"], "warning");
    assert!(reasons(&answer).contains("warning from 5 %"), "{answer}");
    assert_eq!(answer["thresholds"]["disk_percent"], json!([5, 99]));
}

#[tokio::test]
async fn a_restart_is_an_event_with_its_reason_and_an_outage_with_its_length() {
    let site = Site::of(&[Profile::HomeAp], &[("routeros.connect_timeout_seconds", "1"), ("routeros.retry_attempts", "0")]).await;
    let sim = site.sim("home-ap");
    let device = site.device("home-ap");
    let history = &site.app.dispatch.world().history;
    let now = site.app.dispatch.world().clock.wall();
    for minutes in [3, 2] {
        history.add(&device.id, Sample::silent(Wall(now.0 - minutes * 60_000))).await.unwrap();
    }
    let sample = Sample { reachable: true, uptime_seconds: Some(500_000), ..Sample::silent(Wall(now.0 - 60_000)) };
    history.add(&device.id, sample).await.unwrap();
    sim.reboot();
    sim.world().log("system,error,critical", "router was rebooted without proper shutdown");
    sim.world().log("system,error,critical", "login failure for user watchdog from 203.0.113.9 via ssh");
    let answer = health(&site, "home-ap").await;
    let events = answer["events"].as_array().unwrap();
    assert_eq!(events[0]["what"], "restart", "{answer}");
    assert!(events[0]["reason"].as_str().unwrap().contains("no proper shutdown"), "{answer}");
    assert_eq!((&events[1]["what"], &events[1]["seconds"]), (&json!("outage"), &json!(120)), "{answer}");
    assert!(reasons(&answer).contains("the router started"), "{answer}");
    // What is known of a start is not asked again.
    let logs = sim.faults().requests_to("/log");
    health(&site, "home-ap").await;
    assert_eq!(sim.faults().requests_to("/log"), logs);
}

#[tokio::test]
async fn samples_outlive_the_process_and_old_ones_are_swept() {
    let site = Site::of(&[Profile::HomeAp], &[("health_check.enabled", "false")]).await;
    for _ in 0..3 {
        health(&site, "home-ap").await;
    }
    let id = site.device("home-ap").id.clone();
    let now = site.app.dispatch.world().clock.wall();
    let old = Sample { reachable: true, ..Sample::silent(Wall(now.0 - 40 * 86_400_000)) };
    site.app.dispatch.world().history.add(&id, old).await.unwrap();
    let site = site.reopened(&[("health_check.enabled", "false")]).await;
    let world = site.app.dispatch.world();
    let kept = |world: &tools::world::World| world.history.since(&id, Wall(0)).unwrap();
    // Looks within one second are one sample.
    assert!((2..=4).contains(&kept(world).len()), "{:?}", kept(world));
    assert_eq!(kept(world)[0].at.0 / 1_000, old.at.0 / 1_000);
    watch::retention::sweep(world, 30).await.unwrap();
    assert!(kept(world)[0].at.0 > now.0 - 86_400_000, "{:?}", kept(world));
    assert!(!kept(world).is_empty());
}

#[tokio::test]
async fn a_fleet_is_looked_at_side_by_side() {
    const FLEET: usize = 50;
    let mut site = Site::bare(&[("health_check.enabled", "false")]).await;
    for n in 0..FLEET {
        site.adopt(Profile::Chr, &format!("r{n}"), json!({})).await;
    }
    let unasked = site.good("fleet.get_summary", json!({})).await.structured;
    assert_eq!((&unasked["refreshed"], &unasked["by_health"]["unknown"]), (&json!(0), &json!(FLEET)));
    for (_, sim) in &site.sims {
        sim.faults().inject(Rule::always(Fault::Latency(Duration::from_secs(3))).on("/system/resource"));
    }
    let all_at_once = async {
        while site.sims.iter().any(|(_, sim)| sim.faults().in_flight().now() == 0) {
            tokio::task::yield_now().await;
        }
    };
    let asked = site.good("fleet.get_summary", json!({"refresh": true}));
    tokio::pin!(asked);
    let (answered, rest) = match futures_util::future::select(Box::pin(all_at_once), &mut asked).await {
        futures_util::future::Either::Left(((), rest)) => (false, Some(rest)),
        futures_util::future::Either::Right(..) => (true, None),
    };
    assert!(!answered, "an answer came before all {FLEET} routers had been asked at one moment");
    let summary = rest.unwrap().await.structured;
    assert_eq!((&summary["refreshed"], &summary["by_health"]["healthy"]), (&json!(FLEET), &json!(FLEET)), "{summary}");
}

#[tokio::test]
async fn a_summary_names_what_needs_attention_worst_first_with_reasons() {
    let site = Site::of(&Profile::ALL, &[("routeros.connect_timeout_seconds", "1"), ("routeros.retry_attempts", "0")]).await;
    site.sim("office").world().put_single("/system/resource", "cpu-load", "80");
    site.sim("wisp-tower").world().put_single("/system/resource", "cpu-load", "99");
    site.sim("chr").faults().set_line(Line::Refuse);
    site.sim("chr").cut_connections();
    let reply = site.good("fleet.get_summary", json!({"refresh": true})).await;
    well_formed(tools::find("fleet.get_summary").unwrap(), &reply);
    let attention = reply.structured["attention"].as_array().unwrap();
    let names: Vec<&str> = attention.iter().filter_map(|one| one["device"].as_str()).collect();
    assert_eq!(names, ["chr", "wisp-tower", "office"], "{attention:?}");
    assert!(attention[1]["reason"].as_str().unwrap().contains("CPU load is at 99 %"));
    assert_eq!(reply.structured["by_health"], json!({"healthy": 1, "warning": 1, "critical": 1, "unreachable": 1}));
    // The same judgement stands in the device's own record.
    let device = site.good("device.get", json!({"device": "office"})).await.structured;
    assert_eq!(device["health"]["status"], "warning", "{device}");
}

#[tokio::test]
async fn looks_of_routine_cost_a_request_and_a_half_and_still_see_everything() {
    let site = Site::of(&[Profile::HomeAp], &[("health_check.enabled", "false")]).await;
    let (world, id) = (site.app.dispatch.world(), site.device("home-ap").id.clone());
    let before = site.sim("home-ap").faults().requests_total();
    let mut last = None;
    for _ in 0..10 {
        site.forget("home-ap");
        last = Some(world.look(&id, Depth::Routine).await.unwrap().sample);
    }
    assert_eq!(site.sim("home-ap").faults().requests_total() - before, 17, "and one for the time servers, once an hour");
    let last = last.unwrap();
    assert!(last.celsius.is_some() && last.decivolts == Some(239) && last.link_downs.is_some(), "{last:?}");
    assert!(last.clock_offset_seconds.is_some_and(|away| away.abs() < 60), "{last:?}");
}
