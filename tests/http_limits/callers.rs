//! How much a caller gets: by role, at once, and by address before anybody knows who it is; and who needs no token.

use super::*;
use crate::admin_rig::{Browser, PASSWORD, signed_in};
use crate::http_rig::modern;

#[tokio::test]
async fn calls_are_limited_by_role_and_sessions_by_caller() {
    let flags = [("rate_limit.read_only_per_minute", "4"), ("http.max_sessions_per_principal", "2")];
    let web = Web::open(&flags).await;
    let (reader, admin) = (web.token(Role::ReadOnly).await, web.token(Role::Admin).await);
    let mut left = Vec::new();
    for _ in 0..4 {
        let answer = web.modern(&reader, "tools/list", json!({})).await;
        left.push((answer.status, answer.header("x-ratelimit-remaining").unwrap().to_owned()));
    }
    assert_eq!(left, ["3", "2", "1", "0"].map(|left| (200, left.to_owned())));
    let refused = web.modern(&reader, "tools/list", json!({})).await;
    assert_eq!((refused.status, refused.header("x-ratelimit-limit")), (429, Some("4")));
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    for _ in 0..20 {
        assert_eq!(web.modern(&admin, "tools/list", json!({})).await.status, 200, "unlimited, and another caller");
    }
    let first = web.session(&admin).await;
    web.session(&admin).await;
    let third = web.say(&admin, "", &hello("2025-11-25")).await;
    assert_eq!((third.status, third.header("retry-after")), (429, Some("60")), "{third:?}");
    let auth = format!("Authorization: Bearer {admin}\r\n");
    assert_eq!(web.ask("DELETE", "/mcp", &format!("{auth}{}", in_session(&first)), "").await.status, 204);
    web.session(&admin).await;
    web.close().await;
}

#[tokio::test]
async fn each_role_has_its_own_number_of_calls_and_is_told_what_is_left_of_it() {
    let flags = [
        ("rate_limit.read_only_per_minute", "3"),
        ("rate_limit.ops_rw_per_minute", "2"),
        ("rate_limit.approver_per_minute", "1"),
        ("rate_limit.admin_per_minute", "4"),
        ("rate_limit.window_seconds", "2"),
    ];
    let web = Web::open(&flags).await;
    for (role, most) in [(Role::ReadOnly, 3), (Role::OpsRw, 2), (Role::Approver, 1), (Role::Admin, 4)] {
        let (token, neighbour) = (web.token(role).await, web.token(role).await);
        let began = Instant::now();
        for left in (0..most).rev() {
            let answer = web.modern(&token, "tools/list", json!({})).await;
            assert_eq!((answer.status, answer.header("retry-after")), (200, None), "{role:?}");
            assert_eq!(answer.header("x-ratelimit-limit"), Some(most.to_string().as_str()), "{role:?}");
            assert_eq!(answer.header("x-ratelimit-remaining"), Some(left.to_string().as_str()), "{role:?}");
            let resets: u64 = answer.header("x-ratelimit-reset").unwrap().parse().unwrap();
            assert!((1..=2).contains(&resets), "{role:?}: {resets}");
        }
        let refused = web.modern(&token, "tools/list", json!({})).await;
        // The window may have ended on a slow machine; then there was nothing to refuse.
        if began.elapsed() < Duration::from_secs(2) {
            assert_eq!((refused.status, refused.header("x-ratelimit-remaining")), (429, Some("0")), "{role:?}: {refused:?}");
            let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
            assert!((1..=2).contains(&wait), "{role:?}: {wait}");
            assert_eq!(refused.message()["error"]["data"]["kind"], "busy", "{role:?}");
        }
        assert_eq!(web.modern(&neighbour, "tools/list", json!({})).await.status, 200, "{role:?}: each for itself");
        while web.modern(&token, "tools/list", json!({})).await.status == 429 {
            assert!(began.elapsed() < PATIENCE, "{role:?}: the window does not end");
            tokio::task::yield_now().await;
        }
    }
    web.close().await;
}

#[tokio::test]
async fn so_much_of_one_caller_runs_at_once_and_no_other_waits_for_it() {
    let site = Site::of(&[Profile::HomeAp], &[("mcp.transport", "http"), ("mcp.http_port", "0"), ("rate_limit.enabled", "false")]).await;
    let web = Web::over(site).await;
    let (greedy, other) = (web.token(Role::OpsRw).await, web.token(Role::OpsRw).await);
    let faults = web.site.sim("home-ap").faults();
    faults.inject(Rule::always(Fault::Hang).on("/ip/dns"));
    let message =
        crate::http_rig::modern("tools/call", json!({"name": "menu.read", "arguments": {"device": "home-ap", "menu": "/ip/dns"}}));
    let headers = crate::http_rig::headers("tools/call", &message["params"]);
    let asked = request("POST", "/mcp", &format!("{JSON}Authorization: Bearer {greedy}\r\n{headers}"), &message.to_string());
    let mut held = Vec::new();
    for _ in 0..128 {
        let mut stream = TcpStream::connect(web.at()).await.unwrap();
        stream.write_all(asked.as_bytes()).await.unwrap();
        held.push(stream);
    }
    let list = || json!({"name": "device.list", "arguments": {}});
    let began = Instant::now();
    let refused = loop {
        let answer = web.modern(&greedy, "tools/call", list()).await;
        if answer.status == 429 {
            break answer;
        }
        assert!(began.elapsed() < PATIENCE, "128 run, and one more is let in: {answer:?}");
    };
    assert_eq!((refused.header("retry-after"), refused.header("connection")), (Some("1"), Some("close")), "{refused:?}");
    assert_eq!(web.modern(&other, "tools/call", list()).await.status, 200, "another caller");
    // Whoever hangs up has them running no more.
    held.clear();
    let began = Instant::now();
    while web.modern(&greedy, "tools/call", list()).await.status != 200 {
        assert!(began.elapsed() < PATIENCE, "no room came back");
    }
    web.close().await;
}

