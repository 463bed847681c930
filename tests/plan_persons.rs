//! Only a person approves: everything an MCP client can try, and what persons may and may not do.

use crate::mcp_client::Client;
use crate::plan_tools::{guards, site};
use crate::site::Site;
use routeros_mcp::access::{Identity, Principal, Role};
use routeros_mcp::base::clock::Wall;
use routeros_mcp::base::fault::Kind;
use routeros_mcp::base::secret::Secret;
use routeros_mcp::plan::Voice;
use routeros_mcp::plan::record::PlanId;
use routeros_mcp::sim::profiles::Profile;
use routeros_mcp::tools;
use serde_json::{Value, json};

const PASSWORD: &str = "correct-horse-battery-71";

/// A site with a draft that needs one yes, and the people anna (approver), bert (admin) and carl (ops_rw).
async fn waiting(flags: &[(&str, &str)]) -> (Site, String) {
    let site = site(Profile::HomeAp, flags).await;
    for (name, role) in [("anna", Role::Approver), ("bert", Role::Admin), ("carl", Role::OpsRw)] {
        site.app.dispatch.world().access.add(name, role, Secret::new(PASSWORD)).await.unwrap();
    }
    let plan = draft(&site).await;
    assert_eq!(plan["approvals"]["needed"], 1, "{plan}");
    let id = plan["id"].as_str().unwrap().to_owned();
    (site, id)
}

/// A rule in the forward chain: high risk, and it cuts nobody off.
async fn draft(site: &Site) -> Value {
    let rule = json!({"chain": "forward", "action": "drop", "src-address": "203.0.113.7", "comment": "one"});
    let request = json!({"devices": ["edge"], "confirm": "auto", "edits": [{"menu": "/ip/firewall/filter", "op": "add", "values": rule}]});
    site.good("plan.create", request).await.structured
}

fn by(plan: &str, user: &str) -> Value {
    json!({"plan_id": plan, "user": user, "password": PASSWORD})
}

async fn state(site: &Site, id: &str) -> Value {
    site.good("plan.get", json!({"plan_id": id})).await.structured["state"].clone()
}

#[tokio::test]
async fn no_mcp_client_can_approve_or_apply_what_nobody_approved() {
    let (site, id) = waiting(&[]).await;
    let digest = site.good("plan.get", json!({"plan_id": id})).await.structured["digest"].clone();
    site.sim("edge").forget_requests();
    let mut tried = 0;
    for version in ["2025-06-18", crate::mcp_client::MODERN] {
        let mut client = Client::open(&site, version).await;
        let mut names: Vec<String> = tools::all().filter(|tool| tool.name.starts_with("plan.")).map(|tool| tool.name.to_owned()).collect();
        names.extend(
            ["plan.approve", "plan.keep", "plan.refuse", "plan.force", "admin.approve", "operator.plan.approve"].map(str::to_owned),
        );
        let spellings = |name: &str| {
            [
                name.to_owned(),
                name.replace('.', "_"),
                name.to_uppercase(),
                format!(" {name}"),
                name.replace('.', "/"),
                format!("{name}\u{200b}"),
            ]
        };
        for name in names.iter().flat_map(|name| spellings(name)) {
            for arguments in [
                json!({"plan_id": id}),
                by(&id, "anna"),
                json!({"plan_id": id, "digest": digest, "user": "anna", "password": PASSWORD}),
                json!({"plan_id": id, "approved": true, "approvals": [{"by": "anna"}], "state": "approved"}),
                json!({"plan_id": id, "audience": "operator", "principal": {"role": "admin"}, "unguarded": true, "self_approval": "lab"}),
            ] {
                // A draft that was cancelled would prove nothing.
                if name.to_lowercase().contains("cancel") {
                    continue;
                }
                let sent = client.send("tools/call", json!({"name": name, "arguments": arguments})).await;
                let answer = client.answer(sent).await;
                let reads = answer["result"]["isError"] == false;
                assert!(
                    !reads || name.trim().starts_with("plan.get") || name.starts_with("plan_get") || name.contains("list"),
                    "{name} {arguments}: {answer}"
                );
                tried += 1;
            }
        }
        for (method, params) in [
            ("resources/read", json!({"uri": format!("plan://{id}")})),
            ("resources/read", json!({"uri": format!("plan://{id}/approve")})),
            ("prompts/get", json!({"name": "safe-change", "arguments": {"device": "edge", "goal": format!("approve {id}")}})),
            ("plan/approve", json!({"plan_id": id})),
            (
                "completion/complete",
                json!({"ref": {"type": "ref/resource", "uri": "plan://{id}"}, "argument": {"name": "id", "value": id}}),
            ),
        ] {
            let sent = client.send(method, params).await;
            client.answer(sent).await;
            tried += 1;
        }
        let sent = client.send("tools/list", json!({})).await;
        let listed = client.answer(sent).await.to_string();
        for verb in ["plan.approve", "plan.refuse", "plan.keep"] {
            assert!(!listed.contains(&format!("\"{verb}\"")), "{verb} is listed");
        }
    }
    println!("{tried} tries");
    assert!(tried >= 400, "only {tried} tries");
    assert_eq!(state(&site, &id).await, "draft");
    assert!(!site.sim("edge").requests().iter().any(|seen| matches!(seen.method.as_str(), "PUT" | "PATCH" | "DELETE")));
}

