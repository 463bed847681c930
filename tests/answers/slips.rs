//! What looks like an answer and is none: slips in names, another menu's body, a router that refuses us.

use crate::site::Site;
use routeros_mcp::access::principal::Principal;
use routeros_mcp::dispatch::{Call, Progress};
use routeros_mcp::sim::faults::{Fault, Rule};
use routeros_mcp::sim::profiles::Profile;
use routeros_mcp::tools::spec::Audience;
use serde_json::json;
use std::sync::{Arc, Mutex};
use std::time::Duration;

#[tokio::test]
async fn a_slip_in_a_field_is_told_and_no_empty_column_is_answered() {
    let site = Site::of(&[Profile::Office], &[]).await;
    for (tool, arguments, meant) in [
        ("menu.read", json!({"device": "office", "menu": "/ip/address", "fields": ["adress"]}), "did you mean address?"),
        ("menu.read", json!({"device": "office", "menu": "/ip/address", "where": {"interfce": "lan"}}), "did you mean interface?"),
        ("menu.read", json!({"device": "office", "menu": "/ip/address", "fields": [".id"]}), ""),
        ("device.list", json!({"fields": ["nam"]}), "its fields are id, name"),
        ("device.list", json!({"where": {"bogus": "x"}}), "its fields are id, name"),
        ("logs.get_recent", json!({"device": "office", "since": "yesterday"}), "router's local time"),
        ("audit.get_events", json!({"fields": ["toool"]}), "its fields are seq, time"),
        ("audit.get_events", json!({"outcome": "failed"}), ""),
        ("logs.get_recent", json!({"device": "office", "since": "2026-11-25T04:00:15Z"}), "router's local time"),
    ] {
        let error = site.bad(tool, arguments.clone()).await;
        assert_eq!(error["kind"], "bad_input", "{tool} {arguments}");
        assert!(error["hint"].as_str().unwrap_or("").contains(meant), "{tool} {arguments}: {error}");
    }
    let by_key = site.good("menu.read", json!({"device": "office", "menu": "/interface", "where": {"_key": "ether1"}})).await;
    assert_eq!(by_key.structured["total"], 1);
}

#[tokio::test]
async fn a_path_that_is_no_menu_is_answered_with_the_one_that_is() {
    let site = Site::of(&[Profile::Office], &[]).await;
    for (menu, hint) in [
        ("/ip/firewal/nat", "did you mean /ip/firewall/nat?"),
        ("/ip/address/print", "read /ip/address"),
        ("/ip/firewall", "menu.describe /ip/firewall names the menus below it"),
        ("/nope", "menu.search finds menus by words"),
    ] {
        let error = site.bad("menu.read", json!({"device": "office", "menu": menu})).await;
        assert_eq!(error["kind"], "not_found", "{menu}: {error}");
        assert!(error["hint"].as_str().unwrap_or("").contains(hint), "{menu}: {error}");
    }
}

#[tokio::test]
async fn a_menu_that_is_one_object_keeps_its_key_whatever_is_in_it() {
    let site = Site::of(&[Profile::Office], &[]).await;
    for menu in ["/system/resource", "/ip/dns"] {
        let read = site.good("menu.read", json!({"device": "office", "menu": menu})).await.structured;
        assert_eq!(read["rows"][0]["_key"], menu);
    }
}

#[tokio::test]
async fn another_menus_body_is_asked_again_and_then_refused() {
    let site = Site::of(&[Profile::Office], &[]).await;
    let read = || json!({"device": "office", "menu": "/ip/address"});
    site.sim("office").faults().inject(Rule::once(Fault::WrongBody).on("/ip/address"));
    let answer = site.good("menu.read", read()).await.structured;
    assert!(answer["rows"][0]["address"].is_string(), "{answer}");
    site.forget("office");
    site.sim("office").faults().inject(Rule::always(Fault::WrongBody).on("/ip/address"));
    let error = site.bad("menu.read", read()).await;
    assert_eq!((&error["kind"], &error["retryable"]), (&json!("unreachable"), &json!(true)));
}

/// Remembers what it is told.
#[derive(Default)]
struct Heard(Mutex<Vec<f64>>);

impl Progress for Heard {
    fn tell(&self, done: f64, _: Option<f64>, _: &str) {
        self.0.lock().unwrap().push(done);
    }
}

#[tokio::test]
async fn a_caller_who_wants_progress_hears_of_a_slow_router() {
    let site = Site::of(&[Profile::Office], &[]).await;
    site.sim("office").faults().inject(Rule::once(Fault::Latency(Duration::from_millis(2_500))).on("/ip/address"));
    let heard = Arc::new(Heard::default());
    let arguments = json!({"device": "office", "menu": "/ip/address"}).as_object().cloned().unwrap();
    let mut call = Call::new("menu.read", arguments, Arc::new(site.app.stdio_principal()), Audience::Model);
    call.progress = Some(heard.clone());
    assert!(site.app.dispatch.call(call).await.fault.is_none());
    assert_eq!(*heard.0.lock().unwrap(), [1.0, 2.0]);
    assert_eq!(site.app.stdio_principal().through_our_command_line().client, Principal::operator().client);
}
