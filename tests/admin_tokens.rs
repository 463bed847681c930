//! What a bearer token reaches at the admin API, route by route and role by role; and forgetting kept answers.

use crate::admin_rig::{Browser, OURS, PASSWORD, signed_in};
use crate::http_rig::{Answer, Web};
use crate::site::{Site, limited};
use routeros_mcp::access::policy::{self, Decision, Rules};
use routeros_mcp::access::{Principal, Role};
use routeros_mcp::base::fault::Kind;
use routeros_mcp::base::secret::Secret;
use routeros_mcp::base::tier::{Effect, Environment};
use routeros_mcp::dispatch::Call;
use routeros_mcp::http::admin::routes::ROUTES;
use routeros_mcp::routeros::pin::format_fingerprint;
use routeros_mcp::sim::profiles::Profile;
use routeros_mcp::tools::spec::Audience;
use serde_json::{Value, json};
use std::sync::Arc;

const API: &str = "/admin/api/v1";
const FLUSH: &str = "/admin/cache/flush";

async fn ask(web: &Web, token: &str, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let mut headers = format!("Authorization: Bearer {token}\r\n");
    let mut text = String::new();
    if method != "GET" {
        headers.push_str("Content-Type: application/json\r\n");
        text = body.to_string();
    }
    let answer = web.ask(method, &format!("{API}{path}"), &headers, &text).await;
    assert!(answer.status != 401 || answer.header("www-authenticate").is_some(), "{answer:?}");
    (answer.status, serde_json::from_str(&answer.body).unwrap_or_default())
}

/// An appliance that looks after one router.
async fn with_router(name: &str) -> Web {
    let flags = [("mcp.transport", "both"), ("mcp.http_port", "0"), ("health_check.enabled", "false"), ("rate_limit.enabled", "false")];
    let mut site = Site::bare(&flags).await;
    site.adopt(Profile::Office, name, crate::plan_tools::opened()).await;
    Web::over(site).await
}

#[tokio::test]
async fn a_token_reads_what_a_person_of_its_role_reads() {
    let web = with_router("edge").await;
    let mut reads = 0;
    for role in Role::ALL {
        let token = web.token(role).await;
        for route in ROUTES.iter().filter(|route| route.method == "GET") {
            let tool = route.verb().unwrap();
            if tool.effect != Effect::Reads {
                continue;
            }
            let path = route.path.replace("{device}", "edge").replace('{', "no-").replace('}', "");
            let (status, document) = ask(&web, &token, "GET", &path, &Value::Null).await;
            let policy = policy::decide(&Principal::stdio(role), &tool.target(), &Rules::open(Environment::Lab));
            let trail = tool.category() == "audit" && !role.sees_all_events();
            let may = policy == Decision::Allow && !trail;
            assert_eq!(status == 403, !may, "{route:?} as {}: {status} {document}", role.as_str());
            assert!(matches!(status, 200 | 400 | 403 | 404), "{route:?} as {}: {status} {document}", role.as_str());
            reads += 1;
        }
    }
    assert!(reads >= 100, "only {reads} reads");
    web.close().await;
}

#[tokio::test]
async fn an_administrators_token_looks_after_routers_and_no_other_token_does() {
    let web = with_router("edge").await;
    let admin = web.token(Role::Admin).await;
    let (status, document) = ask(&web, &admin, "POST", "/devices/edge/test", &json!({})).await;
    assert_eq!((status, document["name"].as_str()), (200, Some("edge")), "{document}");
    let (status, document) = ask(&web, &admin, "PATCH", "/devices/edge", &json!({"tags": ["site=north"]})).await;
    assert_eq!((status, &document["tags"]), (200, &json!({"site": "north"})), "{document}");
    assert_eq!(ask(&web, &admin, "POST", "/devices", &json!({})).await.0, 400, "it reaches the verb");
    for (role, said) in [(Role::ReadOnly, "scope"), (Role::Approver, "scope"), (Role::OpsRw, "role")] {
        let token = web.token(role).await;
        for (method, path) in [
            ("POST", "/devices"),
            ("PATCH", "/devices/edge"),
            ("DELETE", "/devices/edge"),
            ("POST", "/devices/edge/test"),
            ("POST", "/devices/edge/pins"),
            ("POST", "/devices/edge/rotate"),
            ("POST", "/devices/edge/decommission"),
            ("POST", "/devices/import"),
        ] {
            let (status, document) = ask(&web, &token, method, path, &json!({})).await;
            let word = document["error"]["message"].as_str().unwrap_or_default();
            assert!(status == 403 && word.contains(said), "{method} {path} as {}: {status} {document}", role.as_str());
        }
    }
    let answer = web.ask("DELETE", &format!("{API}/devices/edge"), &format!("Authorization: Bearer {admin}\r\n"), "").await;
    assert_eq!((answer.status, web.site.app.dispatch.world().fleet.len()), (200, 0), "{answer:?}");
    let trail = web.site.operator("audit.get_events", json!({"limit": 500, "where": {"tool": "device.remove"}})).await;
    assert!(trail.structured["rows"].as_array().is_some_and(|rows| !rows.is_empty()), "{}", trail.text);
    web.close().await;
}

