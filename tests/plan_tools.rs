//! Safe change as a model has it: each tool that writes, plans or settles, against simulated routers.

use crate::site::Site;
use routeros_mcp::access::{Principal, Role};
use routeros_mcp::sim::Sim;
use routeros_mcp::sim::faults::{Fault, Rule};
use routeros_mcp::sim::profiles::Profile;
use serde_json::{Value, json};

mod direct;

/// Everything a device can be opened for.
pub(crate) fn opened() -> Value {
    json!({"capabilities": ["writes", "professional", "firewall", "routing", "wireless", "dhcp", "bridge", "system"]})
}

/// A site with one router of that kind that may be changed.
pub(crate) async fn site(profile: Profile, flags: &[(&str, &str)]) -> Site {
    let all = [("mcp.toolsets", "all")];
    let flags: Vec<(&str, &str)> = all.iter().chain(flags).copied().collect();
    let mut site = Site::bare(&flags).await;
    site.adopt(profile, "edge", opened()).await;
    site
}

fn of(mut arguments: Value) -> Value {
    arguments["device"] = "edge".into();
    arguments
}

/// Scripts and timers of ours on the router.
pub(crate) fn guards(site: &Site) -> usize {
    let mut world = site.sim("edge").world();
    let rows = [world.rows("/system/scheduler"), world.rows("/system/script")].concat();
    rows.iter().filter(|row| format!("{row:?}").contains("mcp-guard")).count()
}

fn writes(sim: &Sim) -> usize {
    sim.requests().iter().filter(|seen| matches!(seen.method.as_str(), "PUT" | "PATCH" | "DELETE")).count()
}

#[tokio::test]
async fn a_plan_is_drafted_shown_applied_and_listed() {
    let site = site(Profile::HomeAp, &[]).await;
    let request = json!({"devices": ["edge"], "reason": "a record for the NVR", "edits": [
        {"menu": "/ip/dns/static", "op": "add", "values": {"name": "nvr.lan", "address": "192.0.2.6", "comment": "the recorder in the attic"}},
        {"menu": "/ip/dns", "op": "set", "values": {"cache-size": 4096}}]});
    let made = site.good("plan.create", request).await;
    let plan = &made.structured;
    let id = plan["id"].as_str().unwrap().to_owned();
    assert_eq!((&plan["state"], &plan["approvals"]), (&json!("draft"), &json!({"needed": 0, "given": []})), "{plan}");
    for name in [
        "risk",
        "reason",
        "can_cut_access",
        "cut_reasons",
        "digest",
        "short_digest",
        "confirm",
        "confirm_timeout_seconds",
        "created_by",
        "created_at",
        "expires_at",
        "summary",
    ] {
        assert!(plan.get(name).is_some_and(|value| !value.is_null()), "{name} is missing: {plan}");
    }
    let device = &plan["devices"][0];
    assert_eq!(
        (&device["name"], &device["state"], &device["guard"], &device["fires_at"]),
        (&json!("edge"), &json!("pending"), &Value::Null, &Value::Null)
    );
    let step = &device["diff"][0];
    assert_eq!((&step["menu"], &step["op"], &step["before"]), (&json!("/ip/dns/static"), &json!("add"), &Value::Null));
    assert_eq!(step["after"]["name"], "nvr.lan");
    assert_eq!(device["diff"][1]["after"], json!({"cache-size": "4096"}), "only what differs: {}", device["diff"][1]);
    let marks = made.meta["untrusted"].to_string();
    assert!(marks.contains("/devices/*/diff/*/after/comment"), "{marks}");
    assert_eq!(writes(site.sim("edge")), 0, "a draft changes nothing");
    assert_eq!(site.good("plan.get", json!({"plan_id": id})).await.structured["digest"], plan["digest"]);
    let only = site.good("plan.get", json!({"plan_id": id, "show": "diff"})).await.structured;
    assert!(only.get("approvals").is_none() && only["devices"][0]["diff"].as_array().unwrap().len() == 2, "{only}");
    let done = site.good("plan.apply", json!({"plan_id": id, "wait_seconds": 55})).await.structured;
    assert_eq!((&done["state"], &done["summary"]), (&json!("confirmed"), &json!("confirmed 1")), "{done}");
    assert_eq!(done["devices"][0]["state"], "confirmed");
    assert_eq!(site.bad("plan.apply", json!({"plan_id": id})).await["kind"], "conflict", "once");
    let list = site.good("plan.list", json!({"where": {"state": "confirmed"}})).await.structured;
    assert_eq!((&list["rows"][0]["id"], &list["rows"][0]["devices"]), (&json!(id), &json!(["edge"])), "{list}");
    let back = site.bad("plan.roll_back", json!({"plan_id": id, "reason": "r"})).await;
    assert_eq!(back["kind"], "conflict", "what is confirmed is undone by another plan");
}

