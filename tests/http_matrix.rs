//! Nobody who is nobody gets in: every way of asking that must be refused, generated, and counted.
//!
//! Each case names what it sends. All of them ask for something a good token would be given, and none may leave a trace
//! in the spine.

use crate::http_rig::{JSON, Web, call, hello, in_session, request};
use crate::oidc_rig::{self, Idp, Key, claims};
use base64ish::basic;
use routeros_mcp::access::Role;
use serde_json::{Value, json};

/// Fewer cases than this means that the generator broke.
const FLOOR: usize = 300;

/// What a refusal may look like; 0 is a connection closed without a word.
const REFUSED: [u16; 12] = [0, 400, 401, 403, 404, 405, 408, 413, 414, 415, 431, 505];

mod base64ish {
    /// `Basic` of a user and a password.
    pub fn basic(text: &str) -> String {
        data_encoding::BASE64.encode(text.as_bytes())
    }
}

/// One case: what it is, and the bytes.
type Case = (String, Vec<u8>);

/// Tokens that are not good, by what is wrong with them, as header lines.
async fn bad_tokens(web: &Web, good: &str) -> Vec<(&'static str, String)> {
    let access = &web.site.app.dispatch.world().access;
    let revoked = web.token_as(Some(Role::Admin), |token| token.name = "revoked".into()).await;
    access.revoke_token("revoked").await.unwrap();
    access.add("gone", Role::Admin, routeros_mcp::base::secret::Secret::new("correct-horse-71")).await.unwrap();
    let orphan = web.token_as(Some(Role::Admin), |token| token.owner = Some("gone".into())).await;
    access.set_disabled("gone", true).await.unwrap();
    let end = web.now().0 + 40;
    let expired = web.token_as(Some(Role::Admin), |token| token.expires_at = Some(routeros_mcp::base::clock::Wall(end))).await;
    while web.now().0 <= end {
        tokio::task::yield_now().await;
    }
    let unknown = routeros_mcp::access::token::make().expose().to_owned();
    let jwt = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9.";
    let line = |value: &str| format!("Authorization: {value}\r\n");
    vec![
        ("no token", String::new()),
        ("an empty header", line("")),
        ("a scheme alone", line("Bearer")),
        ("an empty token", line("Bearer ")),
        ("a token without a scheme", line(good)),
        ("another scheme", line(&format!("Token {good}"))),
        ("basic", line(&format!("Basic {}", basic("admin:admin")))),
        ("a token as a password", line(&format!("Basic {}", basic(&format!("token:{good}"))))),
        ("two headers", format!("{}{}", line(&format!("Bearer {good}")), line(&format!("Bearer {good}")))),
        ("a good and a bad header", format!("{}{}", line("Bearer x"), line(&format!("Bearer {good}")))),
        ("two tokens", line(&format!("Bearer {good}, Bearer {good}"))),
        ("a tab", line(&format!("Bearer\t{good}"))),
        ("quotes", line(&format!("Bearer \"{good}\""))),
        ("a character less", line(&format!("Bearer {}", &good[..good.len() - 1]))),
        ("a character more", line(&format!("Bearer {good}A"))),
        ("another last character", line(&format!("Bearer {}{}", &good[..good.len() - 2], if good.ends_with("AA") { "BB" } else { "AA" }))),
        ("other letters", line(&format!("Bearer {}", good.to_uppercase()))),
        ("no prefix", line(&format!("Bearer {}", &good[5..]))),
        ("a null", line(&format!("Bearer {good}%00"))),
        ("a very long token", line(&format!("Bearer rmcp_{}", "A".repeat(8_000)))),
        ("a token of nobody", line(&format!("Bearer {unknown}"))),
        ("an expired token", line(&format!("Bearer {expired}"))),
        ("a revoked token", line(&format!("Bearer {revoked}"))),
        ("a token of a disabled user", line(&format!("Bearer {orphan}"))),
        ("an unsigned JWT", line(&format!("Bearer {jwt}"))),
        ("a token in a cookie", format!("Cookie: rmcp={good}; token={good}\r\n")),
        ("a token in another header", format!("X-Api-Key: {good}\r\nProxy-Authorization: Bearer {good}\r\n")),
        ("an identity from a proxy", "X-Forwarded-User: admin\r\nX-Forwarded-For: 127.0.0.1\r\nForwarded: for=127.0.0.1\r\n".into()),
    ]
}

