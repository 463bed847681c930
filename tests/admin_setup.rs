//! The first run: from a token on the terminal to an administrator, and on to the first program that connects.

use crate::admin_rig::{Browser, OURS, PASSWORD};
use crate::cli_rig::Rig;
use crate::http_rig::{Web, in_session};
use routeros_mcp::access::Role;
use routeros_mcp::base::secret::Secret;
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

const SETUP: &str = "/admin/api/v1/setup";

/// The token in an address.
fn token_of(address: &str) -> String {
    address.split_once("/admin/setup#setup=").unwrap().1.to_owned()
}

async fn opened(web: &Web) -> String {
    token_of(&web.site.app.first_run().await.unwrap().unwrap().address)
}

fn claim(token: &str, user: &str) -> Value {
    json!({"token": token, "user": user, "password": PASSWORD})
}

async fn trail(web: &Web, tool: &str) -> Vec<Value> {
    let reply = web.site.operator("audit.get_events", json!({"limit": 100, "tool": tool})).await;
    reply.structured["rows"].as_array().unwrap().clone()
}

#[tokio::test]
async fn the_token_makes_the_first_administrator_and_signs_them_in() {
    let web = Web::open(&[]).await;
    let mut browser = Browser::of(&web);
    assert_eq!(browser.get(SETUP).await.message(), json!({"open": false}), "nobody printed a token");
    let token = opened(&web).await;
    assert_eq!(browser.get(SETUP).await.message(), json!({"open": true}));
    let made = browser.post(SETUP, claim(&token, "anna")).await;
    assert_eq!(made.status, 201, "{made:?}");
    assert_eq!((&made.message()["name"], &made.message()["role"]), (&json!("anna"), &json!("admin")));
    assert_eq!(browser.get("/admin/").await.status, 200, "signed in");
    assert_eq!(browser.get("/admin/api/v1/users").await.message()["total"], 1);
    assert_eq!(browser.get(SETUP).await.message(), json!({"open": false}));
    assert!(web.site.app.first_run().await.unwrap().is_none());
    let rows = trail(&web, "setup.administrator").await;
    assert_eq!((rows.len(), &rows[0]["principal"], &rows[0]["outcome"]), (1, &json!("anna"), &json!("ok")));
    web.close().await;
}

#[tokio::test]
async fn a_token_that_is_used_guessed_or_late_makes_nobody() {
    let (web, hand) = Web::timed(&[]).await;
    let (mut browser, token) = (Browser::of(&web), opened(&web).await);
    for guess in ["", "x", "aaaaaaaaaaaaaaaaaaaaaaaaaa", &token[1..]] {
        let no = browser.post(SETUP, claim(guess, "eve")).await;
        assert_eq!((no.status, no.header("set-cookie")), (401, None), "{no:?}");
        assert!(!no.body.contains(&token));
    }
    hand.advance(Duration::from_secs(30 * 60));
    assert_eq!(browser.post(SETUP, claim(&token, "eve")).await.status, 401, "late");
    assert_eq!(browser.get(SETUP).await.message(), json!({"open": false}));
    let new = opened(&web).await;
    assert_eq!(browser.post(SETUP, claim(&token, "eve")).await.status, 401, "the old one is void");
    assert_eq!(browser.post(SETUP, claim(&new, "anna")).await.status, 201);
    let again = Browser::of(&web).post(SETUP, claim(&new, "eve")).await;
    assert_eq!((again.status, &again.message()["error"]["kind"]), (409, &json!("conflict")), "{again:?}");
    assert_eq!(trail(&web, "setup.administrator").await.iter().filter(|row| row["outcome"] == "unauthenticated").count(), 6);
    web.close().await;
}

#[tokio::test]
async fn whoever_guesses_tokens_is_shut_out_like_whoever_guesses_others() {
    let web = Web::open(&[]).await;
    let (mut browser, token) = (Browser::of(&web), opened(&web).await);
    let mut refused = 0;
    for _ in 0..400 {
        match browser.post(SETUP, claim("aaaaaaaaaaaaaaaaaaaaaaaaaa", "eve")).await.status {
            401 => refused += 1,
            429 => break,
            other => panic!("{other}"),
        }
    }
    assert!((300..=301).contains(&refused), "the failures of a minute: {refused}");
    assert_eq!(browser.post(SETUP, claim(&token, "eve")).await.status, 429, "the right one comes too late");
    web.close().await;
}

