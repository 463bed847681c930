//! Updates in the admin API and pages, and that nothing but a person's word ever applies one.

use crate::admin_rig::{OURS, signed_in};
use crate::http_rig::Web;
use clap::CommandFactory;
use routeros_mcp::access::Role;
use routeros_mcp::cli::args::Cli;
use routeros_mcp::http::admin::routes::{Need, ROUTES};
use routeros_mcp::tools;
use routeros_mcp::tools::spec::Audience;
use serde_json::json;
use std::fs;
use std::path::Path;
use std::time::Duration;

/// What a bundle is sent as.
const BYTES: &str = "Content-Type: application/octet-stream\r\n";
const API: &str = "/admin/api/v1/update";
/// The verbs that change the version.
const DECISIVE: [&str; 2] = ["update.apply", "update.roll_back"];

#[test]
fn no_tool_route_or_command_applies_an_update_without_an_operators_word() {
    let mut seen = 0;
    for tool in tools::all() {
        seen += 1;
        assert!(!tool.name.starts_with("update.") || tool.audience == Audience::Operator, "{} is shown to models", tool.name);
    }
    for route in ROUTES {
        seen += 1;
        if DECISIVE.contains(&route.tool) {
            assert_eq!((route.method, route.need()), ("POST", Need::PROOF), "{route:?}");
        }
    }
    let mut commands = Vec::new();
    leaves(&Cli::command(), "", &mut commands);
    seen += commands.len();
    let of_update: Vec<&str> = commands.iter().filter_map(|name| name.strip_prefix(" update ")).collect();
    // `stand-by` starts what is in place already, and goes back from what was not kept.
    assert_eq!(of_update, ["status", "check", "stage", "apply", "rollback", "stand-by", "hand-over"]);
    // Where the words stand in the source that switch, stage by stage: who calls `apply`, and who calls `switch`.
    for (word, only) in [
        ("updates.apply(", &["src/tools/update/apply.rs"][..]),
        ("updates.roll_back(", &["src/tools/update/roll_back.rs"]),
        (".switch(", &["src/update/root.rs", "src/update/decide.rs"]),
        ("root::act(", &["src/update/decide.rs"]),
        ("root::answer(", &["src/cli/update.rs"]),
        (
            "\"update.apply\"",
            &["src/cli/update.rs", "src/http/admin/pages/update.rs", "src/http/admin/routes.rs", "src/tools/update/apply.rs"],
        ),
        (
            "\"update.roll_back\"",
            &["src/cli/update.rs", "src/http/admin/pages/update.rs", "src/http/admin/routes.rs", "src/tools/update/roll_back.rs"],
        ),
    ] {
        let mut found = Vec::new();
        users(Path::new("src"), word, &mut found);
        found.sort();
        let mut only = only.to_vec();
        only.sort_unstable();
        assert_eq!(found, only, "{word}");
        seen += found.len();
    }
    println!("{seen} ways looked at");
    assert!(seen >= 250, "{seen}");
}

fn leaves(command: &clap::Command, above: &str, found: &mut Vec<String>) {
    for one in command.get_subcommands() {
        let name = format!("{above} {}", one.get_name());
        match one.has_subcommands() {
            true => leaves(one, &name, found),
            false => found.push(name),
        }
    }
}

fn users(dir: &Path, word: &str, found: &mut Vec<String>) {
    for entry in fs::read_dir(dir).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            users(&path, word, found);
        } else if ["_tests.rs", "update/flow_rig.rs", "update/samples.rs"].iter().all(|tests| !path.to_str().unwrap().ends_with(tests)) {
            let text = fs::read_to_string(&path).unwrap();
            // Tests at the end of a file do as they like.
            let text = text.split("#[cfg(test)]\nmod tests").next().unwrap();
            if text.contains(word) {
                found.push(path.display().to_string());
            }
        }
    }
}