/// Access tokens that are not good, by what is wrong with them, as header lines.
fn bad_jwts(idp: &Idp, key: &Key, now_ms: i64) -> Vec<(&'static str, String)> {
    let now = now_ms / 1_000;
    let said = |more: Value| claims(&idp.issuer(), now_ms, more);
    let signed = |more: Value| key.sign(&said(more));
    let headed = |head: Value| key.sign_as(&head, &said(json!({})));
    let good = signed(json!({}));
    let (stem, signature) = good.rsplit_once('.').unwrap();
    let (head, _) = stem.split_once('.').unwrap();
    let raised = data_encoding::BASE64URL_NOPAD.encode(said(json!({"roles": ["admins"]})).to_string().as_bytes());
    let unsigned = |alg: &str| {
        let head = data_encoding::BASE64URL_NOPAD.encode(json!({"alg": alg, "typ": "at+jwt"}).to_string().as_bytes());
        format!("{head}.{raised}.")
    };
    let tokens = [
        ("alg none", unsigned("none")),
        ("alg NONE", unsigned("NONE")),
        ("no alg", unsigned("")),
        ("an HMAC", headed(json!({"alg": "HS256", "kid": "k"}))),
        ("another algorithm", headed(json!({"alg": "ES384", "kid": "k"}))),
        ("RS256 with an EC key", headed(json!({"alg": "RS256", "kid": "k"}))),
        ("an unknown kid", headed(json!({"alg": "ES256", "kid": "nobody's"}))),
        ("a foreign key of our kid", Key::ec("k").sign(&said(json!({})))),
        ("a critical header", headed(json!({"alg": "ES256", "kid": "k", "crit": ["x"], "x": 1}))),
        ("another typ", headed(json!({"alg": "ES256", "kid": "k", "typ": "logout+jwt"}))),
        ("an ID token", key.sign_as(&json!({"alg": "ES256", "kid": "k", "typ": "JWT"}), &said(json!({"nonce": "n"})))),
        ("changed claims", format!("{head}.{raised}.{signature}")),
        ("no signature", format!("{stem}.")),
        ("a cut signature", good[..good.len() - 2].to_owned()),
        ("four parts", format!("{good}.x")),
        ("two parts", stem.to_owned()),
        ("another issuer", signed(json!({"iss": "https://evil.example"}))),
        ("no issuer", signed(json!({"iss": null}))),
        ("another audience", signed(json!({"aud": "https://other.example"}))),
        ("no audience", signed(json!({"aud": null}))),
        ("our client as audience", signed(json!({"aud": "rmcp-ui"}))),
        ("an end long ago", signed(json!({"exp": now - 3_600}))),
        ("an end 31 s ago", signed(json!({"exp": now - 31}))),
        ("no end", signed(json!({"exp": null}))),
        ("a beginning to come", signed(json!({"nbf": now + 3_600}))),
        ("a birth to come", signed(json!({"iat": now + 3_600}))),
        ("no subject", signed(json!({"sub": null}))),
    ];
    tokens.map(|(what, token)| (what, format!("Authorization: Bearer {token}\r\n"))).into()
}

/// What is asked for without a good token.
fn asks(session: &str) -> Vec<(&'static str, &'static str, String, String)> {
    let tool = call("device.list", json!({})).to_string();
    vec![
        ("a call", "POST", JSON.into(), tool.clone()),
        ("a call in a session", "POST", format!("{JSON}{}", in_session(session)), tool),
        ("a new session", "POST", JSON.into(), hello("2025-11-25").to_string()),
        ("a stream", "GET", format!("Accept: text/event-stream\r\n{}", in_session(session)), String::new()),
        ("the end of a session", "DELETE", in_session(session), String::new()),
    ]
}