#[tokio::test]
async fn a_token_sends_no_stored_login_to_another_place() {
    let web = with_router("edge").await;
    let admin = web.token(Role::Admin).await;
    let before = web.site.sim("edge").requests().len();
    for change in [json!({"address": "192.0.2.9"}), json!({"rest_port": 4443}), json!({"ssh_port": 2222})] {
        let (status, document) = ask(&web, &admin, "PATCH", "/devices/edge", &change).await;
        assert_eq!((status, document["error"]["kind"].as_str()), (403, Some("denied")), "{change}: {document}");
    }
    let other = json!({"tls_fingerprint": format!("sha256:{}", "ab".repeat(32))});
    let (status, document) = ask(&web, &admin, "POST", "/devices/edge/pins", &other).await;
    assert_eq!((status, document["error"]["kind"].as_str()), (403, Some("denied")), "whoever shows that would hear it: {document}");
    let same = json!({"tls_fingerprint": format_fingerprint(&web.site.sim("edge").fingerprint())});
    assert_eq!(web.site.sim("edge").requests().len(), before, "nobody was asked");
    assert_eq!(ask(&web, &admin, "POST", "/devices/edge/pins", &same).await.0, 200, "what is pinned already gives nothing away");
    web.close().await;
}

#[tokio::test]
async fn whoever_is_limited_to_some_routers_gives_nobody_more() {
    let web = with_router("edge").await;
    let world = web.site.app.dispatch.world();
    world.access.add("bert", Role::Admin, Secret::new(PASSWORD)).await.unwrap();
    let asked = |tool: &str, arguments: Value| {
        let arguments = arguments.as_object().unwrap().clone();
        web.site.app.dispatch.call(Call::new(tool, arguments, Arc::new(limited(Role::Admin, &["edge"])), Audience::Operator))
    };
    let token = |name: &str, devices: Value| json!({"name": name, "role": "ops_rw", "devices": devices, "digest": "ab".repeat(32)});
    for (tool, arguments) in [
        ("token.create", token("a", json!(["all"]))),
        ("user.add", json!({"name": "carl", "role": "read_only", "password": PASSWORD})),
        ("user.set_password", json!({"name": "bert", "password": PASSWORD})),
        ("user.set_role", json!({"name": "bert", "role": "read_only"})),
        ("user.disable", json!({"name": "bert"})),
        ("user.link", json!({"name": "bert", "identity": "local|stdio"})),
    ] {
        let reply = asked(tool, arguments).await;
        assert_eq!(reply.fault, Some(Kind::Denied), "{tool}: {}", reply.text);
    }
    let own = asked("token.create", token("b", json!(["edge"]))).await;
    assert!(own.fault.is_none(), "{}", own.text);
    web.close().await;
}

#[tokio::test]
async fn a_reader_has_nobody_connect_to_places_that_are_no_routers_of_ours() {
    let web = with_router("edge").await;
    for (role, reaches) in [(Role::ReadOnly, false), (Role::Approver, false), (Role::OpsRw, true)] {
        let mut person = signed_in(&web, role.as_str(), role).await;
        let place = json!({"address": "127.0.0.1", "rest_port": 9, "ssh_port": 9});
        let answer = person.post("/admin/api/v1/devices/present", place).await;
        assert_eq!(answer.body.contains("connects to no new places") || answer.status == 403, !reaches, "{}: {answer:?}", role.as_str());
    }
    web.close().await;
}

#[tokio::test]
async fn more_tokens_than_one_list_shows_are_all_on_the_page() {
    let web = with_router("edge").await;
    for n in 0..=500_u32 {
        web.token_as(Some(Role::ReadOnly), |wanted| wanted.name = format!("t{n:03}")).await;
    }
    let page = signed_in(&web, "anna", Role::Admin).await.get("/admin/people").await.body;
    assert!(page.contains(">t000<") && page.contains(">t500<"), "the first and the last");
    web.close().await;
}

