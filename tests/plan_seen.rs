//! Who approves sees all of it: every row, whole values, code line by line, whether it is guarded, and where secrets come from.

use crate::admin_rig::{PASSWORD, signed_in};
use crate::http_rig::Web;
use crate::plan_tools::{opened, site};
use crate::site::Site;
use routeros_mcp::access::Role;
use routeros_mcp::base::secret::Secret;
use routeros_mcp::sim::profiles::Profile;
use serde_json::{Value, json};

const LISTENING: &[(&str, &str)] =
    &[("mcp.transport", "both"), ("mcp.http_port", "0"), ("health_check.enabled", "false"), ("mcp.toolsets", "all")];

async fn listening(flags: &[(&str, &str)]) -> Site {
    let flags: Vec<(&str, &str)> = LISTENING.iter().chain(flags).copied().collect();
    let mut site = Site::bare(&flags).await;
    site.adopt(Profile::HomeAp, "edge", opened()).await;
    site
}

fn add(menu: &str, values: Value) -> Value {
    json!({"menu": menu, "op": "add", "values": values})
}

/// A plan of these edits, written down by a model.
async fn planned(site: &Site, edits: Vec<Value>, more: Value) -> Value {
    let mut request = json!({"devices": ["edge"], "edits": edits, "confirm": "auto"});
    more.as_object().into_iter().flatten().for_each(|(name, value)| request[name] = value.clone());
    site.good("plan.create", request).await.structured
}

/// As the command line and the pages have it.
async fn by_person(site: &Site, plan: &Value) -> Value {
    let reply = site.operator("plan.get", json!({"plan_id": plan["id"]})).await;
    assert!(reply.fault.is_none(), "{}", reply.text);
    reply.structured
}

fn rows(plan: &Value) -> usize {
    plan["devices"].as_array().unwrap().iter().map(|device| device["diff"].as_array().unwrap().len()).sum()
}

#[tokio::test]
async fn a_person_sees_the_last_row_of_the_longest_plan_and_no_value_is_cut() {
    let mut site = listening(&[]).await;
    for name in ["second", "third", "last"] {
        site.adopt(Profile::HomeAp, name, opened()).await;
    }
    let nets = (0..40).map(|n| format!("10.0.{n}.0/24")).collect::<Vec<_>>().join(",") + ",0.0.0.0/0";
    let mut edits: Vec<Value> = (0..30)
        .map(|n| {
            add(
                "/ip/firewall/address-list",
                json!({"list": "guests", "address": format!("198.51.100.{n}"), "comment": "a guest of the house, one of many, ".repeat(2)}),
            )
        })
        .collect();
    edits.push(json!({"menu": "/ip/service", "op": "set", "match": {"name": "winbox"}, "values": {"address": nets}}));
    let plan = planned(&site, edits, json!({"devices": ["edge", "second", "third", "last"]})).await;
    let model = site.good("plan.get", json!({"plan_id": plan["id"]})).await.structured;
    assert!(rows(&model) < 124 && model["devices"][3]["diff_omitted"].as_u64() > Some(0), "a model has a budget: {} rows", rows(&model));
    let person = by_person(&site, &plan).await;
    assert_eq!(rows(&person), 124);
    let last = person["devices"][3]["diff"].as_array().unwrap().last().unwrap();
    assert!(last["after"]["address"].as_str().unwrap().ends_with(",0.0.0.0/0"), "{last}");
    let web = Web::over(site).await;
    let page = signed_in(&web, "anna", Role::Approver).await.get(&format!("/admin/plans/{}", plan["id"].as_str().unwrap())).await;
    assert_eq!(page.body.matches(",0.0.0.0/0").count(), 4, "one for each router");
    assert!(page.body.contains("/approve\"") && !page.body.contains("are not shown here"));
    web.close().await;
}

#[tokio::test]
async fn the_page_says_when_nothing_would_undo_it_and_what_else_was_agreed() {
    let site = listening(&[]).await;
    let drop = add("/ip/firewall/filter", json!({"chain": "input", "action": "drop", "src-address": "203.0.113.0/24"}));
    let reset = json!({"menu": "/ip/firewall/filter", "op": "run", "command": "reset-counters", "match": {"chain": "input"}, "each": true});
    let more = json!({"unguarded": true, "verify": [{"ping": "192.0.2.9"}]});
    let plan = planned(&site, vec![drop.clone(), reset], more).await;
    let guarded = planned(&site, vec![drop], json!({"confirm": "manual"})).await;
    let web = Web::over(site).await;
    let mut anna = signed_in(&web, "anna", Role::Approver).await;
    let page = anna.get(&format!("/admin/plans/{}", plan["id"].as_str().unwrap())).await.body;
    assert_eq!(page.matches("UNGUARDED").count(), 2, "where access is told, and above the button");
    assert!(!page.contains("undone by the router itself"), "it is not");
    for said in ["<b>reset-counters</b>", "ping=192.0.2.9", "It is kept by itself"] {
        assert!(page.contains(said), "{said}");
    }
    let page = anna.get(&format!("/admin/plans/{}", guarded["id"].as_str().unwrap())).await.body;
    assert!(!page.contains("UNGUARDED") && page.contains("a person has 600 s to keep it"));
    web.close().await;
}

