//! The admin API: the verbs of the catalogue under addresses, with the same policy as everywhere.

use crate::http_rig::Web;
use routeros_mcp::access::Role;
use routeros_mcp::http::admin::routes::ROUTES;
use serde_json::{Value, json};

const API: &str = "/admin/api/v1";

async fn get(web: &Web, token: &str, path: &str) -> (u16, Value) {
    let answer = web.ask("GET", &format!("{API}{path}"), &format!("Authorization: Bearer {token}\r\n"), "").await;
    (answer.status, serde_json::from_str(&answer.body).unwrap_or_default())
}

async fn send(web: &Web, token: &str, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let headers = format!("Authorization: Bearer {token}\r\nContent-Type: application/json\r\n");
    let answer = web.ask(method, &format!("{API}{path}"), &headers, &body.to_string()).await;
    (answer.status, serde_json::from_str(&answer.body).unwrap_or_default())
}

#[tokio::test]
async fn a_token_reads_what_its_role_reads_and_the_rest_says_what_is_missing() {
    let web = Web::open(&[]).await;
    let reader = web.token(Role::ReadOnly).await;
    let (status, document) = get(&web, &reader, "/devices?limit=5&status=reachable").await;
    assert_eq!((status, &document["total"]), (200, &json!(0)), "{document}");
    let (status, document) = get(&web, &reader, "/devices/nobody").await;
    assert_eq!((status, document["error"]["kind"].as_str()), (404, Some("not_found")), "{document}");
    assert!(document["error"]["correlation_id"].is_string(), "{document}");
    let (status, document) = get(&web, &reader, "/devices?limit=many").await;
    assert_eq!((status, document["error"]["kind"].as_str()), (400, Some("bad_input")), "{document}");
    assert_eq!(get(&web, &reader, "/audit").await.0, 403, "the whole trail takes audit:read");
    assert_eq!(get(&web, &web.token(Role::Approver).await, "/audit").await.0, 200);
    assert_eq!(get(&web, "rmcp_nobody", "/devices").await.0, 401);
    web.close().await;
}

#[tokio::test]
async fn no_token_reaches_what_is_for_persons_whatever_its_role() {
    let web = Web::open(&[]).await;
    let admin = web.token(Role::Admin).await;
    let mut routes = 0;
    for route in ROUTES.iter().filter(|route| route.need().token.is_none()) {
        let path: String = route.path.replace(['{', '}'], "");
        let (status, document) = match route.method {
            "GET" => get(&web, &admin, &path).await,
            method => send(&web, &admin, method, &path, &json!({})).await,
        };
        assert_eq!((status, document["error"]["kind"].as_str()), (403, Some("denied")), "{route:?} {document}");
        routes += 1;
    }
    assert!(routes >= 25, "{routes}");
    let calls = web.calls().await;
    assert_eq!(calls, 0, "none of them reached the spine");
    web.close().await;
}

#[tokio::test]
async fn a_plan_is_drafted_and_looked_at_with_a_token() {
    let web = Web::open(&[]).await;
    let (writer, reader) = (web.token(Role::OpsRw).await, web.token(Role::ReadOnly).await);
    let (status, document) = send(&web, &reader, "POST", "/plans", &json!({})).await;
    assert_eq!((status, document["error"]["kind"].as_str()), (403, Some("denied")), "{document}");
    let (status, document) = send(&web, &writer, "POST", "/plans", &json!({"surprise": 1})).await;
    assert_eq!((status, document["error"]["kind"].as_str()), (400, Some("bad_input")), "{document}");
    assert_eq!(get(&web, &writer, "/plans").await.0, 200);
    web.close().await;
}

#[tokio::test]
async fn what_is_no_request_of_the_api_says_what_would_be() {
    let web = Web::open(&[]).await;
    let token = web.token(Role::OpsRw).await;
    assert_eq!(get(&web, &token, "/nothing").await.0, 404);
    let answer = web.ask("PUT", &format!("{API}/devices"), &format!("Authorization: Bearer {token}\r\n"), "").await;
    assert_eq!((answer.status, answer.header("allow")), (405, Some("GET, POST")), "{answer:?}");
    let plain = format!("Authorization: Bearer {token}\r\nContent-Type: text/plain\r\n");
    assert_eq!(web.ask("POST", &format!("{API}/plans"), &plain, "{}").await.status, 415);
    for body in ["", "[]", "{", "null", &"[".repeat(200)] {
        let headers = format!("Authorization: Bearer {token}\r\nContent-Type: application/json\r\n");
        assert_eq!(web.ask("POST", &format!("{API}/plans"), &headers, body).await.status, 400, "{body:.20}");
    }
    let (status, _) = send(&web, &token, "POST", "/plans?devices=all", &json!({})).await;
    assert_eq!(status, 400, "what changes something stands in the body");
    let (status, _) = send(&web, &token, "POST", "/plans/p1/cancel", &json!({"plan_id": "p2"})).await;
    assert_eq!(status, 400, "an address and a body that disagree");
    web.close().await;
}

#[tokio::test]
async fn the_document_is_there_for_everybody_and_all_its_references_lead_somewhere() {
    fn references(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                found.extend(members.get("$ref").and_then(Value::as_str).map(String::from));
                members.values().for_each(|value| references(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }
    let web = Web::open(&[]).await;
    let answer = web.ask("GET", &format!("{API}/openapi.json"), "", "").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let document: Value = serde_json::from_str(&answer.body).unwrap();
    for path in ["/session", "/session/reauthenticate", "/session/oidc/start", "/events", "/jobs", "/backup", "/cache/flush"] {
        assert!(document["paths"][path].is_object(), "{path}");
    }
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(found.len() > 100, "{}", found.len());
    for reference in found {
        let pointer = reference.strip_prefix('#').unwrap_or_else(|| panic!("{reference} leads out of the document"));
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
    web.close().await;
}

#[tokio::test]
async fn the_limit_of_a_role_is_one_limit_for_mcp_the_api_and_metrics() {
    let web = Web::open(&[("rate_limit.read_only_per_minute", "3")]).await;
    let reader = web.token(Role::ReadOnly).await;
    let ask = |path: &'static str| {
        let (web, headers) = (&web, format!("Authorization: Bearer {reader}\r\n"));
        async move { web.ask("GET", path, &headers, "").await }
    };
    let first = ask("/admin/api/v1/devices").await;
    assert_eq!((first.status, first.header("x-ratelimit-remaining")), (200, Some("2")), "{first:?}");
    assert_eq!(ask("/metrics").await.status, 403);
    assert_eq!(web.say(&reader, "", &crate::http_rig::hello("2025-11-25")).await.status, 200);
    for path in ["/admin/api/v1/devices", "/admin/api/v1/plans", "/metrics"] {
        let more = ask(path).await;
        assert!(more.status == 429 && more.header("retry-after").is_some(), "{path}: {more:?}");
    }
    web.close().await;
}
