//! How much is taken, from whom, and how slowly: broken messages, big bodies, slow clients, many of them; and what anybody
//! may ask.

use crate::http_rig::{JSON, PATIENCE, Web, call, hello, in_session, list_by_http2, request, talk};
use crate::site::Site;
use routeros_mcp::access::Role;
use routeros_mcp::base::fault::Kind;
use routeros_mcp::host::sockets::Sockets;
use routeros_mcp::http::limits::Limits;
use routeros_mcp::http::{Listener, Parts, Settings, tls};
use routeros_mcp::mcp::Appliance;
use routeros_mcp::routeros::pin;
use routeros_mcp::sim::faults::{Fault, Rule};
use routeros_mcp::sim::profiles::Profile;
use routeros_mcp::store::Seal;
use rustls::pki_types::ServerName;
use serde_json::json;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

mod callers;
mod slow;

/// A listener with limits that no configuration sets.
pub(crate) async fn with(limits: Limits) -> Web {
    over(tls::Source::Off, limits).await
}

pub async fn over(tls: tls::Source, limits: Limits) -> Web {
    let site = Site::bare(&[]).await;
    let settings = Settings {
        host: "127.0.0.1".into(),
        port: 0,
        base: Some("/mcp".into()),
        tls,
        public_url: None,
        allowed_hosts: Vec::new(),
        allowed_origins: vec!["https://ui.example".into()],
        behind_proxy: false,
        trusted_proxies: Vec::new(),
        tokens: true,
        anonymous: None,
        plain_cookies: true,
        metrics: routeros_mcp::http::metrics::Offered::Here,
        limits,
        drain: Duration::from_secs(1),
    };
    let parts = Parts {
        dispatch: site.app.dispatch.clone(),
        mcp: site.app.mcp(),
        seal: Arc::new(Seal::new(&[7; 32])),
        sockets: Sockets::default(),
        oidc: None,
        sessions: site.app.sessions(),
    };
    let appliance = Appliance::new(site.app.dispatch.clone(), site.app.mcp());
    let listener = Listener::bind(appliance, parts, settings, &site.app.tasks, site.app.stop.clone()).await.unwrap();
    Web { site, listener }
}

/// The other side closes within the time; how long it took.
pub async fn closed(mut stream: impl AsyncRead + Unpin) -> (Duration, String) {
    let (began, mut rest) = (Instant::now(), Vec::new());
    let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut rest)).await.expect("closed in time");
    (began.elapsed(), String::from_utf8_lossy(&rest).into_owned())
}

