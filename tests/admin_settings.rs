//! The kill switches: set in the pages, in force at once and for everybody, kept, and never looser than the file.

use crate::admin_rig::{Browser, signed_in};
use crate::http_rig::{Events, Web, in_session};
use crate::site::Site;
use routeros_mcp::access::Role;
use routeros_mcp::sim::profiles::Profile;
use serde_json::{Value, json};

const SWITCHES: &str = "/admin/api/v1/settings/switches";

async fn home(flags: &[(&str, &str)]) -> Web {
    let usual = [
        ("mcp.transport", "both"),
        ("mcp.http_port", "0"),
        ("health_check.enabled", "false"),
        ("sse.update_batch_interval_seconds", "0.1"),
    ];
    let mut site = Site::bare(&[&usual[..], flags].concat()).await;
    site.adopt(Profile::Office, "office", json!({"capabilities": ["writes", "professional", "firewall"]})).await;
    Web::over(site).await
}

async fn listed(web: &Web, token: &str, session: &str) -> Vec<String> {
    let answer =
        web.say(token, &in_session(session), &json!({"jsonrpc": "2.0", "id": 3, "method": "tools/list", "params": {}})).await.message();
    answer["result"]["tools"].as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
}

/// Why a tool was not run, in the session of an assistant.
async fn denied(web: &Web, token: &str, session: &str, tool: &str, arguments: Value) -> Option<String> {
    let call = json!({"jsonrpc": "2.0", "id": 4, "method": "tools/call", "params": {"name": tool, "arguments": arguments}});
    let answer = web.say(token, &in_session(session), &call).await.message();
    let error = &answer["result"]["structuredContent"]["error"];
    (error["kind"] == "denied").then(|| error["message"].as_str().unwrap().to_owned())
}

fn effective(answer: &Value, name: &str) -> Value {
    answer["switches"].as_array().unwrap().iter().find(|one| one["name"] == name).unwrap()["effective"].clone()
}

#[tokio::test]
async fn a_switch_counts_at_once_in_running_sessions_which_are_told() {
    let web = home(&[]).await;
    let mut anna = signed_in(&web, "anna", Role::Admin).await;
    let token = web.token(Role::OpsRw).await;
    let session = web.session(&token).await;
    let mut legacy = Events::get(&web, &token, &in_session(&session)).await;
    let mut modern = Events::modern(&web, &token, "subscriptions/listen", json!({"notifications": {"toolsListChanged": true}})).await;
    let accepted = modern.message().await;
    assert_eq!(accepted["params"]["notifications"]["toolsListChanged"], true, "{accepted}");
    assert!(listed(&web, &token, &session).await.contains(&"system.get_clock".to_owned()));
    let clock = json!({"device": "office"});
    assert_eq!(denied(&web, &token, &session, "system.get_clock", clock.clone()).await, None);
    let set = anna.post(SWITCHES, json!({"disable_tools": ["system.get_clock"], "reason": "it lies"})).await;
    assert_eq!(set.status, 200, "{set:?}");
    for stream in [&mut legacy, &mut modern] {
        assert_eq!(stream.message().await["method"], "notifications/tools/list_changed");
    }
    assert!(!listed(&web, &token, &session).await.contains(&"system.get_clock".to_owned()));
    assert!(denied(&web, &token, &session, "system.get_clock", clock.clone()).await.unwrap().contains("switched off"));
    assert_eq!(denied(&web, &token, &session, "system.get_overview", clock.clone()).await, None, "no more than that");
    anna.post(SWITCHES, json!({"disable_tools": ["system.*"]})).await;
    assert!(denied(&web, &token, &session, "system.get_overview", clock.clone()).await.is_some());
    anna.post(SWITCHES, json!({"disable_tools": [], "disable_toolsets": ["system"]})).await;
    assert!(denied(&web, &token, &session, "system.get_overview", clock.clone()).await.is_some());
    anna.post(SWITCHES, json!({"disable_toolsets": [], "no_tools": true})).await;
    assert!(listed(&web, &token, &session).await.is_empty());
    assert!(denied(&web, &token, &session, "device.list", json!({})).await.is_some());
    assert_eq!(anna.get("/admin/").await.status, 200, "the pages go on");
    anna.post(SWITCHES, json!({"no_tools": false})).await;
    assert_eq!(denied(&web, &token, &session, "system.get_clock", clock).await, None);
    web.close().await;
}