#[tokio::test]
async fn whoever_makes_a_token_does_not_approve_what_is_planned_with_it() {
    let web = with_router("edge").await;
    let mut anna = signed_in(&web, "anna", Role::Admin).await;
    let fields = [("name", "assistant"), ("role", "ops_rw"), ("devices", "all")];
    let page = anna.form("/admin/tokens", &fields).await;
    assert_eq!(page.status, 200, "{page:?}");
    let made = web.site.operator("token.list", json!({})).await.structured["rows"][0].clone();
    assert_eq!(made["owner"], "anna", "{made}");
    let token = page
        .body
        .split(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '-'))
        .find(|word| word.starts_with("rmcp_"))
        .unwrap()
        .to_owned();
    let rule =
        json!({"menu": "/ip/firewall/filter", "op": "add", "values": {"chain": "forward", "action": "drop", "src-address": "203.0.113.7"}});
    let (status, plan) = ask(&web, &token, "POST", "/plans", &json!({"devices": ["edge"], "edits": [rule]})).await;
    assert_eq!(status, 201, "{plan}");
    let refused = anna.post(&format!("/admin/api/v1/plans/{}/approve", plan["id"].as_str().unwrap()), json!({})).await;
    assert!(refused.status == 403 && refused.body.contains("nobody approves a plan of their own"), "{refused:?}");
    web.close().await;
}

#[tokio::test]
async fn what_is_secret_is_in_no_answer_to_a_token() {
    let web = with_router("edge").await;
    let planted = "Planted-psk-4711";
    let set = web
        .site
        .operator("secret.set", json!({"name": "psk", "secret": planted, "menus": ["/interface/wifi/security"], "devices": ["all"]}))
        .await;
    assert!(set.fault.is_none(), "{}", set.text);
    let admin = web.token(Role::Admin).await;
    let password = web.site.sim("edge").credentials().mcp.password.expose().to_owned();
    let mut read = 0;
    for route in ROUTES.iter().filter(|route| route.method == "GET") {
        let path = route.path.replace("{device}", "edge").replace('{', "no-").replace('}', "");
        let answer = web.ask("GET", &format!("{API}{path}"), &format!("Authorization: Bearer {admin}\r\n"), "").await;
        for secret in [planted, password.as_str(), admin.as_str()] {
            assert!(!answer.body.contains(secret), "{path} tells a secret");
        }
        read += usize::from(answer.status == 200);
    }
    assert!(read >= 20, "only {read} were read");
    web.close().await;
}

#[tokio::test]
async fn a_program_without_a_token_has_what_models_have_and_no_more() {
    let flags = [("auth.allow_anonymous_loopback", "true"), ("mcp.stdio_role", "admin")];
    let web = Web::open(&flags).await;
    let asks = async |method: &str, path: &str| web.ask(method, path, "", "").await;
    assert_eq!(asks("GET", "/admin/api/v1/devices").await.status, 200);
    for (method, path) in [
        ("GET", "/admin/api/v1/users"),
        ("GET", "/admin/api/v1/settings"),
        ("POST", "/admin/api/v1/devices/edge/decommission"),
        ("POST", FLUSH),
    ] {
        let answer = asks(method, path).await;
        assert!(answer.status == 401 && answer.header("www-authenticate").is_some(), "{method} {path}: {answer:?}");
    }
    web.close().await;
}

#[tokio::test]
async fn every_401_says_how_to_be_somebody() {
    let web = Web::open(&[]).await;
    let mut browser = Browser::of(&web);
    let wrong = json!({"user": "nobody", "password": "wrong-wrong-wrong"});
    let setup = json!({"token": "wrong", "user": "anna", "password": "correct-horse-71"});
    let answers: [Answer; 5] = [
        browser.get("/admin/api/v1/session").await,
        browser.get("/admin/api/v1/session/all").await,
        browser.post("/admin/api/v1/session", wrong).await,
        browser.post("/admin/api/v1/session/reauthenticate", json!({"password": "x"})).await,
        browser.post("/admin/api/v1/setup", setup).await,
    ];
    let events = browser.get("/admin/api/v1/events").await;
    let challenge = events.header("www-authenticate").unwrap_or_default();
    assert!(events.status == 401 && challenge.contains("resource_metadata=") && challenge.contains("mcp:read"), "{events:?}");
    for answer in &answers {
        let metadata = format!("Bearer resource_metadata=\"http://{}/.well-known/oauth-protected-resource/mcp\"", web.at());
        assert_eq!((answer.status, answer.header("www-authenticate")), (401, Some(metadata.as_str())), "{answer:?}");
    }
    web.close().await;
}