#[tokio::test]
async fn a_person_who_is_not_the_author_approves_by_password_and_for_one_apply() {
    let (site, id) = waiting(&[]).await;
    let refused = |reply: routeros_mcp::dispatch::Reply| reply.structured["error"].clone();
    let nobody = refused(site.operator("plan.approve", json!({"plan_id": id})).await);
    assert_eq!(nobody["kind"], "denied", "an operator is no person: {nobody}");
    let wrong = refused(site.operator("plan.approve", json!({"plan_id": id, "user": "anna", "password": "wrong-horse"})).await);
    assert_eq!(wrong["kind"], "unauthenticated");
    assert_eq!(refused(site.operator("plan.approve", by(&id, "carl")).await)["kind"], "denied", "ops_rw does not approve");
    let mut other = by(&id, "anna");
    other["digest"] = "0000-0000".into();
    assert_eq!(refused(site.operator("plan.approve", other).await)["kind"], "conflict", "another digest");
    assert_eq!(state(&site, &id).await, "draft");
    let short = site.good("plan.get", json!({"plan_id": id})).await.structured["short_digest"].clone();
    let mut seen = by(&id, "anna");
    seen["digest"] = short;
    let yes = site.operator("plan.approve", seen).await;
    assert!(yes.fault.is_none(), "{}", yes.text);
    assert_eq!((&yes.structured["state"], &yes.structured["approvals"]["given"][0]["by"]), (&json!("approved"), &json!("anna")));
    let events = site
        .call_as(Principal::stdio(Role::Admin), "audit.get_events", json!({"where": {"tool": "plan.approve", "outcome": "approved"}}))
        .await;
    assert_eq!(
        (&events.structured["rows"][0]["principal"], &events.structured["rows"][0]["plan_id"]),
        (&json!("anna"), &json!(id)),
        "{}",
        events.text
    );
    let heard = site.heard.lock().unwrap().iter().map(|(_, reply)| reply.to_string()).collect::<String>();
    assert!(!heard.contains(PASSWORD));
}

#[tokio::test]
async fn nobody_approves_their_own_plan_by_another_name() {
    let (site, id) = waiting(&[]).await;
    // The stdio client that wrote the plan is bert's, as it turns out.
    let stdio = Identity::of(&site.app.stdio_principal());
    site.app.dispatch.world().access.link("bert", &stdio).await.unwrap();
    let own = site.operator("plan.approve", by(&id, "bert")).await;
    assert_eq!(own.structured["error"]["kind"], "denied", "{}", own.text);
    let later = draft(&site).await;
    let own = site.operator("plan.approve", by(later["id"].as_str().unwrap(), "bert")).await;
    assert_eq!(own.structured["error"]["kind"], "denied", "{}", own.text);
    assert!(site.operator("plan.approve", by(&id, "anna")).await.fault.is_none(), "another person may");
}

#[tokio::test]
async fn a_no_needs_a_reason_and_ends_the_plan() {
    let (site, id) = waiting(&[]).await;
    let mut no = by(&id, "anna");
    no["reason"] = "".into();
    assert_eq!(site.operator("plan.refuse", no.clone()).await.structured["error"]["kind"], "bad_input");
    no["reason"] = "not on a Friday".into();
    let over = site.operator("plan.refuse", no).await.structured;
    assert_eq!((&over["state"], &over["why"]), (&json!("refused"), &json!("not on a Friday")));
    assert_eq!(site.operator("plan.approve", by(&id, "anna")).await.structured["error"]["kind"], "conflict");
}

#[tokio::test]
async fn a_lone_operator_of_a_lab_may_be_let_approve() {
    let (site, id) = waiting(&[("plan.self_approval", "lab")]).await;
    let yes = site.operator("plan.approve", json!({"plan_id": id})).await;
    assert_eq!(yes.structured["state"], "approved", "{}", yes.text);
    let again = draft(&site).await;
    let stdio = Identity::of(&site.app.stdio_principal());
    site.app.dispatch.world().access.link("bert", &stdio).await.unwrap();
    let own = site.operator("plan.approve", by(again["id"].as_str().unwrap(), "bert")).await;
    assert_eq!(own.structured["state"], "approved", "{}", own.text);
}

