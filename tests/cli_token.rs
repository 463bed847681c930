//! `token …` and the daemon's listener as a person and a script use them: shown once, kept as a digest, gone when revoked.

use crate::cli_rig::{Rig, says, words};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;

/// The head and body of one request to the daemon.
fn ask(url: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(url.trim_start_matches("http://")).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn list_devices(token: &str) -> String {
    let meta = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}});
    let body =
        json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "device.list", "arguments": {}, "_meta": meta}})
            .to_string();
    format!(
        "POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n\
         Accept: application/json, text/event-stream\r\nMCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: device.list\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

#[test]
fn a_token_is_shown_once_opens_the_listener_and_ends_when_it_is_revoked() {
    let rig = Rig::new().with("ROUTEROS_MCP_MCP_TRANSPORT", "http");
    assert!(rig.run(&["token", "list"]).out.contains("token create"), "people are told what to do");
    let daemon = rig.serve();
    let url = daemon.ready()["http"].as_str().unwrap().to_owned();
    let made = rig.run(&["token", "create", "--name", "ci", "--role", "read_only", "--expires", "90d"]);
    let token = made.out.trim_end().to_owned();
    assert!(made.code == 0 && token.starts_with("rmcp_") && token.len() == 48 && !made.err.contains(&token), "{made:?}");
    let answer = ask(&url, &list_devices(&token));
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("\"total\":0"), "{answer}");
    let listed = rig.json(&["token", "list"]);
    let row = &listed[0];
    assert_eq!(
        (&row["name"], &row["role"], &row["state"], &row["devices"]),
        (&json!("ci"), &json!("read_only"), &json!("active"), &json!(["all"]))
    );
    assert!(row["last_used"].is_string() && row["expires_at"].is_string(), "{row}");
    let revoked = rig.json(&["token", "revoke", row["id"].as_str().unwrap()]);
    assert_eq!(revoked["state"], "revoked");
    let answer = ask(&url, &list_devices(&token));
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    let log = daemon.end_with(rustix::process::Signal::TERM);
    assert!(log.code == 0 && !log.err.contains("rmcp_"), "{log:?}");
    let trail = rig.run(&["--json", "audit", "list"]);
    assert!(trail.out.contains("token.create") && trail.out.contains("token.revoke") && !trail.out.contains("rmcp_"), "{trail:?}");
    rig.holds_no_bytes(&token);
    rig.holds_no_bytes(&token[5..]);
}

#[test]
fn scripts_get_the_id_and_the_token_and_mistakes_are_named() {
    let rig = Rig::new();
    let made = rig.json(&["token", "create", "--name", "prometheus", "--role", "metrics", "--device", "tag:site=a", "--device", "edge"]);
    assert!(made["token"].as_str().unwrap().starts_with("rmcp_") && made["id"].as_str().unwrap().starts_with("tok_"), "{made}");
    assert_eq!((&made["role"], &made["devices"]), (&json!("metrics"), &json!(["tag:site=a", "edge"])));
    assert_eq!(made["warnings"], json!(["no device is called edge yet"]), "it may come later, and may be a slip");
    let people = rig.run(&["token", "create", "--name", "late", "--role", "read_only", "--device", "core"]);
    assert!(people.code == 0 && people.err.contains("note: no device is called core yet"), "{people:?}");
    fn create<'a>(more: &[&'a str]) -> Vec<&'a str> {
        [&["token", "create"], more].concat()
    }
    for (arguments, code, word) in [
        (create(&["--name", "prometheus", "--role", "admin"]), 75, "exists"),
        (create(&["--name", "x", "--role", "root"]), 64, "metrics"),
        (create(&["--name", "x", "--role", "admin", "--owner", "nobody"]), 66, "no user"),
        (create(&["--name", "x", "--role", "admin", "--expires", "soon"]), 64, "soon"),
        (create(&["--name", "x", "--role", "admin", "--expires", "0s"]), 64, "future"),
        (create(&["--name", "x", "--role", "admin", "--device", "tag:"]), 64, "tag:"),
        (create(&["--name", "x", "--role", "admin", "--device", "tag:=x"]), 64, "key"),
        (create(&["--name", "x", "--role", "admin", "--device", "bogus:x"]), 64, "bogus:x"),
        (create(&["--name", "x", "--role", "admin", "--device", "env:moon"]), 64, "moon"),
        (vec!["secret", "set", "s", "--menu", "/radius", "--generate", "--device", "bogus:x"], 64, "bogus:x"),
        (create(&["--name", " ", "--role", "admin"]), 64, "name"),
        (vec!["token", "revoke", "x"], 66, "no token"),
    ] {
        let error: Value = rig.error(&arguments, code);
        says(&error["message"], word);
        assert!(!error.to_string().contains("rmcp_"), "{error}");
    }
}