#[tokio::test]
async fn a_draft_can_be_cancelled_and_is_then_over() {
    let site = site(Profile::HomeAp, &[]).await;
    let request = json!({"devices": ["edge"], "edits": [{"menu": "/ip/dns", "op": "set", "values": {"servers": "192.0.2.53"}}]});
    let id = site.good("plan.create", request).await.structured["id"].clone();
    let over = site.good("plan.cancel", json!({"plan_id": id, "reason": "not today"})).await.structured;
    assert_eq!((&over["state"], &over["why"]), (&json!("cancelled"), &json!("not today")));
    for tool in ["plan.apply", "plan.confirm", "plan.roll_back", "plan.cancel"] {
        let error = site.bad(tool, json!({"plan_id": id})).await;
        assert_eq!(error["kind"], "conflict", "{tool}");
        assert!(!error["message"].as_str().unwrap().contains("approval"), "what is over lacks nothing: {error}");
    }
    for tool in ["plan.get", "plan.apply", "plan.confirm", "plan.roll_back", "plan.cancel"] {
        assert_eq!(site.bad(tool, json!({"plan_id": "plan-000000000000"})).await["kind"], "not_found", "{tool}");
    }
}

#[tokio::test]
async fn a_manual_plan_waits_for_its_confirmation_or_is_undone() {
    let site = site(Profile::HomeAp, &[]).await;
    let request = |name: &str| json!({"devices": ["edge"], "confirm": "manual", "edits": [{"menu": "/ip/dns/static", "op": "add", "values": {"name": name, "address": "192.0.2.6"}}]});
    let there = |name: &str| site.sim("edge").world().find("/ip/dns/static", name).is_some();
    let kept = site.good("plan.create", request("kept.lan")).await.structured["id"].clone();
    assert_eq!(site.bad("plan.confirm", json!({"plan_id": kept})).await["kind"], "conflict", "nothing waits yet");
    let waits = site.good("plan.apply", json!({"plan_id": kept, "wait_seconds": 55})).await.structured;
    assert_eq!((&waits["state"], &waits["devices"][0]["state"]), (&json!("executing"), &json!("verified")), "{waits}");
    assert!(waits["devices"][0]["fires_at"].is_string(), "{waits}");
    let done = site.good("plan.confirm", json!({"plan_id": kept})).await.structured;
    assert_eq!(done["state"], "confirmed", "{done}");
    assert!(there("kept.lan"));
    let undone = site.good("plan.create", request("undone.lan")).await.structured["id"].clone();
    site.good("plan.apply", json!({"plan_id": undone, "wait_seconds": 55})).await;
    assert!(there("undone.lan"));
    let back = site.good("plan.roll_back", json!({"plan_id": undone, "reason": "wrong name"})).await.structured;
    assert_eq!((&back["state"], &back["why"]), (&json!("rolled_back"), &json!("wrong name")), "{back}");
    assert!(!there("undone.lan"));
}

#[tokio::test]
async fn secrets_go_in_by_handle_and_are_seen_nowhere() {
    let site = site(Profile::HomeAp, &[]).await;
    let add = |values: Value| json!({"devices": ["edge"], "edits": [{"menu": "/ppp/secret", "op": "add", "values": values}]});
    let clear = site.bad("plan.create", add(json!({"name": "anna", "password": "hunter2-canary"}))).await;
    assert_eq!(clear["kind"], "bad_input");
    assert!(!clear.to_string().contains("hunter2-canary"), "{clear}");
    let unknown = site.bad("plan.create", add(json!({"name": "anna", "password": {"secret": "vault:nothing"}}))).await;
    assert_eq!(unknown["kind"], "not_found", "{unknown}");
    let made = site.good("plan.create", add(json!({"name": "anna", "password": {"secret": "generate"}}))).await.structured;
    assert_eq!(made["devices"][0]["diff"][0]["after"]["password"], "(secret)", "{made}");
}

