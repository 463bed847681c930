//! What is old goes, once a day, and only by a clock that can be believed.

use crate::plan_tools::opened;
use crate::site::Site;
use routeros_mcp::audit::{ClientInfo, Phase, Record, Who, verify, verify_all};
use routeros_mcp::base::clock::{Clock, Hand, Wall};
use routeros_mcp::base::tier::{Effect, Tier};
use routeros_mcp::history::health::Sample;
use routeros_mcp::sim::Options;
use routeros_mcp::sim::profiles::Profile;
use routeros_mcp::store::{Durability, Seal};
use routeros_mcp::watch::retention::{self, Keep};
use serde_json::json;
use std::sync::Arc;

const DAY_MS: i64 = 86_400_000;
const BEGAN: Wall = Wall(1_795_000_000_000);
const KEEP: Keep = Keep { health_days: 30, audit_days: 60, plan_days: 90, job_days: 30 };

/// An appliance with a router, and the clock of both.
async fn site() -> (Site, Arc<Hand>) {
    let (clock, hand) = Clock::by_hand(BEGAN);
    let flags = [("health_check.enabled", "false"), ("snapshot.enabled", "false"), ("mcp.toolsets", "all")];
    let mut site = Site::bare_on(&flags, clock.clone()).await;
    site.adopt_as(Options { plain: false, clock, ..Options::new(Profile::HomeAp, "edge") }, "edge", opened()).await;
    (site, hand)
}

/// One look on this day; whether the clock was believed.
async fn look(site: &Site, hand: &Hand, day: i64) -> bool {
    hand.step_wall(on(day));
    retention::look(site.app.dispatch.world(), &Seal::new(&[7; 32]), KEEP).await
}

fn on(day: i64) -> Wall {
    Wall(BEGAN.0 + day * DAY_MS)
}

async fn believed(site: &Site, hand: &Hand) {
    for day in -7..0 {
        assert!(!look(site, hand, day).await, "day {day}");
    }
    assert!(look(site, hand, 0).await);
}

async fn sampled(site: &Site, day: i64) {
    let id = site.device("edge").id.clone();
    site.app.dispatch.world().history.add(&id, Sample { reachable: true, ..Sample::silent(on(day)) }).await.unwrap();
}

fn samples(site: &Site) -> usize {
    site.app.dispatch.world().history.since(&site.device("edge").id, Wall(0)).unwrap().len()
}

#[tokio::test]
async fn a_clock_in_1970_or_one_that_leapt_to_2036_removes_nothing() {
    let (site, hand) = site().await;
    sampled(&site, -10).await;
    believed(&site, &hand).await;
    for day in [1, 2] {
        assert!(look(&site, &hand, day).await);
        sampled(&site, day).await;
    }
    assert_eq!(samples(&site), 3);
    hand.step_wall(Wall(5_000));
    assert!(!retention::look(site.app.dispatch.world(), &Seal::new(&[7; 32]), KEEP).await);
    for start in 0..20 {
        assert!(!look(&site, &hand, 3_650 + start / 10).await, "a box that restarts often counts days, not starts");
    }
    assert_eq!(samples(&site), 3, "nothing went");
    assert!(look(&site, &hand, 25).await, "set right, it goes on at once");
    assert_eq!(samples(&site), 2, "what is older than 30 days went");
    sampled(&site, 400).await;
    for day in 400..407 {
        assert!(!look(&site, &hand, day).await, "a year in a drawer");
    }
    assert_eq!(samples(&site), 3);
    assert!(look(&site, &hand, 407).await);
    assert_eq!(samples(&site), 1);
}

#[tokio::test]
async fn what_was_believed_outlives_a_restart() {
    let (site, hand) = site().await;
    believed(&site, &hand).await;
    let clock = site.app.dispatch.world().clock.clone();
    let site = site.reopened_on(&[("health_check.enabled", "false")], clock).await;
    assert!(look(&site, &hand, 1).await);
}

#[tokio::test]
async fn a_finished_job_is_forgotten_first_and_its_plan_later() {
    let (site, hand) = site().await;
    let world = site.app.dispatch.world().clone();
    let request = json!({"devices": ["edge"], "edits": [{"menu": "/ip/dns/static", "op": "add", "values": {"name": "nvr.lan", "address": "192.0.2.6"}}]});
    let id = site.good("plan.create", request).await.structured["id"].clone();
    let get = || site.good("plan.get", json!({"plan_id": id}));
    let done = site.good("plan.apply", json!({"plan_id": id, "wait_seconds": 55})).await.structured;
    assert_eq!(done["state"], "confirmed", "{done}");
    assert_eq!(world.plans.forget_jobs(on(0)).await.unwrap(), 0, "it is not over for so long");
    hand.step_wall(on(31));
    assert_eq!(world.plans.forget_jobs(on(1)).await.unwrap(), 1);
    assert_eq!(world.plans.forget_jobs(on(1)).await.unwrap(), 0, "once");
    let kept = get().await.structured;
    assert_eq!((&kept["state"], &kept["devices"], &kept["digest"]), (&json!("confirmed"), &json!([]), &done["digest"]), "{kept}");
    assert!(kept["summary"].as_str().unwrap().contains("no longer kept"), "{kept}");
    assert_eq!(site.good("plan.list", json!({})).await.structured["rows"][0]["id"], id);
    assert_eq!(site.bad("plan.roll_back", json!({"plan_id": id, "reason": "r"})).await["kind"], "conflict");
    assert_eq!(world.plans.forget(on(1)).await.unwrap(), 1);
    assert_eq!(site.bad("plan.get", json!({"plan_id": id})).await["kind"], "not_found");
}

