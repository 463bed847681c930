//! What happens to routers and plans, told: with simulated routers, on a clock that both share.

use crate::admin_rig::PASSWORD;
use crate::alerts_rig::{Receiver, until};
use crate::plan_tools::opened;
use crate::site::Site;
use routeros_mcp::access::Role;
use routeros_mcp::base::clock::{Clock, Hand, Wall};
use routeros_mcp::base::secret::Secret;
use routeros_mcp::sim::Options;
use routeros_mcp::sim::faults::Line;
use routeros_mcp::sim::profiles::Profile;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

const SECRET: &str = "whsec_planted_0123456789";

/// A router, an appliance that tells, and whom it tells.
async fn site() -> (Site, Arc<Hand>, Receiver) {
    let receiver = Receiver::plain().await;
    let url = format!("http://127.0.0.1:{}/", receiver.port);
    let (clock, hand) = Clock::by_hand(Wall(1_790_000_000_000));
    let flags = [
        ("health_check.enabled", "false"),
        ("snapshot.enabled", "false"),
        ("mcp.toolsets", "all"),
        ("alert.webhook_url", url.as_str()),
        ("alert.webhook_secret", SECRET),
    ];
    let mut site = Site::bare_on(&flags, clock.clone()).await;
    let options = Options { plain: false, clock, ..Options::new(Profile::HomeAp, "edge") };
    site.adopt_as(options, "edge", opened()).await;
    site.app.open_doors().await.unwrap();
    let access = &site.app.dispatch.world().access;
    access.add("anna", Role::Approver, Secret::new(PASSWORD)).await.unwrap();
    (site, hand, receiver)
}

fn live(site: &Site) -> Vec<(String, &'static str)> {
    let alerts = site.app.dispatch.world().alerts.list();
    alerts.iter().map(|view| (view.kind.as_str().to_owned(), view.standing.as_str())).collect()
}

fn line(message: &Value) -> (String, String, String) {
    let of = |name: &str| message[name].as_str().unwrap().to_owned();
    (of("kind"), of("status"), of("summary"))
}

fn told(kind: &str, status: &str, summary: &str) -> (String, String, String) {
    (kind.into(), status.into(), summary.into())
}

#[tokio::test]
async fn a_router_that_is_down_is_told_after_its_time_and_when_it_is_up() {
    let (site, hand, mut receiver) = site().await;
    site.sim("edge").faults().set_line(Line::Refuse);
    site.forget("edge");
    let reply = site.call("system.get_overview", json!({"device": "edge"})).await;
    assert!(reply.fault.is_some());
    until("it is seen", || live(&site) == [("device_down".to_owned(), "waiting")]).await;
    hand.advance(Duration::from_secs(119));
    // Whatever was told before this test of the way stands before it.
    assert_eq!(site.operator("alert.test", json!({})).await.fault, None);
    assert_eq!(receiver.next().await.json()["status"], "test");
    hand.advance(Duration::from_secs(2));
    let message = receiver.next().await.json();
    assert_eq!(line(&message), told("device_down", "firing", "edge is down"));
    assert_eq!(message["subjects"][0]["id"], site.device("edge").id.as_str());
    let metrics = site.app.dispatch.world().meter().page(&Default::default());
    assert!(
        metrics.contains("alerts_firing{kind=\"device_down\"} 1") && metrics.contains("alerts_firing{kind=\"disk_low\"} 0"),
        "{metrics}"
    );
    site.sim("edge").faults().set_line(Line::Open);
    hand.advance(Duration::from_secs(60));
    site.forget("edge");
    site.good("system.get_overview", json!({"device": "edge"})).await;
    assert_eq!(line(&receiver.next().await.json()), told("device_down", "resolved", "edge is up again"));
    until("it is over", || live(&site) == [("device_down".to_owned(), "over")]).await;
    let metrics = || site.app.dispatch.world().meter().page(&Default::default());
    until("it is counted", || metrics().contains("alert_deliveries_total{channel=\"webhook\",outcome=\"delivered\"} 3")).await;
    site.close().await;
}

/// A rule in the forward chain: high risk, and it cuts nobody off.
async fn planned(site: &Site, confirm: &str) -> String {
    let rule = json!({"chain": "forward", "action": "drop", "src-address": "203.0.113.7", "comment": "one"});
    let edit = json!({"menu": "/ip/firewall/filter", "op": "add", "values": rule});
    let request = json!({"devices": ["edge"], "confirm": confirm, "reason": "PLANTED in a reason", "edits": [edit]});
    site.good("plan.create", request).await.structured["id"].as_str().unwrap().to_owned()
}

fn by(plan: &str) -> Value {
    json!({"plan_id": plan, "user": "anna", "password": PASSWORD})
}

#[tokio::test]
async fn a_plan_that_waits_is_told_and_so_is_its_end_when_a_person_says_no() {
    let (site, hand, mut receiver) = site().await;
    let id = planned(&site, "auto").await;
    until("it is seen", || live(&site) == [("plan_waiting".to_owned(), "waiting")]).await;
    hand.advance(Duration::from_secs(11));
    let got = receiver.next().await;
    assert_eq!(line(&got.json()), told("plan_waiting", "firing", &format!("{id} waits for approval")));
    assert_eq!(got.json()["details"], "plan.create by local stdio client, risk high, on edge");
    assert!(!got.body.contains("PLANTED"), "a reason is whatever somebody wrote: {}", got.body);
    let mut no = by(&id);
    no["reason"] = "not now".into();
    let refused = site.operator("plan.refuse", no).await;
    assert!(refused.fault.is_none(), "{}", refused.text);
    assert_eq!(line(&receiver.next().await.json()), told("plan_waiting", "resolved", &format!("{id} waits no longer")));
    site.close().await;
}

#[tokio::test]
async fn a_router_that_takes_a_change_back_by_itself_is_told() {
    let (site, hand, mut receiver) = site().await;
    let id = planned(&site, "manual").await;
    assert!(site.operator("plan.approve", by(&id)).await.fault.is_none());
    site.good("plan.apply", json!({"plan_id": id, "wait_seconds": 0})).await;
    let world = site.app.dispatch.world();
    let state = || world.plans.plan(&routeros_mcp::plan::record::PlanId(id.clone())).unwrap().1[0].1.state.as_str();
    // Settling and waiting take the clock they share.
    until("it waits for a person", || {
        hand.advance(Duration::from_millis(200));
        state() == "verified"
    })
    .await;
    until("nobody kept it", || {
        hand.advance(Duration::from_secs(5));
        state() == "rolled_back"
    })
    .await;
    loop {
        let message = receiver.next().await.json();
        if message["kind"] == "guard_fired" {
            assert_eq!(line(&message), told("guard_fired", "firing", &format!("a router took the change of {id} back by itself")));
            break;
        }
    }
    site.close().await;
}