#[tokio::test]
async fn each_writer_of_plans_writes_the_edit_it_says() {
    let site = site(Profile::Office, &[]).await;
    let (mut cases, mut left) = (0, Vec::new());
    for (tool, arguments, menu, op) in [
        (
            "dhcp.plan_pool",
            json!({"action": "add", "name": "lab", "ranges": ["198.51.100.10-198.51.100.20"], "network": "198.51.100.0/24", "gateway": "198.51.100.1"}),
            "/ip/pool",
            "add",
        ),
        (
            "routing.plan_static_route",
            json!({"action": "add", "dst": "203.0.113.0/24", "gateway": "192.0.2.1", "comment": "to the lab"}),
            "/ip/route",
            "add",
        ),
        (
            "firewall.plan_rule",
            json!({"action": "add", "rule": {"chain": "forward", "action": "drop", "src_address": "203.0.113.7", "comment": "one"}}),
            "/ip/firewall/filter",
            "add",
        ),
        (
            "firewall.plan_rule",
            json!({"action": "add", "table": "nat", "rule": {"chain": "srcnat", "action": "accept", "src_address": "203.0.113.7"}}),
            "/ip/firewall/nat",
            "add",
        ),
        ("bridge.plan_settings", json!({"bridge": "bridge", "igmp_snooping": true}), "/interface/bridge", "set"),
        (
            "config.plan_dns_ntp_rollout",
            json!({"devices": ["edge"], "dns_servers": ["192.0.2.53"], "ntp_servers": ["192.0.2.123"]}),
            "/ip/dns",
            "set",
        ),
        (
            "config.plan_address_list_sync",
            json!({"devices": ["edge"], "list": "blocklist", "entries": ["203.0.113.7", "203.0.113.8"]}),
            "/ip/firewall/address-list",
            "add",
        ),
    ] {
        let arguments = if arguments.get("devices").is_some() { arguments } else { of(arguments) };
        let plan = site.good(tool, arguments.clone()).await.structured;
        let step = &plan["devices"][0]["diff"][0];
        if (&step["menu"], &step["op"]) != (&json!(menu), &json!(op)) {
            left.push(format!("{tool} {arguments}: {step}"));
        }
        assert_eq!((&plan["state"], &plan["tool"]), (&json!("draft"), &json!(tool)));
        cases += 1;
    }
    assert!(left.is_empty(), "{left:#?}");
    assert_eq!((cases, writes(site.sim("edge"))), (7, 0), "plans change nothing");
    for (tool, arguments) in [
        ("routing.plan_static_route", json!({"action": "add", "dst": "0.0.0.0/0", "gateway": "192.0.2.1"})),
        ("firewall.plan_rule", json!({"action": "add", "rule": {"chain": "forward", "action": "drop"}})),
        ("firewall.plan_rule", json!({"action": "modify", "match": {"comment": "x"}})),
        ("dhcp.plan_pool", json!({"action": "add", "name": "lab"})),
        ("bridge.plan_settings", json!({"bridge": "bridge"})),
        ("config.plan_address_list_sync", json!({"devices": ["edge"], "list": "a"})),
        ("config.plan_dns_ntp_rollout", json!({"devices": ["edge"]})),
    ] {
        let arguments = if arguments.get("devices").is_some() { arguments } else { of(arguments) };
        assert_eq!(site.bad(tool, arguments).await["kind"], "bad_input", "{tool}");
    }
}

#[tokio::test]
async fn wireless_plans_speak_the_language_of_the_package_that_is_there() {
    for (profile, menu, ssid) in
        [(Profile::HomeAp, "/interface/wifi", "configuration.ssid"), (Profile::WispTower, "/interface/wireless", "ssid")]
    {
        let site = site(profile, &[]).await;
        let radios = site.good("wireless.get_interfaces", of(json!({}))).await.structured;
        let name = radios["rows"][0]["name"].as_str().unwrap_or_else(|| panic!("{radios}")).to_owned();
        let plan = site.good("wireless.plan_ssid", of(json!({"action": "modify", "interface": name, "ssid": "guests"}))).await.structured;
        let step = &plan["devices"][0]["diff"][0];
        assert_eq!((&step["menu"], &step["after"][ssid]), (&json!(menu), &json!("guests")), "{step}");
        let plan = site.good("wireless.plan_radio", of(json!({"interface": name, "disabled": true}))).await.structured;
        assert_eq!(plan["devices"][0]["diff"][0]["op"], "disable", "{plan}");
        let secret = json!({"action": "modify", "interface": name, "passphrase": {"secret": "generate"}});
        let plan = site.good("wireless.plan_ssid", of(secret)).await.structured;
        let steps = plan["devices"][0]["diff"].as_array().unwrap();
        assert_eq!((steps.len(), &steps[0]["op"]), (2, &json!("add")), "a profile of its own: {plan}");
    }
}