/// Hosts and Origins that are not ours, with a good token.
fn strangers(auth: &str, tool: &str) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut of =
        |what: String, headers: String| cases.push((what, request("POST", "/mcp", &format!("{headers}{JSON}{auth}"), tool).into_bytes()));
    for host in [
        "evil.example",
        "evil.example:80",
        "localhost.evil.example",
        "127.0.0.1.nip.io",
        "127.0.0.2",
        "0.0.0.0",
        "10.0.0.1",
        "[::2]",
        "localhost@evil.example",
        "evil.example@localhost",
        "localhost:99999",
        "localhost:",
        "",
        " ",
        "localhost/../x",
        "lo calhost",
        "2130706433",
        "0x7f000001",
        "localhost,evil.example",
    ] {
        of(format!("host {host:?}"), format!("Host: {host}\r\n"));
    }
    of("two hosts".into(), "Host: localhost\r\nHost: localhost\r\n".into());
    for origin in [
        "https://evil.example",
        "http://evil.example",
        "null",
        "",
        "file://",
        "http://localhost:1",
        "http://127.0.0.1",
        "https://localhost.evil.example",
        "http://localhost@evil.example",
        "chrome-extension://abc",
        "*",
        "http://localhost http://localhost",
        "HTTP://LOCALHOST",
    ] {
        of(format!("origin {origin:?}"), format!("Host: localhost\r\nOrigin: {origin}\r\n"));
    }
    of("two origins".into(), "Host: localhost\r\nOrigin: http://localhost\r\nOrigin: http://localhost\r\n".into());
    let bare = format!("POST /mcp HTTP/1.1\r\n{JSON}{auth}Content-Length: {}\r\nConnection: close\r\n\r\n{tool}", tool.len());
    cases.push(("no host".into(), bare.into_bytes()));
    cases
}

/// Other spellings of the path, with a good token: there is one.
fn paths(auth: &str, tool: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = [
        "/",
        "//",
        "/mcp/",
        "//mcp",
        "/./mcp",
        "/x/../mcp",
        "/mcp/..",
        "/MCP",
        "/%6dcp",
        "/mcp%00",
        "/mcp%2f",
        "/mcp;x=1",
        "/mcp/.",
        "/mcp%20",
        "\\mcp",
        "/mcp\\",
        "/health/../mcp",
        "/health/%2e%2e/mcp",
        "/.well-known/oauth-protected-resource/../../mcp",
        "/.well-known/oauth-protected-resource/mcpx",
        "/admin/",
        "/admin/api/v1/tokens",
        "/metrics",
        "/mcp/sse",
        "/sse",
        "/messages",
        "http://evil.example/mcp",
        "http://localhost@evil.example/mcp",
        "*",
        "mcp",
        "localhost:80",
    ]
    .iter()
    .map(|path| (format!("path {path:?}"), request("POST", path, &format!("{JSON}{auth}"), tool).into_bytes()))
    .collect();
    for query in ["access_token=x", "token=x", "a=1&access_token=x", "authorization=x", "x=rmcp_abc"] {
        cases.push((format!("query {query:?}"), request("POST", &format!("/mcp?{query}"), &format!("{JSON}{auth}"), tool).into_bytes()));
    }
    cases
        .push(("a long path".into(), request("POST", &format!("/mcp?{}", "a".repeat(5_000)), &format!("{JSON}{auth}"), tool).into_bytes()));
    cases
}

