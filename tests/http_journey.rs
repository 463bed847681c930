//! Journeys over HTTP: sessions, requests without one, whose they are, and the same answers as on stdio.

use crate::http_rig::{JSON, PATIENCE, Web, call, hello, in_session};
use crate::mcp_client::{Client, LEGACY, MODERN};
use crate::site::Site;
use routeros_mcp::access::Role;
use routeros_mcp::sim::faults::{Fault, Rule};
use routeros_mcp::sim::profiles::Profile;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// A stream that listens, up to the end of its head.
async fn stream(web: &Web, token: &str, session: &str) -> BufReader<TcpStream> {
    let mut stream = BufReader::new(TcpStream::connect(web.at()).await.unwrap());
    let head = format!(
        "GET /mcp HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAccept: text/event-stream\r\nAuthorization: Bearer {token}\r\n{}\r\n",
        in_session(session)
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    assert!(until(&mut stream, "\r\n").await.starts_with("HTTP/1.1 200 "));
    stream
}

/// Reads up to the first line that ends so.
async fn until(stream: &mut BufReader<TcpStream>, end: &str) -> String {
    let mut line = String::new();
    let read = async {
        loop {
            line.clear();
            if stream.read_line(&mut line).await.unwrap_or(0) == 0 || line.ends_with(end) {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, read).await.expect("a line in time");
    line
}

#[tokio::test]
async fn a_session_begins_works_and_ends() {
    let web = Web::open(&[]).await;
    let token = web.token(Role::OpsRw).await;
    for version in LEGACY {
        let begun = web.say(&token, "", &hello(version)).await;
        assert_eq!(begun.message()["result"]["protocolVersion"], version);
        let id = begun.header("mcp-session-id").unwrap();
        assert!(id.len() >= 32, "not to be guessed: {id}");
        let session = format!("Mcp-Session-Id: {id}\r\nMCP-Protocol-Version: {version}\r\n");
        let told = web.say(&token, &session, &json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await;
        assert_eq!((told.status, told.body.as_str()), (202, ""));
        let listed = web.say(&token, &session, &json!({"jsonrpc": "2.0", "id": 2, "method": "tools/list"})).await.message();
        assert!(listed["result"]["tools"].as_array().unwrap().len() > 20);
        let called = web.say(&token, &session, &call("device.list", json!({}))).await.message();
        assert_eq!(called["result"]["structuredContent"]["total"], 0, "{called}");
        let ended = web.ask("DELETE", "/mcp", &format!("Authorization: Bearer {token}\r\n{session}"), "").await;
        assert_eq!(ended.status, 204, "{ended:?}");
        let gone = web.say(&token, &session, &call("device.list", json!({}))).await;
        assert_eq!((gone.status, &gone.message()["error"]["code"]), (404, &json!(-32001)));
    }
    web.close().await;
}

#[tokio::test]
async fn a_request_of_2026_07_28_needs_no_session_and_is_answered_in_json() {
    let web = Web::open(&[]).await;
    let token = web.token(Role::OpsRw).await;
    let found = web.modern(&token, "server/discover", json!({})).await;
    assert_eq!((found.status, found.header("content-type"), found.header("mcp-session-id")), (200, Some("application/json"), None));
    assert!(found.message()["result"]["supportedVersions"].as_array().unwrap().contains(&json!(MODERN)), "{found:?}");
    let called = web.modern(&token, "tools/call", json!({"name": "device.list", "arguments": {}})).await;
    assert_eq!(called.message()["result"]["structuredContent"]["total"], 0, "{called:?}");
    let unknown = web.modern(&token, "no/such", json!({})).await;
    assert_eq!((unknown.status, &unknown.message()["error"]["code"]), (404, &json!(-32601)));
    for method in ["initialize", "ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe"] {
        let gone = web.modern(&token, method, json!({"level": 7, "uri": 7})).await;
        assert_eq!((gone.status, &gone.message()["error"]["code"]), (404, &json!(-32601)), "{method}, whatever its params");
    }
    let other = "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/list\r\n";
    let mixed = web.say(&token, other, &crate::http_rig::modern("server/discover", json!({}))).await;
    assert_eq!(mixed.status, 400, "headers and body differ: {mixed:?}");
    let none = web.say(&token, "", &call("device.list", json!({}))).await;
    assert_eq!(none.status, 400, "neither a session nor a version: {none:?}");
    web.close().await;
}

/// What differs from one answer to the next: ids, and times wherever they stand.
fn scrubbed(mut answer: Value) -> Value {
    const VARY: [&str; 7] = ["correlation_id", "read_at", "age_ms", "cached", "nextCursor", "last_seen", "uptime_seconds"];
    fn scrub(value: &mut Value) {
        match value {
            Value::Object(members) => {
                members.retain(|name, _| !VARY.contains(&name.as_str()));
                members.values_mut().for_each(scrub);
            }
            Value::Array(items) => items.iter_mut().for_each(scrub),
            Value::String(text) if text.len() == "2026-11-26T18:15:15.732Z".len() && text.ends_with('Z') => *text = "a time".into(),
            // A document within the answer.
            Value::String(text) if text.starts_with('{') => {
                if let Ok(mut inner) = serde_json::from_str(text) {
                    scrub(&mut inner);
                    *text = inner.to_string();
                }
            }
            _ => {}
        }
    }
    scrub(&mut answer);
    answer.as_object_mut().unwrap().remove("id");
    answer
}

#[tokio::test]
async fn http_and_stdio_give_the_same_answers() {
    let site = Site::of(&[Profile::HomeAp], &[("mcp.transport", "both"), ("mcp.http_port", "0"), ("rate_limit.enabled", "false")]).await;
    let web = Web::over(site).await;
    let token = web.token(Role::OpsRw).await;
    let asks = [
        ("tools/list", json!({})),
        ("resources/list", json!({})),
        ("resources/templates/list", json!({})),
        ("prompts/list", json!({})),
        ("resources/read", json!({"uri": "docs://tools"})),
        ("resources/read", json!({"uri": "fleet://summary"})),
        ("resources/read", json!({"uri": "device://home-ap/overview"})),
        ("resources/read", json!({"uri": "device://home-ap/interfaces"})),
        ("resources/read", json!({"uri": "device://nowhere/health"})),
        ("resources/read", json!({"uri": "nothing://there"})),
        ("resources/read", json!({"uri": 7})),
        ("resources/list", json!({"cursor": "not-ours"})),
        ("resources/subscribe", json!({"uri": "device://home-ap/health"})),
        ("resources/subscribe", json!({"uri": "nothing://there"})),
        ("resources/unsubscribe", json!({"uri": "device://home-ap/health"})),
        ("prompts/get", json!({"name": "troubleshoot-device", "arguments": {"device": "home-ap", "symptom": "slow"}})),
        ("prompts/get", json!({"name": "safe-change", "arguments": {}})),
        ("prompts/get", json!({"name": "no-such-prompt"})),
        ("prompts/list", json!({"cursor": "not-ours"})),
        (
            "completion/complete",
            json!({"ref": {"type": "ref/resource", "uri": "device://{id}/health"}, "argument": {"name": "id", "value": "ho"}}),
        ),
        (
            "completion/complete",
            json!({"ref": {"type": "ref/prompt", "name": "troubleshoot-device"}, "argument": {"name": "device", "value": ""}}),
        ),
        ("completion/complete", json!({"ref": {"type": "ref/prompt", "name": "no-such-prompt"}, "argument": {"name": "x", "value": ""}})),
        ("completion/complete", json!({"ref": 7})),
        ("server/discover", json!({})),
        ("ping", json!({})),
        ("logging/setLevel", json!({"level": "info"})),
        ("tools/list", json!({"cursor": "not-ours"})),
        ("tools/call", json!({"arguments": {}})),
        ("tools/call", json!({"name": "tools.search", "arguments": {"query": "dhcp"}})),
        ("tools/call", json!({"name": "menu.read", "arguments": {"device": "home-ap", "menu": "/no/such"}})),
        ("tools/call", json!({"name": "system.set_identity", "arguments": {"device": "home-ap", "name": "x", "dry_run": true}})),
        ("tools/call", json!({"name": "plan.get", "arguments": {"plan_id": "plan-none"}})),
        ("tools/call", json!({"name": "device.list", "arguments": {}})),
        ("tools/call", json!({"name": "device.get", "arguments": {"device": "nowhere"}})),
        ("tools/call", json!({"name": "ip.list_addresses", "arguments": {"device": "home-ap"}})),
        ("tools/call", json!({"name": "menu.read", "arguments": {"device": "home-ap", "menu": "/ip/dns"}})),
        ("tools/call", json!({"name": "no.such_tool", "arguments": {}})),
        ("tools/call", json!({"name": "device.remove", "arguments": {}})),
        ("tools/call", json!({"name": "plan.create", "arguments": {"edits": 7}})),
        ("no/such_method", json!({})),
    ];
    // What is first asked of a router leaves something behind: its health.
    web.modern(&token, "prompts/get", json!({"name": "troubleshoot-device", "arguments": {"device": "home-ap"}})).await;
    let mut compared = 0;
    for version in LEGACY.into_iter().chain([MODERN]) {
        let principal = web.bearer(&token).await.principal;
        let mut stdio = Client::of(&web.site, principal, version).await;
        let session = if version == MODERN { String::new() } else { web.session(&token).await };
        for (method, params) in &asks {
            if *method == "server/discover" && version != MODERN {
                // Refused without its headers before it is anybody's request; rmcp has other words for that over HTTP.
                continue;
            }
            let id = stdio.send(method, params.clone()).await;
            let over_stdio = stdio.answer(id).await;
            let over_http = if version == MODERN {
                web.modern(&token, method, params.clone()).await
            } else {
                let message = json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": params});
                web.say(&token, &in_session(&session), &message).await
            };
            let (one, other) = (scrubbed(over_stdio).to_string(), scrubbed(over_http.message()).to_string());
            let differs = one.bytes().zip(other.bytes()).position(|(a, b)| a != b).unwrap_or(one.len().min(other.len())).saturating_sub(80);
            assert!(one == other, "{version} {method} {params}:\n{:.300}\n{:.300}", &one[differs..], &other[differs..]);
            compared += 1;
        }
        stdio.stop.cancel();
    }
    assert_eq!(compared, asks.len() * 5 - LEGACY.len());
    web.close().await;
}

#[tokio::test]
async fn a_session_is_its_owners_alone() {
    let web = Web::open(&[]).await;
    let (anna, bert) = (web.token(Role::Admin).await, web.token(Role::Admin).await);
    let session = web.session(&anna).await;
    let auth = format!("Authorization: Bearer {bert}\r\n");
    let never = "Mcp-Session-Id: 5d5a9a5e-0000-4000-8000-000000000000\r\nMCP-Protocol-Version: 2025-11-25\r\n";
    for (method, more, body) in [
        ("POST", JSON, call("device.list", json!({})).to_string()),
        ("GET", "Accept: text/event-stream\r\n", String::new()),
        ("GET", "Accept: text/event-stream\r\nLast-Event-ID: 0\r\n", String::new()),
        ("DELETE", "", String::new()),
    ] {
        let of_anna = web.ask(method, "/mcp", &format!("{more}{auth}{}", in_session(&session)), &body).await;
        let of_nobody = web.ask(method, "/mcp", &format!("{more}{auth}{never}"), &body).await;
        assert_eq!((of_anna.status, of_nobody.status), (404, 404), "{method}");
        assert_eq!(of_anna.body, of_nobody.body, "whether there is such a session is not told");
    }
    assert_eq!(web.say(&anna, &in_session(&session), &call("device.list", json!({}))).await.status, 200);
    web.close().await;
}

#[tokio::test]
async fn a_call_beyond_the_tokens_scopes_is_challenged_before_its_tool_runs() {
    let web = Web::open(&[]).await;
    let (reader, ops) = (web.token(Role::ReadOnly).await, web.token(Role::OpsRw).await);
    let metrics = web.token_as(None, |_| {}).await;
    for (token, tool, scope) in [
        (&reader, "system.set_identity", "mcp:write"),
        (&reader, "system_set_identity", "mcp:write"),
        (&reader, "plan.create", "mcp:plan"),
        (&reader, "plan.confirm", "mcp:plan"),
        (&metrics, "device.list", "mcp:read"),
    ] {
        let answer = web.say(token, "", &call(tool, json!({}))).await;
        let challenge = answer.header("www-authenticate").unwrap();
        assert_eq!(answer.status, 403, "{tool}: {answer:?}");
        let expected = format!(
            "Bearer error=\"insufficient_scope\", scope=\"{scope}\", resource_metadata=\"http://localhost/.well-known/oauth-protected-resource/mcp\""
        );
        assert_eq!(challenge, expected, "{tool}");
        let error = &answer.message()["error"];
        assert!(error["code"] == -32600 && error["message"].as_str().unwrap().contains(scope), "clients show this: {error}");
        assert_eq!(error["data"]["kind"], "denied");
    }
    assert_eq!(web.calls().await, 0, "no tool ran");
    let allowed = web.modern(&ops, "tools/call", json!({"name": "system.set_identity", "arguments": {}})).await;
    assert_eq!(allowed.message()["result"]["structuredContent"]["error"]["kind"], "bad_input", "{allowed:?}");
    // What operators do is not there for a token, whatever its role.
    let admin = web.token(Role::Admin).await;
    for tool in ["plan.approve", "plan.refuse", "user.add", "token.create", "secret.set", "device.remove"] {
        let answer = web.modern(&admin, "tools/call", json!({"name": tool, "arguments": {}})).await.message();
        assert_eq!(answer["error"]["code"], -32602, "{tool}: {answer}");
    }
    web.close().await;
}

#[tokio::test]
async fn a_token_is_kept_to_its_devices() {
    let site = Site::of(&[Profile::HomeAp], &[("mcp.transport", "http"), ("mcp.http_port", "0")]).await;
    let web = Web::over(site).await;
    let all = web.token(Role::ReadOnly).await;
    let other = web.token_as(Some(Role::ReadOnly), |token| token.devices = vec!["elsewhere".parse().unwrap()]).await;
    for (token, seen) in [(&all, 1), (&other, 0)] {
        let listed = web.modern(token, "tools/call", json!({"name": "device.list", "arguments": {}})).await.message();
        assert_eq!(listed["result"]["structuredContent"]["total"], seen);
    }
    web.close().await;
}

#[tokio::test]
async fn a_correlation_id_goes_through_to_the_trail() {
    let web = Web::open(&[]).await;
    let token = web.token(Role::ReadOnly).await;
    let id = "0199beef-1111-4222-8333-444455556666";
    let session = web.session(&token).await;
    let answer = web.say(&token, &format!("{}X-Correlation-ID: {id}\r\n", in_session(&session)), &call("device.list", json!({}))).await;
    assert_eq!(answer.header("x-correlation-id"), Some(id));
    assert_eq!(answer.message()["result"]["_meta"]["correlation_id"], id);
    let trail = web.site.operator("audit.get_events", json!({})).await.structured.to_string();
    assert!(trail.contains(id), "{trail}");
    let other = "0199beef-1111-4222-8333-444455556677";
    let read = json!({"jsonrpc": "2.0", "id": 7, "method": "resources/read", "params": {"uri": "fleet://summary"}});
    let answer = web.say(&token, &format!("{}X-Correlation-ID: {other}\r\n", in_session(&session)), &read).await;
    assert_eq!(answer.header("x-correlation-id"), Some(other), "{answer:?}");
    let trail = web.site.operator("audit.get_events", json!({})).await.structured.to_string();
    assert!(trail.contains(other), "a resource is a call as well: {trail}");
    let made = web.ask("GET", "/health/live", "X-Correlation-ID: not-a-uuid\r\n", "").await;
    assert!(made.header("x-correlation-id").is_some_and(|made| made.len() == 36));
    web.close().await;
}

#[tokio::test]
async fn a_revoked_token_ends_with_its_next_request_and_its_use_is_noted() {
    let web = Web::open(&[]).await;
    let token = web.token_as(Some(Role::ReadOnly), |token| token.name = "ci".into()).await;
    let session = web.session(&token).await;
    let mut open = stream(&web, &token, &session).await;
    let listed = web.site.operator("token.list", json!({})).await.structured;
    assert!(listed["rows"][0]["last_used"].is_string() && listed["rows"][0]["state"] == "active", "{listed}");
    assert!(!listed.to_string().contains("rmcp_"), "{listed}");
    web.site.operator("token.revoke", json!({"id": "ci"})).await;
    let refused = web.say(&token, &in_session(&session), &call("device.list", json!({}))).await;
    assert_eq!(refused.status, 401, "{refused:?}");
    assert_eq!(until(&mut open, "\u{0}").await, "", "its open stream ends as well");
    web.close().await;
}

#[tokio::test]
async fn stopping_ends_open_streams_at_once_and_takes_no_more() {
    let web = Web::open(&[("shutdown.drain_seconds", "20")]).await;
    let token = web.token(Role::ReadOnly).await;
    let session = web.session(&token).await;
    let mut open = stream(&web, &token, &session).await;
    let at = web.at();
    let began = std::time::Instant::now();
    web.site.app.stop.cancel();
    assert_eq!(until(&mut open, "\u{0}").await, "", "the stream ends");
    web.close().await;
    assert!(began.elapsed().as_secs() < 5, "nothing was waited for: {:?}", began.elapsed());
    assert!(TcpStream::connect(at).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_in_flight_are_answered_before_the_end() {
    let flags = [("mcp.transport", "http"), ("mcp.http_port", "0"), ("shutdown.drain_seconds", "20")];
    let web = Web::over(Site::of(&[Profile::HomeAp], &flags).await).await;
    let token = web.token(Role::ReadOnly).await;
    let faults = web.site.sim("home-ap").faults();
    faults.inject(Rule::always(Fault::Latency(std::time::Duration::from_millis(500))));
    let menus = ["/ip/dns", "/ip/route", "/ip/address", "/interface", "/ip/service", "/user", "/ip/pool", "/log"];
    let asks =
        menus.map(|menu| web.modern(&token, "tools/call", json!({"name": "menu.read", "arguments": {"device": "home-ap", "menu": menu}})));
    let stop = async {
        let began = std::time::Instant::now();
        while faults.in_flight().now() == 0 {
            assert!(began.elapsed() < PATIENCE, "no call reached the router");
            tokio::task::yield_now().await;
        }
        web.site.app.stop.cancel();
    };
    let (answers, ()) = tokio::join!(futures_util::future::join_all(asks), stop);
    for (menu, answer) in menus.iter().zip(&answers) {
        // One that was still on its way in when the door closed is told by a closed connection.
        assert!(answer.status == 0 || answer.message()["result"]["isError"] == false, "{menu}: {answer:?}");
    }
    let finished = answers.iter().filter(|answer| answer.status == 200).count();
    assert!(finished > 0, "{answers:?}");
    web.close().await;
}

#[tokio::test]
async fn whoever_hangs_up_cancels_their_request() {
    let flags = [("mcp.transport", "http"), ("mcp.http_port", "0")];
    let web = Web::over(Site::of(&[Profile::HomeAp], &flags).await).await;
    let token = web.token(Role::ReadOnly).await;
    let faults = web.site.sim("home-ap").faults();
    faults.inject(Rule::always(Fault::Hang).on("/ip/dns"));
    let asked = web.modern(&token, "tools/call", json!({"name": "menu.read", "arguments": {"device": "home-ap", "menu": "/ip/dns"}}));
    let reached = async {
        while faults.requests_to("/ip/dns") == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        answer = asked => panic!("answered by a router that hangs: {answer:?}"),
        () = reached => {}
    }
    let began = std::time::Instant::now();
    loop {
        let trail = web.site.operator("audit.get_events", json!({"limit": 50})).await.structured;
        if let Some(row) = trail["rows"].as_array().unwrap().iter().find(|row| row["tool"] == "menu.read") {
            assert_eq!(row["outcome"], "conflict", "cancelled by the caller: {row}");
            break;
        }
        assert!(began.elapsed() < PATIENCE, "the call goes on without its caller: {trail}");
    }
    web.close().await;
}