#[tokio::test]
async fn the_digest_of_a_new_token_is_not_for_callers_to_give_or_to_hear_of() {
    let web = Web::open(&[]).await;
    let mut anna = signed_in(&web, "anna", Role::Admin).await;
    let good = json!({"name": "a", "role": "read_only", "devices": ["all"]});
    let mut with = good.clone();
    with["digest"] = "a".repeat(64).into();
    for (given, said) in [(json!({"name": "a", "role": "read_only"}), "devices is missing"), (with, "digest is not an argument")] {
        let refused = anna.post("/admin/api/v1/tokens", given).await;
        let error = &refused.message()["error"];
        let (message, hint) = (error["message"].as_str().unwrap(), error["hint"].as_str().unwrap());
        assert!(refused.status == 400 && message.contains(said) && !hint.contains("digest"), "{refused:?}");
    }
    let mut more = good.clone();
    more["colour"] = "red".into();
    assert_eq!(anna.post("/admin/api/v1/tokens", more).await.status, 400);
    assert_eq!(anna.post("/admin/api/v1/tokens", good).await.status, 201);
    web.close().await;
}

#[tokio::test]
async fn kept_answers_are_forgotten_when_an_administrator_says_so() {
    let web = with_router("edge").await;
    let (admin, ops, reader) = (web.token(Role::Admin).await, web.token(Role::OpsRw).await, web.token(Role::ReadOnly).await);
    let read = async || {
        let answer = web.modern(&admin, "resources/read", json!({"uri": "device://edge/overview"})).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        web.site.sim("edge").requests().len()
    };
    let first = read().await;
    assert_eq!(read().await, first, "kept");
    let flush = async |headers: String, body: &str| web.ask("POST", FLUSH, &headers, body).await;
    let with = |token: &str| format!("Authorization: Bearer {token}\r\n");
    for (headers, status) in [(String::new(), 401), (with("rmcp_nobody"), 401), (with(&reader), 403), (with(&ops), 403)] {
        let answer = flush(headers, "").await;
        let document: Value = serde_json::from_str(&answer.body).unwrap();
        assert!(answer.status == status && document["error"]["kind"].is_string(), "{answer:?}");
        assert!(status != 401 || answer.header("www-authenticate").is_some(), "{answer:?}");
    }
    assert_eq!(read().await, first, "still kept");
    let done = flush(with(&admin), "").await;
    let document: Value = serde_json::from_str(&done.body).unwrap();
    assert!(done.status == 200 && document["flushed"].as_u64().is_some_and(|flushed| flushed > 0), "{done:?}");
    assert!(read().await > first, "the router was asked again");
    let again = flush(format!("{}Content-Type: application/json\r\n", with(&admin)), "{}").await;
    assert_eq!(again.status, 200, "{again:?}");
    assert_eq!(flush(format!("{}Content-Type: application/json\r\n", with(&admin)), "{\"all\":1}").await.status, 400);
    let wrong = web.ask("GET", FLUSH, &with(&admin), "").await;
    assert_eq!((wrong.status, wrong.header("allow")), (405, Some("POST")), "{wrong:?}");

    let mut anna = signed_in(&web, "anna", Role::Admin).await;
    assert_eq!(anna.send("POST", FLUSH, OURS, "").await.status, 200);
    assert_eq!(anna.send("POST", FLUSH, "Sec-Fetch-Site: cross-site\r\n", "").await.status, 403, "another site empties nothing");
    let mut otto = signed_in(&web, "otto", Role::OpsRw).await;
    assert_eq!(otto.post(FLUSH, json!({})).await.status, 403);
    let trail = web.site.operator("audit.get_events", json!({"limit": 100, "where": {"tool": "cache.flush"}})).await;
    let mut outcomes: Vec<&str> = trail.structured["rows"].as_array().unwrap().iter().filter_map(|row| row["outcome"].as_str()).collect();
    outcomes.sort_unstable();
    assert_eq!(outcomes, ["denied", "denied", "ok", "ok", "ok"], "{}", trail.text);
    web.close().await;
}