#[tokio::test]
async fn of_two_administrators_at_once_one_is_made() {
    let web = Web::open(&[]).await;
    let token = opened(&web).await;
    let (mut one, mut other) = (Browser::of(&web), Browser::of(&web));
    let (first, second) = tokio::join!(one.post(SETUP, claim(&token, "anna")), other.post(SETUP, claim(&token, "eve")));
    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409], "{first:?} {second:?}");
    assert_eq!(web.site.app.dispatch.world().access.users().unwrap().len(), 1);
    web.close().await;
}

#[tokio::test]
async fn another_site_makes_no_administrator_and_a_token_in_an_address_is_refused() {
    let web = Web::open(&[]).await;
    let token = opened(&web).await;
    let mut browser = Browser::of(&web);
    let body = claim(&token, "eve").to_string();
    for headers in ["Sec-Fetch-Site: cross-site\r\n", "Origin: https://evil.example\r\n", ""] {
        let no = browser.send("POST", SETUP, &format!("Content-Type: application/json\r\n{headers}"), &body).await;
        assert_eq!(no.status, 403, "{headers}: {no:?}");
    }
    let form = browser
        .form_from("/admin/setup", "Sec-Fetch-Site: cross-site\r\n", &[("token", &token), ("user", "eve"), ("password", PASSWORD)])
        .await;
    assert_eq!(form.status, 403);
    assert_eq!(browser.get(&format!("/admin/setup?token={token}")).await.status, 400);
    for (method, status) in [("DELETE", 405), ("PUT", 405)] {
        assert_eq!(browser.send(method, SETUP, OURS, "").await.status, status);
    }
    assert_eq!(browser.get(SETUP).await.message(), json!({"open": true}), "nothing was made");
    web.close().await;
}

