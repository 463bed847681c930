//! Every call leaves a record, refused and unknown ones too, and none of them a secret.

use super::{fitting, for_models};
use crate::site::{Site, limited};
use routeros_mcp::access::{Principal, Role};
use routeros_mcp::audit::{self, Filter, Phase, Stored};
use routeros_mcp::sim::profiles::Profile;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The trail, oldest first.
fn records(site: &Site) -> Vec<Stored> {
    let mut all = site.app.dispatch.world().audit.recent(&Filter::default(), None, 5_000).unwrap();
    all.reverse();
    all
}

#[tokio::test]
async fn every_call_leaves_one_record_that_says_how_it_ended() {
    let site = Site::of(&[Profile::HomeAp], &[("mcp.disable_tools", "ntp.get_status")]).await;
    for tool in for_models() {
        site.call(tool.name, fitting(tool, "home-ap")).await;
        site.call(tool.name, json!({"no such argument": 1})).await;
        site.call_as(limited(Role::ReadOnly, &[]), tool.name, fitting(tool, "home-ap")).await;
        site.call_as(Principal::stdio(Role::Approver), tool.name, fitting(tool, "home-ap")).await;
    }
    site.call("no.such_tool", json!({"device": "home-ap", "password": "hunter2"})).await;
    site.call("device.remove", json!({"device": "home-ap"})).await;
    site.call(&"x".repeat(5_000), json!({})).await;
    site.operator("device.test", json!({"device": "home-ap"})).await;

    let heard = site.heard.lock().unwrap().clone();
    let all = records(&site);
    let done: BTreeMap<&str, &Stored> =
        all.iter().filter(|s| s.record.phase == Phase::Done).map(|s| (s.record.correlation_id.as_str(), s)).collect();
    let mut outcomes: BTreeMap<String, usize> = BTreeMap::new();
    for (tool, result) in &heard {
        let id = result["_meta"]["correlation_id"].as_str().unwrap();
        let stored = done.get(id).unwrap_or_else(|| panic!("{tool:.60} left no record"));
        let record = &stored.record;
        let unknown = record.outcome == "unknown_tool";
        let ended = result["structuredContent"]["error"]["kind"].as_str().unwrap_or("ok");
        assert!(unknown || record.outcome == ended, "{tool}: {} is not {ended}", record.outcome);
        assert!(unknown || &record.tool == tool, "{tool}: {}", record.tool);
        assert!(record.tool.len() <= 300 && !record.principal.role.is_empty());
        if let Some(device) = result["_meta"]["device_id"].as_str() {
            assert_eq!(record.device.as_deref(), Some(device), "{tool}");
            assert_eq!(record.device_name.as_deref(), Some("home-ap"), "{tool}");
        }
        *outcomes.entry(record.outcome.clone()).or_default() += 1;
    }
    println!("{} calls, {} records: {outcomes:?}", heard.len(), all.len());
    assert_eq!(done.len(), heard.len(), "one record a call");
    assert!(heard.len() >= 60);
    for outcome in ["ok", "denied", "bad_input", "not_found", "unknown_tool"] {
        assert!(outcomes.contains_key(outcome), "no call ended {outcome}: {outcomes:?}");
    }
    // What administers is written down before it is done.
    let test: Vec<_> = all.iter().filter(|stored| stored.record.tool == "device.test").map(|stored| stored.record.phase).collect();
    assert_eq!(test, [Phase::Intent, Phase::Done]);
    assert!(all.windows(2).all(|pair| pair[0].seq + 1 == pair[1].seq), "no gaps");
    let dir = site.close().await;
    let report = audit::verify(&dir.path().join("state/audit")).unwrap();
    assert_eq!(report.records, all.len() as u64);
}

#[tokio::test]
async fn arguments_are_kept_masked() {
    let site = Site::of(&[Profile::HomeAp], &[]).await;
    site.operator("device.update", json!({"device": "home-ap", "password": "sim-mcp-pass"})).await;
    site.call("no.such_tool", json!({"device": "home-ap", "password": "hunter2", "deep": [{"api-token": "hunter2"}]})).await;
    site.call("menu.read", json!({"device": "home-ap", "menu": "/snmp/community", "where": {"name": "hunter2"}})).await;
    site.call("menu.read", json!({"device": "home-ap", "menu": "ppp secret", "where": {"password~": "hunter2"}})).await;
    site.call("device.list", json!({"environment": "lab"})).await;
    let all = records(&site);
    for stored in &all {
        let text = format!("{:?}", stored.record);
        assert!(!text.contains("sim-mcp-pass") && !text.contains("hunter2"), "{text}");
    }
    let of = |tool: &str| all.iter().rfind(|stored| stored.record.tool == tool).unwrap().record.arguments.clone();
    for tool in ["device.add", "device.update"] {
        let kept: Value = serde_json::from_str(&of(tool)).unwrap();
        assert_eq!(kept["password"], "(secret)", "{tool}: {kept}");
    }
    assert_eq!(of("device.list"), r#"{"environment":"lab"}"#, "what is no secret stays as it was");
    assert!(of("device.add").contains("127.0.0.1"));
}

#[tokio::test]
async fn events_tell_who_did_what_to_which_device() {
    let site = Site::of(&[Profile::HomeAp], &[]).await;
    let made = site.good("system.get_clock", json!({"device": "home-ap"})).await;
    site.bad("system.get_clock", json!({"device": "nowhere"})).await;
    let events = async |arguments: Value| site.good("audit.get_events", arguments).await.structured["rows"].clone();
    let rows = events(json!({"tool": "system.get_clock", "outcome": "ok"})).await;
    let row = &rows[0];
    assert_eq!((&row["device"], &row["tool"], &row["outcome"]), (&json!("home-ap"), &json!("system.get_clock"), &json!("ok")));
    assert_eq!(row["correlation_id"], made.meta["correlation_id"]);
    for key in ["seq", "time", "principal"] {
        assert!(!row[key].is_null(), "{key}: {row}");
    }
    assert_eq!(events(json!({"tool": "system_get_clock"})).await.as_array().unwrap().len(), 2, "either spelling");
    assert_eq!(events(json!({"outcome": "not_found"})).await.as_array().unwrap().len(), 1);
    assert_eq!(events(json!({"outcome": "error"})).await, events(json!({"outcome": "not_found"})).await, "the only thing that went wrong");
    assert_eq!(events(json!({"device": "home-ap"})).await.as_array().unwrap().len(), 1, "its arrival was the operator's doing");
}