#[tokio::test]
async fn no_token_and_no_stale_session_decides_or_sends_a_bundle() {
    let (web, hand) = Web::timed(&[]).await;
    let token = web.token(Role::Admin).await;
    let mut anna = signed_in(&web, "anna", Role::Admin).await;
    let mut rita = signed_in(&web, "rita", Role::ReadOnly).await;
    let decisions = [("confirm", json!({"version": "9.9.9"})), ("roll-back", json!({})), ("stage", json!({}))];
    for (act, body) in &decisions {
        let headers = format!("Authorization: Bearer {token}\r\nContent-Type: application/json\r\n");
        assert_eq!(web.ask("POST", &format!("{API}/{act}"), &headers, &body.to_string()).await.status, 403, "{act} with a token");
        assert_eq!(web.ask("POST", &format!("{API}/{act}"), "Content-Type: application/json\r\n", &body.to_string()).await.status, 401);
        assert_eq!(rita.post(&format!("{API}/{act}"), body.clone()).await.status, 403, "{act} by a reader");
    }
    let bearer = format!("Authorization: Bearer {token}\r\n{BYTES}");
    assert_eq!(web.ask("POST", &format!("{API}/upload"), &bearer, "x").await.status, 403);
    assert_eq!(web.ask("POST", &format!("{API}/upload"), BYTES, "x").await.status, 401);
    assert_eq!(rita.send("POST", &format!("{API}/upload"), &format!("{OURS}{BYTES}"), "x").await.status, 403);
    hand.advance(Duration::from_secs(6 * 60));
    for (act, body) in &decisions {
        assert_eq!(anna.post(&format!("{API}/{act}"), body.clone()).await.status, 401, "{act} with a proof of six minutes ago");
    }
    assert_eq!(anna.send("POST", &format!("{API}/upload"), &format!("{OURS}{BYTES}"), "x").await.status, 401);
    web.close().await;
}

#[tokio::test]
async fn a_bundle_is_taken_in_as_it_is_and_what_is_none_is_refused_before_anything_is_staged() {
    let web = Web::open(&[]).await;
    let mut anna = signed_in(&web, "anna", Role::Admin).await;
    let sent = anna.send("POST", &format!("{API}/upload"), &format!("{OURS}{BYTES}"), "no bundle").await;
    assert_eq!(sent.status, 201, "{sent:?}");
    let sent = sent.message();
    assert_eq!(sent["bytes"], 9);
    let staged = anna.post(&format!("{API}/stage"), json!({"upload": sent["upload"]})).await;
    assert_eq!(staged.status, 422, "{staged:?}");
    assert!(staged.body.contains("the update is refused: the bundle"), "{staged:?}");
    let again = anna.post(&format!("{API}/stage"), json!({"upload": sent["upload"]})).await;
    assert!(again.status >= 400, "an upload is there once: {again:?}");
    for name in ["../../etc/pass", "0123456789abcdeg"] {
        assert!(anna.post(&format!("{API}/stage"), json!({"upload": name})).await.status >= 400, "{name}");
    }
    let status = anna.get(API).await.message();
    assert_eq!((status["state"].as_str(), &status["staged"]), (Some("idle"), &json!(null)));
    let audit = anna.get("/admin/api/v1/audit?limit=50").await.body;
    assert!(audit.contains("update.upload") && audit.contains("update.stage"), "{audit}");
    web.close().await;
}

#[tokio::test]
async fn a_file_of_two_gigabytes_is_refused_by_what_it_says_of_itself() {
    let web = Web::open(&[]).await;
    let mut anna = signed_in(&web, "anna", Role::Admin).await;
    let cookie = anna.cookie("rmcp").unwrap().to_owned();
    let head = format!(
        "POST {API}/upload HTTP/1.1\r\nHost: {}\r\nCookie: rmcp={cookie}\r\n{OURS}{BYTES}Content-Length: 2147483648\r\n\r\n",
        web.at()
    );
    let answer = web.raw(head).await;
    assert_eq!(answer.status, 413, "{answer:?}");
    assert!(answer.body.contains("65 MB"), "{answer:?}");
    let form = anna.send("POST", &format!("{API}/upload"), &format!("{OURS}Content-Type: multipart/form-data\r\n"), "x").await;
    assert_eq!(form.status, 415, "{form:?}");
    web.close().await;
}

#[tokio::test]
async fn the_page_says_what_runs_and_what_was_not_done_and_why() {
    let web = Web::open(&[]).await;
    let mut anna = signed_in(&web, "anna", Role::Admin).await;
    let page = anna.get("/admin/update").await;
    assert_eq!(page.status, 200, "{page:?}");
    assert!(page.body.contains(env!("CARGO_PKG_VERSION")) && page.body.contains("update.url"), "{page:?}");
    let refused = anna.form("/admin/update/confirm", &[("version", "9.9.9"), ("digest", "0123456789")]).await;
    assert_eq!(refused.status, 409, "{refused:?}");
    assert!(refused.body.contains("no version lies ready") && refused.body.contains("role=\"alert\""), "{refused:?}");
    assert_eq!(anna.form("/admin/update/check", &[]).await.status, 303);
    let page = anna.get("/admin/update").await;
    assert!(page.body.contains("The last look failed: update.url is not set"), "{page:?}");
    web.close().await;
}