#[tokio::test]
async fn persons_read_the_code_that_would_run_and_models_do_not() {
    let site = site(Profile::HomeAp, &[("plan.allow_extreme", "true")]).await;
    let source = ":log info a\n# harmless\n/user add name=x group=full";
    let edit = add("/system/script", json!({"name": "s", "source": source, "policy": "read"}));
    let plan = planned(&site, vec![edit], json!({})).await;
    assert_eq!(plan["devices"][0]["diff"][0]["after"]["source"], "(secret)", "{plan}");
    let person = by_person(&site, &plan).await;
    assert_eq!(person["devices"][0]["diff"][0]["after"]["source"], json!(source.lines().collect::<Vec<_>>()), "line by line");
}

/// A plan of an account whose password is made here: `{"secret": "generate"}`.
async fn with_account(site: &Site) -> Value {
    let account = add("/ppp/secret", json!({"name": "bob", "password": {"secret": "generate"}, "service": "l2tp"}));
    planned(site, vec![account], json!({})).await
}

#[tokio::test]
async fn a_made_secret_is_seen_once_by_a_person_and_only_when_a_router_has_it() {
    let site = listening(&[]).await;
    site.app.dispatch.world().access.add("bert", Role::Approver, Secret::new(PASSWORD)).await.unwrap();
    let plan = with_account(&site).await;
    let id = plan["id"].as_str().unwrap().to_owned();
    assert_eq!(by_person(&site, &plan).await["devices"][0]["diff"][0]["after"]["password"], "(secret) generate");
    let yes = json!({"plan_id": id, "user": "bert", "password": PASSWORD});
    if plan["approvals"]["needed"] != 0 {
        assert!(site.operator("plan.approve", yes.clone()).await.fault.is_none());
    }
    let done = site.good("plan.apply", json!({"plan_id": id, "wait_seconds": 55})).await.structured;
    assert_eq!(done["state"], "confirmed", "{done}");
    assert!(done.get("made").is_none(), "models are not told of it");
    let made = by_person(&site, &plan).await["made"][0].clone();
    assert_eq!((&made["can_be_seen"], &made["attribute"], &made["device"]), (&json!(true), &json!("password"), &json!("edge")), "{made}");
    let which = made["secret"].as_str().unwrap().to_owned();
    let nobody = site.operator("plan.reveal", json!({"plan_id": id, "secret": which})).await;
    assert_eq!(nobody.structured["error"]["kind"], "denied", "{}", nobody.text);
    assert!(site.call("plan.reveal", json!({"plan_id": id, "secret": which})).await.unknown_tool, "no tool of models");
    let rows = site.sim("edge").world().rows("/ppp/secret");
    let bob = rows.iter().find(|row| row.get("name") == Some("bob")).unwrap();
    let on_router = bob.get("password").unwrap().to_owned();

    let web = Web::over(site).await;
    let mut anna = signed_in(&web, "anna", Role::Approver).await;
    let address = format!("/admin/plans/{id}");
    let before = anna.get(&address).await.body;
    assert!(before.contains(&format!("value=\"{which}\"")) && !before.contains(&on_router), "{before}");
    let mut carl = signed_in(&web, "carl", Role::OpsRw).await;
    let refused = carl.form(&format!("{address}/reveal"), &[("secret", &which)]).await;
    assert!(refused.status == 403 && !refused.body.contains(&on_router), "{refused:?}");
    let seen = anna.form(&format!("{address}/reveal"), &[("secret", &which)]).await;
    assert!(seen.status == 200 && seen.body.contains(&format!("<code>{on_router}</code>")), "{seen:?}");
    let again = anna.post(&format!("/admin/api/v1/plans/{id}/reveal"), json!({"secret": which})).await;
    assert!(again.status == 409 && again.body.contains("anna") && !again.body.contains(&on_router), "{again:?}");
    assert!(anna.get(&address).await.body.contains("seen by anna"));
    let token = web.token(Role::Admin).await;
    let path = format!("/admin/api/v1/plans/{id}/reveal");
    let head = format!("Authorization: Bearer {token}\r\nContent-Type: application/json\r\n");
    assert_eq!(web.ask("POST", &path, &head, &json!({"secret": which}).to_string()).await.status, 403, "no token, whatever its role");
    let trail = web.site.operator("audit.get_events", json!({"where": {"tool": "plan.reveal"}})).await;
    assert!(trail.text.contains("seen") && !trail.text.contains(&on_router), "{}", trail.text);
    web.close().await;
}