/// Framings that two readers could read in two ways, tunnels and other protocols.
fn framings(auth: &str, tool: &str) -> Vec<Case> {
    let n = tool.len();
    let chunked = format!("{n:x}\r\n{tool}\r\n0\r\n\r\n");
    let with = |line: &str, headers: &str, body: &str| {
        format!("{line}\r\nHost: localhost\r\n{JSON}{auth}{headers}Connection: close\r\n\r\n{body}").into_bytes()
    };
    let post = "POST /mcp HTTP/1.1";
    let mut cases: Vec<Case> = [
        ("a length and chunks", format!("Content-Length: {n}\r\nTransfer-Encoding: chunked\r\n"), chunked.as_str()),
        ("chunks and a length", format!("Transfer-Encoding: chunked\r\nContent-Length: {n}\r\n"), chunked.as_str()),
        ("chunks and a length of 0", "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n".into(), chunked.as_str()),
        ("two lengths", format!("Content-Length: {n}\r\nContent-Length: {}\r\n", n + 1), tool),
        ("a list of lengths", format!("Content-Length: {n}, {}\r\n", n + 1), tool),
        ("a signed length", format!("Content-Length: +{n}\r\n"), tool),
        ("a negative length", "Content-Length: -1\r\n".into(), tool),
        ("a length in hex", format!("Content-Length: 0x{n:x}\r\n"), tool),
        ("a length that overflows", "Content-Length: 99999999999999999999\r\n".into(), tool),
        ("an unknown coding", "Transfer-Encoding: xchunked\r\n".into(), chunked.as_str()),
        ("a coding after chunks", "Transfer-Encoding: chunked, identity\r\n".into(), chunked.as_str()),
        ("a coding with a tab inside", "Transfer-Encoding: chu\tnked\r\n".into(), chunked.as_str()),
        ("a blank before the colon", format!("Content-Length : {n}\r\n"), tool),
        ("a folded header", format!("X-Fold: a\r\n b\r\nContent-Length: {n}\r\n"), tool),
        ("a null in a header", format!("X-Null: a\0b\r\nContent-Length: {n}\r\n"), tool),
        ("a lone return in a header", format!("X-Return: a\rb\r\nContent-Length: {n}\r\n"), tool),
        ("a header without a name", format!(": x\r\nContent-Length: {n}\r\n"), tool),
        ("a header without a colon", format!("Nonsense\r\nContent-Length: {n}\r\n"), tool),
        ("a bad chunk size", "Transfer-Encoding: chunked\r\n".into(), "zz\r\nx\r\n0\r\n\r\n"),
        ("a negative chunk size", "Transfer-Encoding: chunked\r\n".into(), "-1\r\nx\r\n0\r\n\r\n"),
        ("a chunk size that overflows", "Transfer-Encoding: chunked\r\n".into(), "fffffffffffffffff\r\nx\r\n0\r\n\r\n"),
        ("a chunk longer than it says", "Transfer-Encoding: chunked\r\n".into(), "1\r\nxyz\r\n0\r\n\r\n"),
        ("no length at all", String::new(), ""),
        ("a compressed body", format!("Content-Encoding: gzip\r\nContent-Length: {n}\r\n"), tool),
        ("too many headers", format!("{}Content-Length: {n}\r\n", "X-A: b\r\n".repeat(200)), tool),
        ("a header that is too long", format!("X-A: {}\r\nContent-Length: {n}\r\n", "b".repeat(70_000)), tool),
    ]
    .into_iter()
    .map(|(what, headers, body)| (what.to_owned(), with(post, &headers, body)))
    .collect();
    let length = format!("Content-Length: {n}\r\n");
    for line in [
        "CONNECT localhost:22 HTTP/1.1",
        "POST /mcp HTTP/2.0",
        "POST /mcp HTTP/1.2",
        "POST /mcp HTTP/0.9",
        "POST /mcp",
        "POST  /mcp  HTTP/1.1",
        "PO ST /mcp HTTP/1.1",
        "TRACE /mcp HTTP/1.1",
        "PUT /mcp HTTP/1.1",
        "PATCH /mcp HTTP/1.1",
        "HEAD /mcp HTTP/1.1",
        "OPTIONS /mcp HTTP/1.1",
        "PRI * HTTP/2.0",
        "FOO /mcp HTTP/1.1",
        "POST /m\0cp HTTP/1.1",
    ] {
        cases.push((format!("request line {line:?}"), with(line, &length, tool)));
    }
    cases.push(("HTTP/2 without TLS".into(), b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_vec()));
    cases.push(("TLS on a plain port".into(), b"\x16\x03\x01\0\x05\x01\0\0\x01\0".to_vec()));
    cases.push(("noise".into(), vec![0xff; 4_096]));
    cases
}

/// Protocols to change to, for nobody.
fn upgrades(tool: &str) -> Vec<Case> {
    ["h2c", "websocket", "HTTP/2.0", "TLS/1.2"]
        .iter()
        .map(|to| {
            let headers =
                format!("{JSON}Upgrade: {to}\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n");
            (
                format!("upgrade to {to}"),
                request("POST", "/mcp", &headers, tool)
                    .replace("Connection: close", "Connection: Upgrade, HTTP2-Settings, close")
                    .into_bytes(),
            )
        })
        .collect()
}