#[test]
fn a_certificate_that_does_not_fit_stops_the_start_and_the_check() {
    let rig = Rig::new().with("ROUTEROS_MCP_HTTP_TLS", "files");
    let file = rig.file("tls.pem", "no certificate\n");
    let rig = rig.with("ROUTEROS_MCP_HTTP_TLS_CERT_FILE", &file).with("ROUTEROS_MCP_HTTP_TLS_KEY_FILE", &file);
    for command in [&["serve"][..], &["check"], &["check", "--preflight"]] {
        says(&rig.error(command, 78)["message"], "http.tls_cert_file");
    }
}

#[test]
fn a_taken_port_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let rig = Rig::new().with("ROUTEROS_MCP_MCP_HTTP_PORT", &port).with("ROUTEROS_MCP_MCP_TRANSPORT", "http");
    for command in ["serve", "check"] {
        let error = rig.error(&[command], 69);
        says(&error["message"], &port);
        says(&error["hint"], "mcp.http_port");
    }
    assert_eq!(rig.json(&["check", "--preflight"])["ok"], true, "that one binds nothing");
    let metrics = Rig::new().with("ROUTEROS_MCP_MCP_TRANSPORT", "http").with("ROUTEROS_MCP_METRICS_PORT", &port);
    says(&metrics.error(&["check"], 69)["hint"], "metrics.port");
    // Whoever speaks MCP on stdio alone needs no port.
    let stdio = rig.with("ROUTEROS_MCP_MCP_TRANSPORT", "stdio");
    says(&json!(stdio.json(&["check"])["warnings"].to_string()), "`serve` would not start");
}

#[test]
fn a_port_that_the_running_appliance_has_is_not_taken() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let rig = Rig::new().with("ROUTEROS_MCP_MCP_TRANSPORT", "http").with("ROUTEROS_MCP_MCP_HTTP_PORT", &free);
    let daemon = rig.serve();
    assert_eq!(rig.json(&["check"])["ok"], true);
    // It listens elsewhere by now, as the configuration has it.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let rig = rig.with("ROUTEROS_MCP_MCP_HTTP_PORT", &taken.local_addr().unwrap().port().to_string());
    assert_eq!(rig.error(&["check"], 69)["kind"], "unreachable");
    assert_eq!(daemon.end_with(rustix::process::Signal::TERM).code, 0);
}

#[test]
fn our_own_listener_is_no_router_at_whichever_port_it_is() {
    let rig = Rig::new().with("ROUTEROS_MCP_MCP_TRANSPORT", "http");
    let daemon = rig.serve();
    let port: u16 = daemon.ready()["http"].as_str().unwrap().rsplit(':').next().unwrap().parse().unwrap();
    let flags = rig.adding("me", port, "x");
    let error = rig.error(&[&words(&flags)[..], &["--yes"]].concat(), 64);
    says(&error["message"], "this appliance itself listens");
    assert_eq!(daemon.end_with(rustix::process::Signal::TERM).code, 0);
}
