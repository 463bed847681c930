//! Routers that register themselves: one report under one token in its time, nothing told to whoever guesses, nothing trusted
//! before a person compared.

use crate::admin_rig::{Browser, signed_in};
use crate::http_rig::{Answer, Web};
use crate::sim_ssh::{admin, said};
use routeros_mcp::access::Role;
use routeros_mcp::routeros::pin::format_fingerprint;
use routeros_mcp::sim::profiles::Profile;
use routeros_mcp::sim::{Options, Sim};
use serde_json::{Value, json};
use std::time::Duration;

const REPORT: &str = "/admin/api/v1/registrations/report";
const PRINT: &str = "aabbccddeeff00112233445566778899aabbccddeeff00112233445566778899";

/// A registration: its row, token and password.
async fn opened(web: &Web, name: &str) -> (Value, String, String) {
    let made = web.site.operator("registration.create", json!({"name": name, "url": "https://192.0.2.9:8443"})).await;
    assert_eq!(made.fault, None, "{}", made.text);
    let lines: Vec<&str> = made.structured["script"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    // On one line the comment at its head would take all of it away.
    assert!(lines.len() > 30 && lines[0].starts_with('#') && lines[1] == "{", "{lines:?}");
    let script = lines.join("\n");
    let after = |mark: &str| script.split(mark).nth(1).unwrap().split(['"', '\\']).next().unwrap().to_owned();
    (made.structured.clone(), after("token "), after("password=\""))
}

/// As a router sends it: no cookie, no page.
async fn report(web: &Web, token: &str, print: &str, more: &str) -> Answer {
    let body = format!("token {token}\nfingerprint {print}\n{more}identity edge-7\n");
    Browser::of(web).send("POST", REPORT, "Content-Type: text/plain\r\n", &body).await
}

async fn listed(web: &Web) -> Value {
    web.site.operator("registration.list", json!({})).await.structured["rows"].clone()
}

#[tokio::test]
async fn a_router_reports_itself_and_is_taken_in_once_its_fingerprint_was_compared() {
    let web = Web::open(&[]).await;
    let sim = Sim::start(Options { plain: false, ..Options::new(Profile::Office, "office") }).await.unwrap();
    let (row, token, password) = opened(&web, "office").await;
    assert_eq!(row["state"], "waiting");
    // What the script does on the router.
    sim.world().set("/user", "mcp", "password", &password);
    let print = format_fingerprint(&sim.fingerprint());
    let bare = print.strip_prefix("sha256:").unwrap();
    let taken = report(&web, &token, bare, &format!("port {}\nserial HX1\nboard RB5009\nversion 7.20 (stable)\n", sim.https_port())).await;
    assert_eq!(taken.status, 200, "{taken:?}");
    let again = report(&web, &token, PRINT, "").await;
    assert_eq!(again.status, 401, "a token is good once");
    let rows = listed(&web).await;
    assert_eq!((&rows[0]["state"], &rows[0]["report"]["tls_fingerprint"]), (&json!("pending"), &json!(print)), "{rows}");
    assert_eq!(web.site.app.dispatch.world().fleet.len(), 0, "a report adds nothing");

    let mut anna = signed_in(&web, "anna", Role::Admin).await;
    let page = anna.get("/admin/registrations").await;
    assert!(page.status == 200 && page.body.contains(&print) && page.body.contains("RB5009"), "{page:?}");
    let at = format!("/admin/registrations/{}/accept", row["id"].as_str().unwrap());
    let other = format!("sha256:{PRINT}");
    assert_eq!(anna.form(&at, &[("tls_fingerprint", &print), ("address", "127.0.0.1")]).await.status, 400, "not without the box");
    assert_eq!(anna.form(&at, &[("tls_fingerprint", &other), ("address", "127.0.0.1"), ("trusted", "on")]).await.status, 502);
    let done = anna.form(&at, &[("tls_fingerprint", &print), ("address", "127.0.0.1"), ("trusted", "on"), ("tags", "site=north")]).await;
    assert_eq!(done.status, 303, "{done:?}");
    let device = web.site.device("office");
    assert_eq!((device.pins.tls, device.tags.len()), (Some(sim.fingerprint()), 1));
    assert_eq!(anna.form(&at, &[("tls_fingerprint", &print), ("address", "127.0.0.1"), ("trusted", "on")]).await.status, 409);
    let (rows, trail) = (listed(&web).await, web.site.operator("audit.get_events", json!({"limit": 200})).await.structured);
    assert_eq!(rows[0]["state"], "added");
    for secret in [&token, &password] {
        assert!(!rows.to_string().contains(secret.as_str()) && !trail.to_string().contains(secret.as_str()));
    }
    assert!(trail.to_string().contains("registration.report"), "reports stand in the trail");
    web.close().await;
    sim.stop().await;
}

#[tokio::test]
async fn the_script_makes_our_user_on_a_router_and_prints_what_it_could_not_send() {
    let web = Web::open(&[]).await;
    let sim = Sim::start(Options { plain: false, ..Options::new(Profile::Office, "office") }).await.unwrap();
    let asked = json!({"name": "office", "url": "https://192.0.2.9:8443", "username": "mcp-reg", "writes": true});
    let made = web.site.operator("registration.create", asked).await;
    assert_eq!(made.fault, None, "{}", made.text);
    let lines: Vec<&str> = made.structured["script"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let print = format_fingerprint(&sim.fingerprint());
    sim.world().set("/certificate", "router-cert", "fingerprint", print.strip_prefix("sha256:").unwrap());
    // A terminal takes it line by line; a command over SSH ends with its first one, which is a comment.
    let said = said(&admin(&sim).await, &lines[1..].join("\n")).await;
    // Simulated routers reach nobody: this is what a router in a strict device mode does.
    assert!(said.contains("Paste these lines into the page"), "{said}");
    assert!(said.trim_end().ends_with(&print), "{said}");
    let id = made.structured["id"].as_str().unwrap();
    let pasted = web.site.operator("registration.paste", json!({"id": id, "report": said})).await;
    assert_eq!(
        (&pasted.structured["state"], &pasted.structured["report"]["tls_fingerprint"]),
        (&json!("pending"), &json!(print)),
        "{}",
        pasted.text
    );
    assert_eq!(pasted.structured["report"]["rest_port"], sim.https_port(), "{}", pasted.text);
    let taken = web.site.operator("registration.accept", json!({"id": id, "tls_fingerprint": print, "address": "127.0.0.1"})).await;
    assert_eq!(
        (taken.fault, &taken.structured["rights"]["verdict"]),
        (None, &json!("over")),
        "may write, and nothing is granted: {}",
        taken.text
    );
    let granted = web.site.operator("device.update", json!({"device": "office", "capabilities": ["writes"]})).await;
    assert_eq!(granted.structured["rights"]["verdict"], "least", "{}", granted.text);
    web.close().await;
    sim.stop().await;
}

#[tokio::test]
async fn a_bad_token_learns_nothing_and_guessing_ends() {
    let (web, hand) = Web::timed(&[]).await;
    let (_, late, _) = opened(&web, "late").await;
    let (revoked_row, revoked, _) = opened(&web, "revoked").await;
    let gone = web.site.operator("registration.revoke", json!({"id": revoked_row["id"]})).await;
    assert_eq!(gone.structured["state"], "revoked", "{}", gone.text);
    hand.advance(Duration::from_secs(3_601));
    let mut said = Vec::new();
    for token in [late.as_str(), revoked.as_str(), "rmcpreg_guess", ""] {
        let answer = report(&web, token, PRINT, "").await;
        assert_eq!(answer.status, 401, "{answer:?}");
        let mut body: Value = serde_json::from_str(&answer.body).unwrap();
        body["error"]["correlation_id"].take();
        said.push(body);
    }
    assert!(said.iter().all(|one| *one == said[0]), "every no is the same: {said:?}");
    let (_, good, _) = opened(&web, "good").await;
    let mut tries = 0;
    while report(&web, "rmcpreg_guess", PRINT, "").await.status == 401 {
        tries += 1;
        assert!(tries < 1_000, "guessing is never ended");
    }
    assert_eq!(report(&web, &good, PRINT, "").await.status, 429, "this address waits now, whatever it says");
    hand.advance(Duration::from_secs(61));
    assert_eq!(report(&web, &good, PRINT, "").await.status, 200);
    web.close().await;
}

#[tokio::test]
async fn what_is_no_report_is_refused_and_large_ones_unread() {
    let web = Web::open(&[]).await;
    let (row, token, _) = opened(&web, "edge").await;
    let mut router = Browser::of(&web);
    for (body, status) in [
        (format!("token {token}\n"), 401),
        (format!("token {token}\nfingerprint 12"), 401),
        ("\u{0}".into(), 401),
        ("x".repeat(4_000), 413),
    ] {
        assert_eq!(router.send("POST", REPORT, "", &body).await.status, status, "{body:.40}");
    }
    assert_eq!(router.send("GET", REPORT, "", "").await.status, 405);
    let in_address = router.send("POST", &format!("{REPORT}?token={token}"), "", "").await;
    assert_eq!(in_address.status, 400, "never in the address");
    assert_eq!(listed(&web).await[0]["state"], "waiting", "none of that used the token up");
    // Where the router may not call out, its words are pasted.
    let mut anna = signed_in(&web, "anna", Role::Admin).await;
    let at = format!("/admin/registrations/{}/report", row["id"].as_str().unwrap());
    let text = format!("fingerprint {PRINT}\r\nport 443\r\nidentity <b>edge</b>\r\n");
    assert_eq!(anna.form(&at, &[("report", &text)]).await.status, 303);
    let page = anna.get("/admin/registrations").await;
    assert!(page.body.contains(PRINT) && !page.body.contains("<b>edge"), "{}", page.body);
    assert_eq!(anna.form(&at, &[("report", &text)]).await.status, 303, "the same again is fine");
    let other = text.replace(PRINT, &PRINT.replace('a', "b"));
    assert_eq!(anna.form(&at, &[("report", &other)]).await.status, 409);
    web.close().await;
}

#[tokio::test]
async fn no_token_of_the_api_opens_a_registration() {
    let web = Web::open(&[]).await;
    let token = web.token(Role::Admin).await;
    let headers = format!("Authorization: Bearer {token}\r\nContent-Type: application/json\r\n");
    let body = json!({"name": "edge", "url": "https://192.0.2.9"}).to_string();
    assert_eq!(web.ask("POST", "/admin/api/v1/registrations", &headers, &body).await.status, 403);
    for url in ["https://", "ftp://x", "https://x/y", "https://x\" . [/user/add]", "javascript:1"] {
        let reply = web.site.operator("registration.create", json!({"name": "edge", "url": url})).await;
        assert!(reply.fault.is_some(), "{url}");
    }
    web.close().await;
}
