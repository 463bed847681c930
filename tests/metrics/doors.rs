//! Who may see metrics, where they are, and what they do not tell.

use super::*;
use crate::surroundings::free_port;

/// What `/metrics` answers to these headers.
async fn status(web: &Web, headers: &str) -> u16 {
    web.ask("GET", "/metrics", headers, "").await.status
}

async fn metrics_token(web: &Web) -> String {
    web.token_as(None, |_: &mut Wanted| {}).await
}

#[tokio::test]
async fn a_program_on_this_machine_needs_no_token_and_one_elsewhere_does() {
    let web = Web::open(&[("http.behind_proxy", "true"), ("http.trusted_proxies", "127.0.0.1/32")]).await;
    let (metrics, reader, admin) = (metrics_token(&web).await, web.token(Role::ReadOnly).await, web.token(Role::Admin).await);
    let bearer = |token: &str| format!("Authorization: Bearer {token}\r\n");
    let far = "X-Forwarded-For: 198.51.100.1\r\n";
    for (headers, status) in [
        (far.to_owned(), 401),
        (format!("{far}{}", bearer(&reader)), 403),
        (format!("{far}{}", bearer("rmcp_wrong")), 401),
        (format!("{far}{}", bearer(&metrics)), 200),
        (format!("{far}{}", bearer(&admin)), 200),
        ("X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-For: 198.51.100.1\r\n".into(), 401),
        ("Forwarded: for=_hidden\r\n".into(), 401),
        // A proxy that says nothing of its client may have any.
        (String::new(), 401),
        // Whoever shows a token is judged by it, wherever they are.
        (format!("X-Forwarded-For: ::1\r\n{}", bearer(&reader)), 403),
        ("X-Forwarded-For: ::1\r\n".into(), 200),
    ] {
        assert_eq!(self::status(&web, &headers).await, status, "{headers}");
    }
    let refused = web.ask("GET", "/metrics", &format!("{far}{}", bearer(&reader)), "").await;
    let challenge = refused.header("www-authenticate").unwrap();
    assert!(challenge.contains("insufficient_scope") && challenge.contains("scope=\"metrics\""), "{challenge}");
    web.close().await;
}

#[tokio::test]
async fn who_only_speaks_for_another_is_not_on_this_machine() {
    let web = Web::open(&[]).await;
    for (headers, status) in [
        ("", 200),
        ("X-Forwarded-For: 127.0.0.1\r\n", 401),
        ("Forwarded: for=127.0.0.1\r\n", 401),
        ("X-Real-IP: 127.0.0.1\r\n", 401),
        ("CF-Connecting-IP: 127.0.0.1\r\n", 401),
        ("Host: evil.example\r\n", 403),
        ("Origin: https://evil.example\r\n", 403),
    ] {
        assert_eq!(self::status(&web, headers).await, status, "{headers}");
    }
    assert_eq!(web.ask("POST", "/metrics", "Content-Length: 0\r\n", "").await.status, 405);
    let head = web.ask("HEAD", "/metrics", "", "").await;
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    web.close().await;
}

#[tokio::test]
async fn a_token_for_metrics_reaches_nothing_else() {
    let web = Web::open(&[]).await;
    let token = metrics_token(&web).await;
    let bearer = format!("Authorization: Bearer {token}\r\n");
    assert_eq!(status(&web, &bearer).await, 200);
    assert_eq!(web.modern(&token, "tools/list", json!({})).await.status, 403);
    for path in ["devices", "plans", "audit", "users", "tokens"] {
        let answer = web.ask("GET", &format!("/admin/api/v1/{path}"), &bearer, "").await;
        assert_eq!(answer.status, 403, "{path}: {answer:?}");
    }
    let health = web.ask("GET", "/health", &bearer, "").await;
    assert!(!health.body.contains("devices"), "{health:?}");
    web.close().await;
}

#[tokio::test]
async fn metrics_with_a_port_of_their_own_are_there_and_nothing_else_is() {
    let web = Web::open(&[("metrics.port", &free_port().to_string())]).await;
    assert_eq!(status(&web, "").await, 404, "not on the main one");
    let url = web.listener.metrics_url.clone().unwrap();
    let at: std::net::SocketAddr = url.strip_prefix("http://").unwrap().strip_suffix("/metrics").unwrap().parse().unwrap();
    let ask = async |method: &str, path: &str, headers: &str| {
        let stream = TcpStream::connect(at).await.unwrap();
        crate::http_rig::talk(stream, request(method, path, headers, "").as_bytes()).await
    };
    let text = ask("GET", "/metrics", "").await;
    assert!(text.status == 200 && text.body.contains("store_bytes "), "{text:?}");
    for path in ["/mcp", "/health", "/admin/api/v1/devices", "/admin/api/v1/openapi.json", "/.well-known/oauth-protected-resource"] {
        assert_eq!(ask("GET", path, "").await.status, 404, "{path}");
    }
    assert_eq!(ask("GET", "/metrics", "X-Forwarded-For: 1.2.3.4\r\n").await.status, 401, "the same rule");
    web.close().await;
    assert!(TcpStream::connect(at).await.is_err(), "closed with the rest");
}

#[tokio::test]
async fn metrics_that_are_off_are_nowhere_and_cost_nothing() {
    let web = Web::open(&[("metrics.enabled", "false")]).await;
    assert_eq!(status(&web, "").await, 404);
    let admin = web.token(Role::Admin).await;
    assert_eq!(status(&web, &format!("Authorization: Bearer {admin}\r\n")).await, 404);
    assert!(!web.site.app.dispatch.world().meter().is_on());
    web.close().await;
}

#[tokio::test]
async fn health_tells_known_callers_what_is_wrong_now() {
    let mut web = web(&[]).await;
    let token = web.token(Role::ReadOnly).await;
    let errors = async |web: &Web| {
        let answer = web.ask("GET", "/health", &format!("Authorization: Bearer {token}\r\n"), "").await;
        serde_json::from_str::<Value>(&answer.body).unwrap()["errors"].clone()
    };
    assert_eq!(errors(&web).await, json!([]));
    let (_, sim) = web.site.sims.pop().unwrap();
    sim.stop().await;
    web.site.forget("edge");
    web.site.bad("system.get_clock", json!({"device": "edge"})).await;
    assert_eq!(errors(&web).await, json!(["1 of 1 routers do not answer"]));
    let unknown = web.ask("GET", "/health", "", "").await;
    assert!(!unknown.body.contains("errors"), "{unknown:?}");
    web.close().await;
}

#[tokio::test]
async fn a_listener_of_ours_is_nobodys_router() {
    let port = free_port();
    let web = Web::open(&[("metrics.port", &port.to_string()), ("metrics.host", "127.0.0.1")]).await;
    let arguments = json!({"name": "us", "address": "127.0.0.1", "rest_port": port, "username": "mcp", "password": "x"});
    let reply = web.site.operator("device.add", arguments).await;
    assert_eq!(reply.structured["error"]["kind"], "bad_input", "{}", reply.text);
    assert!(reply.text.contains("listen"), "it says why: {}", reply.text);
    web.close().await;
}