#[tokio::test]
async fn read_only_stops_what_changes_routers_by_any_route_and_reads_go_on() {
    let web = home(&[]).await;
    let mut anna = signed_in(&web, "anna", Role::Admin).await;
    let edit = json!({"menu": "/ip/firewall/filter", "op": "add", "values": {"chain": "input", "action": "drop", "src-address": "198.51.100.0/24"}});
    let plan = web.site.good("plan.create", json!({"devices": ["office"], "edits": [edit], "reason": "before"})).await.structured;
    let approve = format!("/admin/api/v1/plans/{}/approve", plan["id"].as_str().unwrap());
    assert_eq!(anna.post(&approve, json!({"digest": plan["short_digest"]})).await.status, 200);
    assert_eq!(anna.post(SWITCHES, json!({"no_plan_apply": true})).await.status, 200);
    let id = json!({"plan_id": plan["id"]});
    let said = web.site.bad("plan.apply", id.clone()).await;
    assert!(said["kind"] == "denied" && said["hint"].as_str().unwrap().contains("Settings"), "{said}");
    assert_eq!(anna.post(SWITCHES, json!({"no_plan_apply": false, "read_only": true})).await.status, 200);
    assert_eq!(web.site.bad("plan.apply", id.clone()).await["kind"], "denied");
    assert_eq!(web.site.bad("system.set_identity", json!({"device": "office", "name": "x"})).await["kind"], "denied");
    web.site.good("system.get_clock", json!({"device": "office"})).await;
    assert!(anna.get("/admin/").await.body.contains("read only"), "every page says so");
    assert_eq!(anna.post(SWITCHES, json!({"read_only": false})).await.status, 200);
    let applied = web.site.good("plan.apply", json!({"plan_id": plan["id"], "wait_seconds": 30})).await;
    assert_eq!(applied.structured["state"], "confirmed", "{}", applied.text);
    web.close().await;
}

#[tokio::test]
async fn the_stricter_of_file_and_switch_wins_and_a_restart_changes_nothing() {
    let web = home(&[("read_only", "true"), ("mcp.disable_tools", "dns.flush_cache")]).await;
    let mut anna = signed_in(&web, "anna", Role::Admin).await;
    let answer = anna.post(SWITCHES, json!({"read_only": false, "disable_tools": []})).await.message();
    assert_eq!(
        (effective(&answer, "read_only"), effective(&answer, "disable_tools")),
        (json!(true), json!(["dns.flush_cache"])),
        "{answer}"
    );
    assert_eq!(answer["changed"], Value::Null);
    let page = anna.get("/admin/settings").await.body;
    assert!(page.contains("it cannot be undone here") && page.contains("by the configuration"), "{page}");
    anna.post(SWITCHES, json!({"read_only": true, "no_plan_apply": true, "disable_tools": ["ntp.*"]})).await;
    let Web { site, listener } = web;
    drop(listener);
    let site = site.reopened(&[("mcp.transport", "both"), ("mcp.http_port", "0")]).await;
    let answer = site.operator("settings.get", json!({})).await.structured;
    for (name, value) in
        [("read_only", json!(true)), ("no_plan_apply", json!(true)), ("disable_tools", json!(["ntp.*"])), ("no_tools", json!(false))]
    {
        assert_eq!(effective(&answer, name), value, "{name}");
    }
    assert_eq!(
        (&answer["changes"][0]["by"], answer["changes"].as_array().map(Vec::len)),
        (&json!("anna"), Some(1)),
        "{}",
        answer["changes"]
    );
    assert!(site.bad("ntp.get_status", json!({"device": "office"})).await["message"].as_str().unwrap().contains("switched off"));
    site.close().await;
}

