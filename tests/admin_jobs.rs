//! What plans change and what became of them, for programs at the admin API.

use crate::http_rig::{Web, request};
use crate::plan_tools::opened;
use crate::site::Site;
use routeros_mcp::access::Role;
use routeros_mcp::base::events::Event;
use routeros_mcp::sim::profiles::Profile;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

async fn get(web: &Web, token: &str, path: &str) -> (u16, Value) {
    let answer = web.ask("GET", &format!("/admin/api/v1{path}"), &format!("Authorization: Bearer {token}\r\n"), "").await;
    (answer.status, serde_json::from_str(&answer.body).unwrap_or_default())
}

/// An appliance with one router that may be changed.
async fn with_router() -> Web {
    let flags = [("mcp.transport", "both"), ("mcp.http_port", "0"), ("mcp.toolsets", "all"), ("health_check.enabled", "false")];
    let mut site = Site::bare(&flags).await;
    site.adopt(Profile::HomeAp, "edge", opened()).await;
    Web::over(site).await
}

async fn drafted(web: &Web, name: &str, confirm: &str) -> Value {
    let edit = json!({"menu": "/ip/dns/static", "op": "add", "values": {"name": name, "address": "192.0.2.6"}});
    web.site.good("plan.create", json!({"devices": ["edge"], "confirm": confirm, "edits": [edit]})).await.structured
}

#[tokio::test]
async fn a_diff_is_what_the_plan_shows_and_only_for_those_who_see_the_plan() {
    let web = with_router().await;
    let plan = drafted(&web, "nvr.lan", "auto").await;
    let path = format!("/plans/{}/diff", plan["id"].as_str().unwrap());
    for role in Role::ALL {
        let (status, diff) = get(&web, &web.token(role).await, &path).await;
        assert_eq!((status, &diff["plan_id"], &diff["digest"]), (200, &plan["id"], &plan["digest"]), "{diff}");
        let (device, known) = (&diff["devices"][0], &plan["devices"][0]);
        assert_eq!(
            (&device["device_id"], &device["name"], &device["diff"]),
            (&known["device_id"], &known["name"], &known["diff"]),
            "{diff}"
        );
        assert_eq!((diff.as_object().unwrap().len(), device.as_object().unwrap().len()), (3, 3), "{diff}");
    }
    let other = web.token_as(Some(Role::Admin), |token| token.devices = vec!["elsewhere".parse().unwrap()]).await;
    assert_eq!(get(&web, &other, &path).await.0, 404, "as if there were none");
    assert_eq!(get(&web, &web.token(Role::ReadOnly).await, "/plans/plan-000000000000/diff").await.0, 404);
    web.close().await;
}

#[tokio::test]
async fn jobs_are_listed_while_they_run_and_after_they_ended() {
    let web = with_router().await;
    let reader = web.token(Role::ReadOnly).await;
    let done = drafted(&web, "done.lan", "auto").await["id"].clone();
    let (status, none) = get(&web, &reader, "/jobs").await;
    assert_eq!((status, &none["rows"], &none["total"]), (200, &json!([]), &json!(0)), "a draft is no job: {none}");
    web.site.good("plan.apply", json!({"plan_id": done, "wait_seconds": 55})).await;
    let waits = drafted(&web, "waits.lan", "manual").await["id"].clone();
    web.site.good("plan.apply", json!({"plan_id": waits, "wait_seconds": 55})).await;
    let (_, jobs) = get(&web, &reader, "/jobs").await;
    let [running, ended] = &jobs["rows"].as_array().unwrap()[..] else { panic!("{jobs}") };
    assert_eq!((&running["id"], &running["state"], &running["ended_at"]), (&waits, &json!("running"), &Value::Null), "{jobs}");
    assert_eq!((&ended["id"], &ended["plan_state"], &ended["done"]), (&done, &json!("confirmed"), &json!(1)), "{jobs}");
    assert!(ended["started_at"].is_string() && ended["ended_at"].is_string(), "{jobs}");
    let (_, first) = get(&web, &reader, "/jobs?limit=1").await;
    let cursor = first["next_cursor"].as_str().unwrap();
    let (_, second) = get(&web, &reader, &format!("/jobs?limit=1&cursor={cursor}")).await;
    assert_eq!((&first["total"], &second["rows"][0]["id"]), (&json!(2), &done), "{second}");
    web.site.good("plan.roll_back", json!({"plan_id": waits, "reason": "enough"})).await;
    let over = web.site.good("plan.get", json!({"plan_id": waits})).await.structured;
    let (_, jobs) = get(&web, &reader, "/jobs?plan_state=rolled_back").await;
    assert_eq!((&jobs["total"], &over["state"]), (&json!(1), &json!("rolled_back")), "{jobs}");
    let other = web.token_as(Some(Role::Admin), |token| token.devices = vec!["elsewhere".parse().unwrap()]).await;
    assert_eq!(get(&web, &other, "/jobs").await.1["total"], 0);
    web.close().await;
}

/// What comes on a stream of events until `enough`, as text.
async fn heard(web: &Web, token: &str, begun: impl AsyncFnOnce(), enough: impl Fn(&str) -> bool) -> String {
    let mut stream = TcpStream::connect(web.at()).await.unwrap();
    let asked = request("GET", "/admin/api/v1/events", &format!("Authorization: Bearer {token}\r\n"), "");
    stream.write_all(asked.as_bytes()).await.unwrap();
    let (mut text, mut some, mut begun) = (String::new(), vec![0; 4_096], Some(begun));
    let all = async {
        while !enough(&text) {
            if let Some(begun) = begun.take_if(|_| text.contains("retry:")) {
                begun().await;
            }
            let n = stream.read(&mut some).await.unwrap();
            if n == 0 {
                break;
            }
            text.push_str(&String::from_utf8_lossy(&some[..n]));
        }
    };
    tokio::time::timeout(crate::http_rig::PATIENCE, all).await.expect("enough in time");
    text
}

#[tokio::test]
async fn a_program_hears_of_jobs_as_they_go_on_until_its_token_is_taken_back() {
    let web = with_router().await;
    let reader = web.token(Role::ReadOnly).await;
    let id = drafted(&web, "nvr.lan", "auto").await["id"].as_str().unwrap().to_owned();
    let line = |kind: &str| format!("event: {kind}\ndata: {{\"id\":\"{id}\"}}\n\n");
    let bus = web.site.app.dispatch.world().fleet.bus().clone();
    let draft = heard(&web, &reader, async || bus.tell(Event::Plan(id.clone())), |text| text.contains(&line("plan"))).await;
    assert!(!draft.contains("event: job"), "a draft is no job: {draft}");
    let apply = async || drop(web.site.good("plan.apply", json!({"plan_id": id, "wait_seconds": 55})).await);
    let job = heard(&web, &reader, apply, |text| text.contains(&line("job"))).await;
    assert!(job.contains(&line("plan")), "{job}");
    let metrics = web.token_as(None, |_| {}).await;
    assert_eq!(get(&web, &metrics, "/events").await.0, 403, "a token for metrics hears nothing");
    let access = &web.site.app.dispatch.world().access;
    let revoke = async || {
        let mine = access.tokens().unwrap().into_iter().find(|token| token.role == Some(Role::ReadOnly)).unwrap();
        access.revoke_token(&mine.id).await.unwrap();
        bus.tell(Event::Plan("plan-secret".into()));
    };
    let after = heard(&web, &reader, revoke, |_| false).await;
    assert!(!after.contains("plan-secret"), "{after}");
    web.close().await;
}