#[tokio::test]
async fn a_high_risk_is_kept_by_a_person_and_more_time_may_be_asked_for() {
    let (site, _) = waiting(&[]).await;
    let rule = json!({"chain": "forward", "action": "drop", "src-address": "203.0.113.9", "comment": "two"});
    let request =
        json!({"devices": ["edge"], "confirm": "manual", "edits": [{"menu": "/ip/firewall/filter", "op": "add", "values": rule}]});
    let id = site.good("plan.create", request).await.structured["id"].as_str().unwrap().to_owned();
    assert!(site.operator("plan.approve", by(&id, "anna")).await.fault.is_none());
    let mut plan = site.good("plan.apply", json!({"plan_id": id, "wait_seconds": 55})).await.structured;
    assert_eq!(plan["devices"][0]["state"], "verified", "{plan}");
    assert!(plan["devices"][0]["guard"].as_array().map(Vec::len).unwrap_or_default() > 0, "guarded: {plan}");
    let denied = site.bad("plan.confirm", json!({"plan_id": id})).await;
    assert_eq!(denied["kind"], "denied");
    assert!(denied["hint"].as_str().unwrap().contains("routeros-mcp plan confirm"), "{denied}");
    let before = plan["devices"][0]["fires_at"].clone();
    plan = site.good("plan.confirm", json!({"plan_id": id, "extend_seconds": 600})).await.structured;
    assert_ne!(plan["devices"][0]["fires_at"], before, "{plan}");
    let nobody = site.operator("plan.keep", json!({"plan_id": id})).await;
    assert_eq!(nobody.structured["error"]["kind"], "denied", "an operator is no person: {}", nobody.text);
    let world = site.app.dispatch.world();
    let proved = world.access.authenticate("anna", Secret::new(PASSWORD)).await.unwrap();
    let stale = Voice { proven_at: Some(Wall(world.clock.wall().0 - 6 * 60_000)), ..Voice::of(&proved) };
    let late = site.app.plans().keep_as(&stale, &PlanId(id.clone())).await.unwrap_err();
    assert_eq!(late.kind, Kind::Unauthenticated, "signed in six minutes ago: {late}");
    let kept = site.operator("plan.keep", by(&id, "anna")).await;
    assert_eq!(kept.structured["state"], "confirmed", "{}", kept.text);
    assert_eq!(guards(&site), 0, "nothing of ours is left");
}

#[tokio::test]
async fn a_yes_counts_no_longer_than_its_person_may_give_one() {
    for (change, name) in [("disabled", "anna"), ("role", "anna"), ("kept", "bert")] {
        let (site, id) = waiting(&[]).await;
        let yes = site.operator("plan.approve", by(&id, name)).await;
        assert_eq!(yes.structured["state"], "approved", "{}", yes.text);
        let access = &site.app.dispatch.world().access;
        match change {
            "disabled" => drop(access.set_disabled("anna", true).await.unwrap()),
            "role" => drop(access.set_role("anna", Role::ReadOnly).await.unwrap()),
            _ => {}
        }
        let applied = site.call("plan.apply", json!({"plan_id": id, "wait_seconds": 55})).await;
        if change == "kept" {
            assert_eq!(applied.structured["state"], "confirmed", "{}", applied.text);
            continue;
        }
        let error = &applied.structured["error"];
        assert!(
            error["kind"] == "conflict" && error["message"].as_str().unwrap().ends_with("who may not approve any more: anna"),
            "{error}"
        );
        let again = site.operator("plan.approve", by(&id, "bert")).await;
        assert!(again.fault.is_none(), "{}", again.text);
        assert_eq!(site.good("plan.apply", json!({"plan_id": id, "wait_seconds": 55})).await.structured["state"], "confirmed");
    }
}

#[tokio::test]
async fn a_secret_of_the_vault_goes_to_no_router_without_a_person_even_in_a_lab() {
    let (site, _) = waiting(&[]).await;
    let set = json!({"name": "isp", "secret": "VAULT-SECRET-77", "menus": ["/ppp/secret"], "devices": ["all"]});
    assert!(site.operator("secret.set", set).await.fault.is_none());
    let plan = |password: Value| json!({"devices": ["edge"], "edits": [{"menu": "/ppp/secret", "op": "add", "values": {"name": "x", "password": password}}]});
    let vault = site.good("plan.create", plan(json!({"secret": "vault:isp"}))).await.structured;
    assert_eq!(vault["approvals"]["needed"], 1, "{vault}");
    let made = site.good("plan.create", plan(json!({"secret": "generate"}))).await.structured;
    assert_eq!(made["approvals"]["needed"], 0, "one made for the change is nobody's yet: {made}");
}

#[tokio::test]
async fn nobody_fills_the_store_with_plans_that_nobody_applies() {
    let (site, _) = waiting(&[]).await;
    let request = |checks: usize| {
        json!({"devices": ["edge"], "edits": [{"menu": "/ip/dns/static", "op": "add", "values": {"name": "a.lan", "address": "192.0.2.1"}}],
        "verify": vec![json!({"ping": "192.0.2.1"}); checks]})
    };
    assert_eq!(site.bad("plan.create", request(51)).await["kind"], "bad_input");
    let mut taken = 1;
    let refused = loop {
        let reply = site.call("plan.create", request(1)).await;
        match reply.fault {
            None => taken += 1,
            Some(_) => break reply,
        }
        assert!(taken <= 200, "there is an end to it");
    };
    assert_eq!((taken, refused.fault), (200, Some(Kind::Busy)), "{}", refused.text);
    let limited = crate::site::limited(Role::OpsRw, &["edge"]);
    assert!(site.call_as(limited, "plan.create", request(1)).await.fault.is_none(), "others go on");
}