#[tokio::test]
async fn only_an_administrator_who_proved_it_just_now_switches_and_nothing_shuts_them_out() {
    let (web, hand) = Web::timed(&[]).await;
    let mut anna = signed_in(&web, "anna", Role::Admin).await;
    for bad in [
        json!({"disable_tools": ["settings.*"]}),
        json!({"disable_tools": ["plan.approve"]}),
        json!({"disable_tools": ["nothing.at_all"]}),
        json!({"disable_toolsets": ["core"]}),
        json!({"disable_toolsets": ["nothing"]}),
        json!({"read_only": "yes"}),
        json!({"off": true}),
        json!({"read_only": true, "reason": "a\nb"}),
    ] {
        assert_eq!(anna.post(SWITCHES, bad.clone()).await.status, 400, "{bad}");
    }
    for role in [Role::ReadOnly, Role::OpsRw, Role::Approver] {
        let mut other = signed_in(&web, role.as_str(), role).await;
        assert_eq!(other.get("/admin/api/v1/settings").await.status, 403, "{}", role.as_str());
        assert_eq!(other.post(SWITCHES, json!({"read_only": true})).await.status, 403);
    }
    let token = web.token(Role::Admin).await;
    let headers = format!("Authorization: Bearer {token}\r\nContent-Type: application/json\r\n");
    assert_eq!(web.ask("POST", SWITCHES, &headers, "{\"read_only\":true}").await.status, 403, "no token");
    assert_eq!(web.ask("GET", "/admin/api/v1/settings", &headers, "").await.status, 200, "an administrator's token may look");
    hand.advance(std::time::Duration::from_secs(301));
    assert_eq!(anna.post(SWITCHES, json!({"read_only": true})).await.status, 401, "a stale proof");
    let settings = anna.get("/admin/api/v1/settings").await.message();
    assert_eq!(effective(&settings, "read_only"), false);
    web.close().await;
}

#[tokio::test]
async fn what_was_switched_stands_in_the_trail_and_on_the_page_with_who_and_why() {
    let web = home(&[]).await;
    let mut anna = signed_in(&web, "anna", Role::Admin).await;
    let hostile = "<script>alert(1)</script>";
    let done = anna.form("/admin/settings/disable_tools", &[("add", "firewall.*"), ("reason", hostile)]).await;
    assert_eq!((done.status, done.header("location")), (303, Some("/admin/settings")), "{done:?}");
    assert_eq!(anna.form("/admin/settings/read_only", &[("value", "on")]).await.status, 303);
    assert_eq!(anna.form("/admin/settings/disable_toolsets", &[("add", "vpn")]).await.status, 303);
    let page = anna.get("/admin/settings").await.body;
    for said in [
        "firewall.* switched off",
        "read only: on",
        "toolset vpn switched off",
        "<b>anna</b>",
        "Take it back",
        "Let firewall.* be used again",
    ] {
        assert!(page.contains(said), "{said}: {page}");
    }
    assert!(!page.contains("<script>alert"));
    assert_eq!(anna.form("/admin/settings/disable_tools", &[("remove", "firewall.*")]).await.status, 303);
    assert_eq!(anna.form("/admin/settings/read_only", &[("value", "off")]).await.status, 303);
    let after = anna.get("/admin/api/v1/settings").await.message();
    assert_eq!(
        (effective(&after, "disable_tools"), effective(&after, "read_only"), effective(&after, "disable_toolsets")),
        (json!([]), json!(false), json!(["vpn"]))
    );
    assert_eq!(anna.form("/admin/settings/disable_tools", &[("add", "no.tool")]).await.status, 400);
    assert_eq!(anna.form("/admin/settings/nothing", &[("value", "on")]).await.status, 404);
    let rows =
        web.site.operator("audit.get_events", json!({"tool": "settings.set_switches", "outcome": "ok"})).await.structured["rows"].clone();
    assert_eq!((rows.as_array().map(Vec::len), &rows[0]["principal"]), (Some(5), &json!("anna")), "{rows}");
    web.close().await;
}

#[tokio::test]
async fn the_configuration_is_shown_with_its_sources_and_without_its_secrets() {
    let web = home(&[("oidc.client_secret", "planted-secret-55"), ("mcp.server_name", "edge of town")]).await;
    let mut anna = signed_in(&web, "anna", Role::Admin).await;
    let answer = anna.get("/admin/api/v1/settings").await;
    assert!(!answer.body.contains("planted-secret-55"));
    let keys = answer.message()["config"]["keys"].clone();
    assert_eq!((&keys["mcp.server_name"]["value"], &keys["oidc.client_secret"]["value"]), (&json!("edge of town"), &json!("•••")));
    assert_eq!(keys["mcp.http_base_path"]["source"], "default");
    let page = anna.get("/admin/settings").await;
    assert!(page.body.contains("edge of town") && !page.body.contains("planted-secret-55"), "{page:?}");
    assert!(page.body.len() < 60_000, "{} bytes", page.body.len());
    let mut nobody = Browser::of(&web);
    assert_eq!(nobody.get("/admin/settings").await.status, 303);
    web.close().await;
}