#[tokio::test]
async fn broken_messages_are_400_with_json_rpcs_codes() {
    let web = Web::open(&[]).await;
    let token = web.token(Role::ReadOnly).await;
    let auth = format!("{JSON}Authorization: Bearer {token}\r\n");
    let deep = format!(r#"{{"jsonrpc":"2.0","id":3,"method":"m","params":{{"a":{}{}}}}}"#, "[".repeat(500_000), "]".repeat(500_000));
    for (body, code) in [
        ("", -32700),
        ("nonsense", -32700),
        ("{", -32700),
        (r#"{"jsonrpc":"2.0","id":1,"method":"ping"}x"#, -32700),
        ("\u{feff}{}", -32700),
        ("[", -32700),
        ("[]", -32600),
        (r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#, -32600),
        ("7", -32600),
        ("null", -32600),
        ("{}", -32600),
        (r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#, -32600),
        (r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, -32600),
        (r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#, -32600),
        (r#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#, -32600),
        (r#"{"jsonrpc":"2.0","id":1,"method":7}"#, -32600),
        (r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}"#, -32600),
        (r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":[1]}"#, -32602),
        (deep.as_str(), -32600),
        (r#"{"jsonrpc":"2.0","id":1,"method":"initialize"}"#, -32602),
        (r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":7,"capabilities":{},"clientInfo":{}}}"#, -32602),
    ] {
        let answer = web.ask("POST", "/mcp", &auth, body).await;
        let shown = &body[..body.len().min(60)];
        assert_eq!((answer.status, &answer.message()["error"]["code"]), (400, &json!(code)), "{shown}: {answer:?}");
        let is_hello = body.contains("initialize");
        assert!(!is_hello || (answer.message()["id"] == 1), "{shown}: {answer:?}");
    }
    let bytes =
        [request("POST", "/mcp", &auth, "").replace("Content-Length: 0", "Content-Length: 2").into_bytes(), vec![0xff, 0xfe]].concat();
    assert_eq!(web.raw(bytes).await.message()["error"]["code"], -32700);
    assert_eq!(web.calls().await, 0);
    web.close().await;
}

#[tokio::test]
async fn wrong_kinds_of_bodies_and_methods_are_named() {
    let web = Web::open(&[]).await;
    let token = web.token(Role::ReadOnly).await;
    let (auth, body) = (format!("Authorization: Bearer {token}\r\n"), call("device.list", json!({})).to_string());
    for kind in
        ["", "Content-Type: text/plain\r\n", "Content-Type: application/x-www-form-urlencoded\r\n", "Content-Type: application/json5\r\n"]
    {
        let answer = web.ask("POST", "/mcp", &format!("{auth}{kind}Accept: application/json, text/event-stream\r\n"), &body).await;
        assert_eq!(answer.status, 415, "{kind}");
    }
    let answer = web.ask("POST", "/mcp", &format!("{auth}Content-Type: application/json\r\nAccept: text/html\r\n"), &body).await;
    let error = &answer.message()["error"];
    assert_eq!(
        (answer.status, answer.header("content-type"), &error["code"]),
        (406, Some("application/json"), &json!(-32600)),
        "{answer:?}"
    );
    assert!(error["message"].as_str().unwrap().contains("must accept both") && error["data"]["correlation_id"].is_string(), "{error}");
    let listens = web.ask("GET", "/mcp", &format!("{auth}Accept: application/json\r\n"), "").await;
    assert_eq!((listens.status, &listens.message()["error"]["code"]), (406, &json!(-32600)), "{listens:?}");
    for (what, headers) in [("no session", ""), ("a version nobody knows", "MCP-Protocol-Version: 1999-01-01\r\n")] {
        let answer = web.ask("POST", "/mcp", &format!("{auth}{JSON}{headers}"), &body).await;
        let error = &answer.message()["error"];
        assert_eq!(
            (answer.status, answer.header("content-type"), &error["code"]),
            (400, Some("application/json"), &json!(-32600)),
            "{what}"
        );
        assert!(error["message"].as_str().is_some_and(|said| !said.is_empty()), "{what}: {error}");
    }
    for method in ["PUT", "PATCH", "HEAD", "FOO"] {
        let answer = web.ask(method, "/mcp", &auth, "").await;
        assert_eq!((answer.status, answer.header("allow")), (405, Some("GET, POST, DELETE")), "{method}");
    }
    let answer = web.ask("POST", "/health", "", "").await;
    assert_eq!((answer.status, answer.header("allow")), (405, Some("GET, HEAD")));
    web.close().await;
}

#[tokio::test]
async fn bodies_over_the_limit_are_413_however_they_are_framed() {
    let web = Web::open(&[("http.max_body_bytes", "4096")]).await;
    let token = web.token(Role::ReadOnly).await;
    let big = call("device.list", json!({"x": "y".repeat(5_000)})).to_string();
    let auth = format!("{JSON}Authorization: Bearer {token}\r\n");
    assert_eq!(web.ask("POST", "/mcp", &auth, &big).await.status, 413);
    let chunked =
        format!("POST /mcp HTTP/1.1\r\nHost: localhost\r\n{auth}Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{big}\r\n0\r\n\r\n", big.len());
    assert_eq!(web.raw(chunked).await.status, 413);
    let claimed = format!("POST /mcp HTTP/1.1\r\nHost: localhost\r\n{auth}Content-Length: 999999999\r\n\r\n{{");
    assert_eq!(web.raw(claimed).await.status, 413, "by what it says, before it is sent");
    let nobody = format!("POST /mcp HTTP/1.1\r\nHost: localhost\r\n{JSON}Content-Length: 999999999\r\nConnection: close\r\n\r\n{{");
    assert_eq!(web.raw(nobody).await.status, 401, "who it is comes before how much");
    web.close().await;
}

#[tokio::test]
async fn health_says_a_little_to_anybody_and_more_to_a_token() {
    let site = Site::of(&[Profile::HomeAp], &[("mcp.transport", "http"), ("mcp.http_port", "0")]).await;
    let mut web = Web::over(site).await;
    let token = web.token(Role::ReadOnly).await;
    let auth = format!("Authorization: Bearer {token}\r\n");
    let shown = |answer: &crate::http_rig::Answer| answer.message().as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let anybody = web.ask("GET", "/health", "Host: whatever.example\r\n", "").await;
    assert_eq!(
        (anybody.status, shown(&anybody)),
        (200, ["status", "timestamp", "version", "database", "oidc"].map(str::to_owned).to_vec())
    );
    let known = web.ask("GET", "/health", &auth, "").await;
    assert_eq!(known.message()["devices"], json!({"total": 1, "reachable": 1, "unreachable": 0}), "{known:?}");
    assert_eq!((&known.message()["status"], &known.message()["database"]), (&json!("healthy"), &json!("connected")));
    let room = |percent| web.site.app.dispatch.world().alerts.disk_free(percent);
    for (percent, said) in [(2, json!(["the disk is nearly full: 2 % free"])), (50, json!([]))] {
        room(percent);
        assert_eq!(web.ask("GET", "/health", &auth, "").await.message()["errors"], said);
        assert!(web.ask("GET", "/health", "", "").await.message()["errors"].is_null(), "not for everybody");
    }
    let wrong = web.ask("GET", "/health", "Authorization: Bearer rmcp_x\r\n", "").await;
    assert_eq!((wrong.status, shown(&wrong).len()), (200, 5), "a bad token is nobody");
    for path in ["/health/live", "/health/ready"] {
        assert_eq!(web.ask("GET", path, "", "").await.status, 200, "{path}");
    }
    let (name, sim) = web.site.sims.pop().unwrap();
    sim.stop().await;
    web.site.forget(&name);
    web.site.bad("system.get_overview", json!({"device": name})).await;
    let degraded = web.ask("GET", "/health", &auth, "").await;
    assert_eq!((degraded.status, &degraded.message()["status"]), (200, &json!("degraded")), "{degraded:?}");
    assert_eq!(web.ask("GET", "/health/ready", "", "").await.status, 503);
    assert_eq!(web.ask("GET", "/health/live", "", "").await.status, 200);
    web.close().await;
}

#[tokio::test]
async fn what_is_not_offered_is_not_there_and_the_metadata_says_what_is() {
    let web = Web::open(&[("http.public_url", "https://mcp.example")]).await;
    for path in ["/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/mcp"] {
        let document = web.ask("GET", path, "", "").await;
        let expected = json!({
            "resource": "https://mcp.example/mcp", "resource_name": "routeros-mcp", "bearer_methods_supported": ["header"],
            "scopes_supported": ["mcp:read", "mcp:write", "mcp:plan"],
        });
        assert_eq!((document.status, document.message()), (200, expected), "{path}");
    }
    web.close().await;
    let quiet = Web::open(&[("mcp.transport", "stdio")]).await;
    let token = quiet.token(Role::Admin).await;
    assert_eq!(quiet.say(&token, "", &hello("2025-11-25")).await.status, 404, "mcp.transport = stdio mounts nothing");
    assert_eq!(quiet.ask("GET", "/health", "", "").await.status, 200);
    quiet.close().await;
    let closed = Web::open(&[("auth.tokens", "false")]).await;
    let token = closed.token(Role::Admin).await;
    assert_eq!(closed.say(&token, "", &hello("2025-11-25")).await.status, 401, "auth.tokens = false takes none");
    closed.close().await;
}

#[tokio::test]
async fn pages_of_an_allowed_origin_may_call_mcp_and_nothing_else() {
    let web = with(Limits::default()).await;
    let token = web.token(Role::ReadOnly).await;
    let page = "Origin: https://ui.example\r\n";
    let asked = web.ask("OPTIONS", "/mcp", &format!("{page}Access-Control-Request-Method: POST\r\n"), "").await;
    assert_eq!((asked.status, asked.header("access-control-allow-origin")), (204, Some("https://ui.example")));
    let called = web.say(&token, page, &hello("2025-11-25")).await;
    assert_eq!((called.status, called.header("access-control-allow-origin")), (200, Some("https://ui.example")));
    assert_eq!(web.ask("GET", "/health", page, "").await.header("access-control-allow-origin"), None);
    let own = web.ask("OPTIONS", "/mcp", "Origin: http://localhost\r\n", "").await;
    assert_eq!((own.status, own.header("access-control-allow-origin")), (405, None));
    web.close().await;
}

/// A TLS connection that takes whatever certificate there is, and the certificate's fingerprint.
pub async fn shaken(web: &Web, alpn: &[u8]) -> (TlsStream<TcpStream>, String) {
    let mut config = pin::client_config(pin::Trust::Off, &pin::Roots::default()).unwrap();
    config.alpn_protocols = vec![alpn.to_vec()];
    let stream = TcpStream::connect(web.at()).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let stream = tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap();
    let leaf = stream.get_ref().1.peer_certificates().unwrap()[0].clone();
    (stream, pin::format_fingerprint(&pin::fingerprint(&leaf)))
}

#[tokio::test]
async fn our_own_certificate_is_the_one_told_at_start_and_stays_over_a_restart() {
    let flags = [("mcp.transport", "http"), ("mcp.http_port", "0"), ("http.tls", "self-signed")];
    let web = Web::open(&flags).await;
    let (stream, shown) = shaken(&web, b"http/1.1").await;
    assert_eq!(Some(&shown), web.listener.fingerprint().as_ref());
    let answer = talk(stream, request("GET", "/health", "", "").as_bytes()).await;
    assert_eq!((answer.status, answer.header("strict-transport-security")), (200, Some("max-age=31536000")));
    assert_eq!(web.ask("GET", "/health", "", "").await.status, 0, "plain HTTP on a TLS port");
    let again = Web::over(web.site.reopened(&flags).await).await;
    assert_eq!(again.listener.fingerprint(), Some(shown));
    again.close().await;
}

#[tokio::test]
async fn http2_is_spoken_over_tls() {
    let web = Web::open(&[("http.tls", "self-signed")]).await;
    let token = web.token(Role::ReadOnly).await;
    let (stream, _) = shaken(&web, b"h2").await;
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (mut client, connection) = h2::client::handshake(stream).await.unwrap();
    let driver = web.site.app.tasks.spawn(connection);
    for (auth, status) in [(format!("Bearer {token}"), 200), ("Bearer rmcp_x".to_owned(), 401)] {
        assert_eq!(list_by_http2(&mut client, &auth).await, status);
    }
    let foreign = http::Request::get("https://evil.example/mcp").body(()).unwrap();
    let (response, _) = client.send_request(foreign, true).unwrap();
    assert_eq!(tokio::time::timeout(PATIENCE, response).await.unwrap().unwrap().status().as_u16(), 403);
    drop(client);
    driver.abort();
    web.close().await;
}

/// A stream that is reset on a body still on its way takes the answer with it.
#[tokio::test]
async fn a_refusal_is_heard_over_http2_though_nobody_reads_the_body() {
    let web = Web::open(&[("http.tls", "self-signed"), ("rate_limit.enabled", "false")]).await;
    let token = web.token(Role::Admin).await;
    let (mut client, connection) = h2::client::handshake(shaken(&web, b"h2").await.0).await.unwrap();
    let driver = web.site.app.tasks.spawn(connection);
    let mut heard = 0;
    for (path, status) in [("/mcp", 415), ("/admin/api/v1/nosuch", 404), ("/admin/api/v1/update", 405), ("/health", 405)] {
        for bytes in [1, 200_000].repeat(8) {
            let request = http::Request::post(format!("https://localhost{path}")).header("content-type", "text/plain");
            let request = request.header("authorization", format!("Bearer {token}")).body(()).unwrap();
            let (response, mut upload) = client.send_request(request, false).unwrap();
            upload.send_data(vec![b'x'; bytes].into(), true).unwrap();
            let told = async {
                let response = response.await?;
                let (status, mut body) = (response.status().as_u16(), response.into_body());
                while let Some(data) = body.data().await {
                    let got = data?.len();
                    body.flow_control().release_capacity(got)?;
                }
                Ok::<_, h2::Error>(status)
            };
            let told = tokio::time::timeout(PATIENCE, told).await.unwrap();
            assert_eq!(told.unwrap_or_else(|error| panic!("{path} with {bytes} bytes: {error}")), status);
            heard += 1;
        }
    }
    assert_eq!(heard, 64);
    drop(client);
    driver.abort();
    web.close().await;
}

/// Over HTTP/2 a client takes the connection for broken when HEAD is answered with a body.
#[tokio::test]
async fn head_has_the_answer_of_get_without_its_body() {
    let web = Web::open(&[("http.tls", "self-signed")]).await;
    let token = web.token(Role::Admin).await;
    let (stream, _) = shaken(&web, b"h2").await;
    let (mut client, connection) = h2::client::handshake(stream).await.unwrap();
    let driver = web.site.app.tasks.spawn(connection);
    for path in [
        "/health",
        "/health/live",
        "/metrics",
        "/.well-known/oauth-protected-resource",
        "/admin/",
        "/admin/sign-in",
        "/admin/api/v1/openapi.json",
        "/admin/api/v1/devices",
        "/mcp",
        "/nothing",
    ] {
        let mut told = Vec::new();
        for method in ["GET", "HEAD"] {
            let request = http::Request::builder().method(method).uri(format!("https://localhost{path}"));
            let request = request.header("authorization", format!("Bearer {token}")).body(()).unwrap();
            let (response, _) = client.send_request(request, true).unwrap();
            let response =
                tokio::time::timeout(PATIENCE, response).await.unwrap().unwrap_or_else(|error| panic!("{method} {path}: {error}"));
            let (status, length) = (response.status().as_u16(), response.headers().get("content-length").cloned());
            let (kind, mut body, mut bytes) = (response.headers().get("content-type").cloned(), response.into_body(), 0);
            while let Some(data) = tokio::time::timeout(PATIENCE, body.data()).await.unwrap() {
                let data = data.unwrap_or_else(|error| panic!("{method} {path}: {error}"));
                bytes += data.len();
                body.flow_control().release_capacity(data.len()).unwrap();
            }
            told.push((status, kind, length.is_some(), bytes));
        }
        let [get, head] = &told[..] else { unreachable!() };
        assert_eq!(head.3, 0, "{path}: HEAD has a body");
        // What only GET does, as a list of the API, is no way for HEAD to go.
        assert!(head.0 == 405 || (&head.0, &head.1, head.2) == (&get.0, &get.1, get.2), "{path}: {told:?}");
    }
    let told = talk(shaken(&web, b"http/1.1").await.0, request("HEAD", "/health/live", "", "").as_bytes()).await;
    assert!(told.status == 200 && told.body.is_empty() && told.header("content-length") == Some("17"), "{told:?}");
    drop(client);
    driver.abort();
    web.close().await;
}

#[tokio::test]
async fn a_taken_port_and_files_that_do_not_fit_are_named() {
    let web = Web::open(&[]).await;
    let port = web.at().port().to_string();
    let other = Site::bare(&[("mcp.http_port", &port)]).await;
    let fault = other.app.listen().await.map(|_| ()).unwrap_err();
    assert!(fault.kind == Kind::Unreachable && fault.said.contains(&port) && fault.hint.is_some(), "{fault:?}");
    other.close().await;
    let files = [("http.tls", "files"), ("http.tls_cert_file", "/nonexistent.pem"), ("http.tls_key_file", "/nonexistent.pem")];
    let other = Site::bare(&files).await;
    let fault = other.app.listen().await.map(|_| ()).unwrap_err();
    assert!(fault.kind == Kind::Config && fault.said.contains("http.tls_cert_file"), "{fault:?}");
    other.close().await;
    web.close().await;
}