#[tokio::test]
async fn a_kept_configuration_is_taken_back_by_a_plan() {
    let site = site(Profile::HomeAp, &[]).await;
    site.good("dns.update_servers", of(json!({"servers": ["192.0.2.98"]}))).await;
    site.forget("edge");
    site.good("config.get_drift", of(json!({}))).await;
    site.good("dns.update_servers", of(json!({"servers": ["192.0.2.99"]}))).await;
    site.forget("edge");
    let plan = site.good("config.plan_restore", of(json!({"snapshot": "baseline", "menus": ["/ip/dns"]}))).await.structured;
    assert_eq!(plan["devices"][0]["diff"][0]["menu"], "/ip/dns", "{plan}");
    let step = &plan["devices"][0]["diff"][0];
    assert_eq!((&step["before"]["servers"], &step["after"]["servers"]), (&json!("192.0.2.99"), &json!("192.0.2.98")));
    assert!(plan["left_out"].is_array());
    let refused = site.bad("config.plan_restore", of(json!({"snapshot": "baseline", "menus": ["/ip/dns", "/ip/dnss"]}))).await;
    assert!(refused["kind"] == "not_found" && refused["hint"].as_str().unwrap().contains("did you mean /ip/dns?"), "{refused}");
}

#[tokio::test]
async fn fixes_of_the_security_audit_are_plans_as_they_are() {
    let site = site(Profile::Office, &[]).await;
    let audit = site.good("security.audit", of(json!({}))).await.structured;
    let mut tried = 0;
    let mut odd = Vec::new();
    for finding in audit["findings"].as_array().unwrap_or_else(|| panic!("{audit}")) {
        let Some(draft) = finding.get("fix").filter(|fix| fix.get("edits").is_some()) else { continue };
        let reply = site.call("plan.create", draft.clone()).await;
        if let Some(kind) = reply.fault
            && kind.as_str() == "bad_input"
        {
            odd.push(format!("{}: {} {}", finding["id"], reply.text, draft));
        }
        tried += 1;
    }
    assert!(odd.is_empty(), "{odd:#?}");
    assert!(tried >= 2, "only {tried} fixes: {audit}");
}

#[tokio::test]
async fn a_switch_turns_applying_off_by_any_route_and_read_only_everything() {
    let off = site(Profile::HomeAp, &[("mcp.enable_plan_apply", "false")]).await;
    let request = json!({"devices": ["edge"], "edits": [{"menu": "/ip/dns", "op": "set", "values": {"servers": "192.0.2.53"}}]});
    let id = off.good("plan.create", request.clone()).await.structured["id"].clone();
    for name in ["plan.apply", "plan_apply"] {
        assert_eq!(off.bad(name, json!({"plan_id": id})).await["kind"], "denied");
        let operator = off.operator(name, json!({"plan_id": id})).await;
        assert_eq!(operator.structured["error"]["kind"], "denied");
    }
    assert!(off.listed(&Principal::stdio(Role::Admin)).iter().all(|tool| tool["name"] != "plan.apply"));
    let frozen = site(Profile::HomeAp, &[("read_only", "true")]).await;
    for (tool, arguments) in
        [("plan.create", request), ("system.set_identity", of(json!({"name": "x"}))), ("plan.confirm", json!({"plan_id": "plan-1"}))]
    {
        assert_eq!(frozen.bad(tool, arguments).await["kind"], "denied", "{tool}");
    }
    assert!(frozen.call("plan.list", json!({})).await.fault.is_none());
}

#[tokio::test]
async fn a_plan_for_anothers_device_looks_like_none() {
    let mut site = site(Profile::HomeAp, &[]).await;
    site.adopt(Profile::HomeAp, "other", opened()).await;
    let request = json!({"devices": ["other"], "edits": [{"menu": "/ip/dns", "op": "set", "values": {"servers": "192.0.2.53"}}]});
    let id = site.good("plan.create", request).await.structured["id"].clone();
    let kept = crate::site::limited(Role::Admin, &["edge"]);
    for tool in ["plan.get", "plan.apply", "plan.confirm", "plan.roll_back", "plan.cancel"] {
        let reply = site.call_as(kept.clone(), tool, json!({"plan_id": id})).await;
        assert_eq!(reply.structured["error"]["kind"], "not_found", "{tool}: {}", reply.text);
    }
    assert_eq!(site.call_as(kept, "plan.list", json!({})).await.structured["total"], 0);
}