#[tokio::test]
async fn the_pages_lead_from_nothing_to_a_program_that_has_connected() {
    let web = Web::open(&[]).await;
    let address = web.site.app.first_run().await.unwrap().unwrap().address;
    let mut browser = Browser::of(&web);
    assert_eq!(browser.get("/admin/").await.header("location"), Some("/admin/setup"));
    let page = browser.get("/admin/setup").await;
    assert!(page.status == 200 && page.body.contains(r#"data-fragment="setup""#), "{page:?}");
    assert!(!page.body.contains(&token_of(&address)));
    assert!(browser.get("/admin/sign-in").await.body.contains("/admin/setup"));
    // Without a script all of the address is pasted.
    let weak = browser.form("/admin/setup", &[("token", &address), ("user", "anna"), ("password", "short")]).await;
    assert_eq!(weak.status, 400);
    assert!(
        weak.body.contains(r#"role="alert""#) && weak.body.contains(r#"value="anna""#) && !weak.body.contains(&token_of(&address)),
        "{}",
        weak.body
    );
    let made = browser.form("/admin/setup", &[("token", &address), ("user", "anna"), ("password", PASSWORD)]).await;
    assert_eq!((made.status, made.header("location")), (303, Some("/admin/start")), "{made:?}");
    let start = browser.get("/admin/start").await.body;
    assert!(start.contains("/admin/add") && start.contains("No program of yours has come yet"), "{start}");
    let fields = [("name", "assistant"), ("role", "ops_rw"), ("expires", "90d")];
    let shown = browser.form("/admin/start", &fields).await;
    assert_eq!(shown.status, 200, "{shown:?}");
    let text = shown.body.replace("&#34;", "\"").replace("&quot;", "\"").replace("&#39;", "'");
    for (name, text_of) in [
        ("Claude Code", "claude mcp add --transport http"),
        ("Cursor", "mcp.json"),
        ("VS Code", "servers"),
        ("Inspector", "--cli"),
        ("Claude Desktop", "mcp-remote"),
        ("stdio", "\"stdio\""),
    ] {
        assert!(text.contains(name) && text.contains(text_of), "{name}: {text}");
    }
    assert!(text.contains(&format!("http://{}/mcp", web.at())), "{text}");
    let token = text.split("Bearer ").nth(1).unwrap().split(['"', '\'']).next().unwrap().to_owned();
    assert!(!browser.get("/admin/start").await.body.contains(&token), "once");
    let session = web.session(&token).await;
    let page = browser.get("/admin/start").await.body;
    assert!(page.contains("Connected:") && page.contains("assistant") && page.contains("127.0.0.1"), "{page}");
    let called = web
        .say(
            &token,
            &in_session(&session),
            &json!({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "device.list", "arguments": {}}}),
        )
        .await;
    assert!(called.status == 200 && called.body.contains("\"isError\":false"), "{called:?}");
    // What is written through the token is hers.
    let owner = web.site.operator("token.list", json!({})).await.structured["rows"][0]["owner"].clone();
    assert_eq!(owner, "anna");
    web.close().await;
}

#[tokio::test]
async fn everybody_sees_their_own_programs_and_administrators_all() {
    let web = Web::open(&[]).await;
    let access = &web.site.app.dispatch.world().access;
    access.add("bert", Role::ReadOnly, Secret::new(PASSWORD)).await.unwrap();
    let (his, other) =
        (web.token_as(Some(Role::ReadOnly), |wanted| wanted.owner = Some("bert".into())).await, web.token(Role::ReadOnly).await);
    for token in [&his, &other] {
        web.session(token).await;
        // Of a revision without sessions every request says who it is of.
        assert_eq!(web.modern(token, "tools/list", json!({})).await.status, 200);
    }
    let names = |answer: Value| {
        answer["rows"].as_array().unwrap().iter().map(|row| row["principal"].to_string()).collect::<std::collections::BTreeSet<_>>().len()
    };
    let mut bert = Browser::of(&web);
    assert_eq!(bert.post("/admin/api/v1/session", json!({"user": "bert", "password": PASSWORD})).await.status, 200);
    assert_eq!(names(bert.get("/admin/api/v1/clients").await.message()), 1);
    let mut anna = crate::admin_rig::signed_in(&web, "anna", Role::Admin).await;
    assert_eq!(names(anna.get("/admin/api/v1/clients").await.message()), 2);
    web.close().await;
}

#[tokio::test]
async fn an_old_link_says_that_the_first_run_is_over() {
    let web = Web::open(&[]).await;
    let token = opened(&web).await;
    web.site.app.dispatch.world().access.add("anna", Role::Admin, Secret::new(PASSWORD)).await.unwrap();
    let mut browser = Browser::of(&web);
    let page = browser.get("/admin/setup").await;
    assert!(page.body.contains("has been made") && !page.body.contains("<form"), "{}", page.body);
    assert_eq!(browser.form("/admin/setup", &[("token", &token), ("user", "eve"), ("password", PASSWORD)]).await.status, 409);
    assert_eq!(browser.get("/admin/").await.header("location"), Some("/admin/sign-in"));
    web.close().await;
}

#[test]
fn the_program_prints_the_address_where_nobody_else_reads_it() {
    let rig = Rig::new();
    let server = rig.serve();
    let shown = rig.json(&["setup-token"]);
    let address = shown["address"].as_str().unwrap();
    let token = token_of(address);
    assert_eq!(token.len(), 26, "{address}");
    assert_eq!(rig.json(&["setup-token"])["address"], shown["address"], "the same while it is good");
    assert!(shown["tunnel"].as_str().unwrap().starts_with("ssh -L "), "we listen on loopback");
    let file = std::path::PathBuf::from(shown["file"].as_str().unwrap());
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(std::fs::read_to_string(&file).unwrap().contains(address));
    let words = rig.run(&["setup-token"]);
    assert!(words.out.contains(address) && words.out.contains("ssh -L"), "{words:?}");
    let password = rig.file("pw", format!("{PASSWORD}\n"));
    rig.json(&["user", "add", "anna", "--role", "admin", "--password-file", &password]);
    assert!(!file.exists());
    let no = rig.error(&["setup-token"], 75);
    assert!(no["message"].as_str().unwrap().contains("has been made"), "{no}");
    let log = server.end_with(rustix::process::Signal::TERM).err;
    assert!(!log.contains(&token) && log.contains("setup-token"), "no log has it: {log}");
}

#[test]
fn without_a_daemon_there_is_no_address_to_print() {
    let rig = Rig::new();
    let no = rig.error(&["setup-token"], 75);
    assert!(no["hint"].as_str().unwrap().contains("routeros-mcp serve"), "{no}");
}