/// A record that somebody read something.
pub(crate) fn record(n: u64, arguments: String) -> Record {
    Record {
        principal: Who { issuer: "local".into(), subject: "anna".into(), name: "Anna".into(), role: "admin".into() },
        client: ClientInfo::default(),
        correlation_id: format!("00000000-0000-4000-8000-{n:012}"),
        tool: "system.get_overview".into(),
        tier: Tier::Basic,
        effect: Effect::Reads,
        device: None,
        device_name: None,
        environment: None,
        plan_id: None,
        job_id: None,
        risk: None,
        phase: Phase::Done,
        outcome: "ok".into(),
        error_kind: None,
        duration_ms: 1,
        bytes: 1,
        arguments,
        arguments_digest: [0; 32],
    }
}

/// So that few of them fill a segment.
fn long() -> String {
    "x".repeat(1_500)
}

#[tokio::test]
async fn old_audit_records_are_archived_and_everybody_is_told_where_the_trail_begins() {
    let (site, hand) = site().await;
    let world = site.app.dispatch.world().clone();
    for n in 0..6_000 {
        world.audit.append(record(n, long()), Durability::Soon).await.unwrap();
    }
    hand.step_wall(on(70));
    world.audit.append(record(0, long()), Durability::Now).await.unwrap();
    for day in 70..77 {
        assert!(!look(&site, &hand, day).await);
    }
    assert!(look(&site, &hand, 77).await);
    let dir = world.audit.dir();
    let (live, all) = (verify(&dir).unwrap(), verify_all(&dir).unwrap());
    assert!(live.archived.seq > 4_000 && all.archived.seq == 0 && all.records > 6_000, "{live:?} {all:?}");
    assert!(std::fs::metadata(dir.join("archive/00000001.seg.gz")).unwrap().len() < 2 << 20);
    let said = site.operator("audit.verify", json!({"again": true})).await.structured;
    assert_eq!((&said["whole"], &said["archived_up_to"]), (&json!(true), &json!(live.archived.seq)), "{said}");
    let cut = site.operator("audit.get_events", json!({"tool": "trail.archive"})).await.structured;
    assert_eq!(cut["rows"][0]["outcome"], "ok", "{cut}");
    let (mut cursor, mut pages, mut oldest) = (json!(null), 0, 0);
    loop {
        let mut asked = json!({"limit": 200});
        if !cursor.is_null() {
            asked["cursor"] = cursor.clone();
        }
        let page = site.operator("audit.get_events", asked).await.structured;
        oldest = page["rows"].as_array().unwrap().last().map_or(oldest, |row| row["seq"].as_u64().unwrap());
        (cursor, pages) = (page["next_cursor"].clone(), pages + 1);
        if cursor.is_null() {
            break;
        }
        assert!(pages < 100);
    }
    assert_eq!(oldest, live.archived.seq + 1, "pages end where the archives begin");
}

#[tokio::test]
async fn an_appliance_whose_clock_stands_in_1970_starts_works_and_keeps_everything() {
    let (clock, hand) = Clock::by_hand(Wall(5_000));
    let flags = [("health_check.enabled", "false"), ("snapshot.enabled", "false"), ("mcp.toolsets", "all")];
    let mut site = Site::bare_on(&flags, clock.clone()).await;
    site.adopt_as(Options { plain: false, clock, ..Options::new(Profile::HomeAp, "edge") }, "edge", opened()).await;
    site.app.open_doors().await.unwrap();
    site.good("system.get_overview", json!({"device": "edge"})).await;
    let request = json!({"devices": ["edge"], "edits": [{"menu": "/ip/dns/static", "op": "add", "values": {"name": "nvr.lan", "address": "192.0.2.6"}}]});
    let id = site.good("plan.create", request).await.structured["id"].clone();
    assert_eq!(site.good("plan.apply", json!({"plan_id": id, "wait_seconds": 55})).await.structured["state"], "confirmed");
    let records = site.operator("audit.verify", json!({"again": true})).await.structured["records"].clone();
    // The time server answers at last, with today and then with nonsense.
    for now in [on(0), on(1), on(9_000)] {
        hand.step_wall(now);
        assert!(!retention::look(site.app.dispatch.world(), &Seal::new(&[7; 32]), KEEP).await);
    }
    assert_eq!(site.good("plan.get", json!({"plan_id": id})).await.structured["devices"][0]["state"], "confirmed");
    let said = site.operator("audit.verify", json!({"again": true})).await.structured;
    assert!(said["whole"] == true && said["records"].as_u64() >= records.as_u64(), "{said}");
}