#[tokio::test]
async fn an_address_without_a_good_token_is_refused_for_a_while() {
    let web = with(Limits { failures: 5, ..Limits::default() }).await;
    let (token, mut anna) = (web.token(Role::Admin).await, signed_in(&web, "anna", Role::Admin).await);
    let body = call("device.list", json!({})).to_string();
    let mut statuses = Vec::new();
    for n in 0..8 {
        let bad = if n % 2 == 0 { "" } else { "Authorization: Bearer rmcp_x\r\n" };
        statuses.push(web.ask("POST", "/mcp", &format!("{JSON}{bad}"), &body).await.status);
    }
    assert_eq!(statuses, [401, 401, 401, 401, 401, 429, 429, 429]);
    let refused = web.ask("GET", "/admin/api/v1/devices", "Authorization: Bearer x\r\n", "").await;
    assert!(refused.status == 429 && refused.header("retry-after").is_some(), "{refused:?}");
    assert_eq!(web.modern(&token, "tools/list", json!({})).await.status, 200);
    let auth = format!("Authorization: Bearer {token}\r\n");
    for path in ["/admin/api/v1/devices", "/metrics"] {
        assert_eq!(web.ask("GET", path, &auth, "").await.status, 200, "{path}");
    }
    assert!(web.ask("GET", "/health", &auth, "").await.message()["devices"].is_object(), "known at /health too");
    for path in ["/admin/", "/admin/api/v1/users"] {
        assert_eq!(anna.get(path).await.status, 200, "{path}");
    }
    for path in ["/metrics", "/.well-known/oauth-protected-resource", "/admin/sign-in", "/admin/api/v1/openapi.json"] {
        assert_eq!(web.ask("GET", path, "", "").await.status, 200, "{path}");
    }
    // A program with an old token keeps nobody from signing in to take it back.
    let sign_in = async |user: &str, password: &str| {
        let given = json!({"user": user, "password": password});
        Browser::of(&web).post("/admin/api/v1/session", given).await.status
    };
    assert_eq!(sign_in("anna", PASSWORD).await, 200);
    for n in 0..5 {
        assert_eq!(sign_in(&format!("nobody-{n}"), "wrong-wrong-wrong").await, 401);
    }
    assert_eq!(sign_in("anna", PASSWORD).await, 429, "no password of this address is judged any more");
    assert_eq!(anna.get("/admin/api/v1/users").await.status, 200, "who is signed in goes on");
    for path in ["/health", "/health/live", "/health/ready"] {
        assert_eq!(web.ask("GET", path, "Authorization: Bearer rmcp_x\r\n", "").await.status, 200, "probes go on: {path}");
    }
    web.close().await;
}

#[tokio::test]
async fn programs_on_this_machine_need_no_token_only_where_that_is_set() {
    let closed = Web::open(&[]).await;
    let list = modern("tools/call", json!({"name": "device.list", "arguments": {}})).to_string();
    let json = &format!("{JSON}MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: device.list\r\n");
    assert_eq!(closed.ask("POST", "/mcp", json, &list).await.status, 401);
    closed.close().await;
    let open = Web::open(&[("auth.allow_anonymous_loopback", "true"), ("mcp.stdio_role", "read_only")]).await;
    assert_eq!(open.ask("POST", "/mcp", json, &list).await.status, 200);
    let write = modern("tools/call", json!({"name": "system.set_identity", "arguments": {"device": "x", "name": "y"}})).to_string();
    let writes = json.replace("device.list", "system.set_identity");
    assert_eq!(open.ask("POST", "/mcp", &writes, &write).await.status, 403, "no more than the role");
    let hello = hello("2025-11-25").to_string();
    assert_eq!(open.ask("POST", "/mcp", JSON, &hello).await.status, 200);
    for header in
        ["X-Forwarded-For: 192.0.2.1", "X-Forwarded-For: 127.0.0.1", "Forwarded: for=192.0.2.1", "X-Real-IP: 192.0.2.1", "Via: 1.1 proxy"]
    {
        let answer = open.ask("POST", "/mcp", &format!("{json}{header}\r\n"), &list).await;
        assert_eq!(answer.status, 401, "{header}: a proxy stands in front that nobody told us of");
    }
    let wrong = open.ask("POST", "/mcp", &format!("{json}Authorization: Bearer x\r\n"), &list).await;
    assert_eq!(wrong.status, 401, "who shows a token is judged by it");
    open.close().await;
}

#[tokio::test]
async fn an_authority_asks_for_a_proof_by_any_name_and_nothing_else_is_let_in_so() {
    let web = Web::open(&[]).await;
    for headers in ["Host: 10.1.2.3\r\n", "Host: evil.example\r\n", "Host: localhost\r\nOrigin: https://evil.example\r\n"] {
        assert_eq!(web.ask("GET", "/.well-known/acme-challenge/abc", headers, "").await.status, 404, "{headers}");
        assert_eq!(web.ask("GET", "/.well-known/acme-challenge", headers, "").await.status, 403, "{headers}");
    }
    web.close().await;
}