#[tokio::test]
async fn whoever_is_nobody_is_refused_whatever_they_send() {
    // Thousands of refusals of one address in a row are the subject here, not their limit.
    let key = Key::ec("k");
    let idp = Idp::start(&[&key]).await;
    let web = oidc_rig::web(&idp.issuer(), &[("rate_limit.enabled", "false")]).await;
    let good = web.token(Role::Admin).await;
    let session = web.session(&good).await;
    let (auth, tool) = (format!("Authorization: Bearer {good}\r\n"), call("device.list", json!({})).to_string());
    let control = web.say(&good, &in_session(&session), &call("device.list", json!({}))).await;
    assert_eq!((control.status, web.calls().await), (200, 1), "what the cases ask for is given to a good token: {control:?}");

    let mut cases = strangers(&auth, &tool);
    cases.extend(paths(&auth, &tool));
    cases.extend(framings(&auth, &tool));
    cases.extend(upgrades(&tool));
    let roleless = key.sign(&claims(&idp.issuer(), web.now().0, json!({"roles": ["strangers"]})));
    for (what, method, headers, body) in asks(&session) {
        let headers = format!("{headers}Authorization: Bearer {roleless}\r\n");
        cases.push((format!("somebody without a role: {what}"), request(method, "/mcp", &headers, &body).into_bytes()));
    }
    let bad: Vec<_> = bad_tokens(&web, &good).await.into_iter().chain(bad_jwts(&idp, &key, web.now().0)).collect();
    for (wrong, line) in bad {
        for (what, method, headers, body) in asks(&session) {
            cases.push((format!("{what} with {wrong}"), request(method, "/mcp", &format!("{headers}{line}"), &body).into_bytes()));
        }
    }
    let (mut wrong, mut statuses) = (Vec::new(), std::collections::BTreeMap::<u16, Vec<&str>>::new());
    for (what, bytes) in &cases {
        let answer = web.raw(bytes).await;
        // Pages are for people, who sign in with a form.
        let is_page = answer.header("content-type").is_some_and(|kind| kind.starts_with("text/html"));
        let is_challenged =
            answer.status != 401 || is_page || answer.header("www-authenticate").is_some_and(|value| value.starts_with("Bearer "));
        statuses.entry(answer.status).or_default().push(what);
        // Without a good token there is one answer, and it is given rather than hung up on.
        let is_nobody = asks(&session).iter().any(|(ask, ..)| what.starts_with(&format!("{ask} with")));
        let is_challenged = is_challenged && (!is_nobody || answer.status == 401);
        if !REFUSED.contains(&answer.status) || !is_challenged || answer.body.contains(&good) {
            wrong.push(format!("{what}: {} {}", answer.status, answer.body));
        }
    }
    let counts: Vec<String> = statuses.iter().map(|(status, cases)| format!("{} with {status}", cases.len())).collect();
    println!("{} cases: {}; hung up on: {:?}", cases.len(), counts.join(", "), statuses.get(&0));
    assert!(wrong.is_empty(), "{} of {} were not refused:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    assert!(cases.len() >= FLOOR, "only {} cases ran", cases.len());
    assert_eq!(web.calls().await, 1, "a refused request reached the spine");
    let still = web.say(&good, &in_session(&session), &call("device.list", json!({}))).await;
    assert_eq!(still.status, 200, "the session that others tried to end is still there");
    web.close().await;
}

#[tokio::test]
async fn every_bad_token_gets_the_same_answer() {
    let key = Key::ec("k");
    let idp = Idp::start(&[&key]).await;
    let web = oidc_rig::web(&idp.issuer(), &[]).await;
    let good = web.token(Role::Admin).await;
    let mut said: Vec<(Value, String)> = Vec::new();
    let bad: Vec<_> = bad_tokens(&web, &good).await.into_iter().chain(bad_jwts(&idp, &key, web.now().0)).collect();
    for (wrong, line) in bad {
        if !line.starts_with("Authorization:") {
            continue;
        }
        let answer = web.ask("POST", "/mcp", &format!("{JSON}{line}"), &call("device.list", json!({})).to_string()).await;
        let mut error = answer.message()["error"].clone();
        error["data"]["correlation_id"] = Value::Null;
        said.push((error, answer.header("www-authenticate").unwrap_or_default().to_owned()));
        assert_eq!(said[0], said[said.len() - 1], "{wrong}");
    }
    assert!(said.len() > 45 && said[0].1.contains("error=\"invalid_token\""), "{said:?}");
    web.close().await;
}
