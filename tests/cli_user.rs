//! `user …` and `secret …` as a person and a script use them: who is let in, who is locked out, and that no password is
//! found anywhere afterwards.

use crate::cli_rig::{Done, Rig, says};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;

/// Passwords that must not be found anywhere.
const ANNAS: &str = "correct-horse-battery-71";
const BERTS: &str = "staple-of-the-north-29";
const WRONG: &str = "wrong-horse-canary-55";
/// And a secret for routers.
const RADIUS: &str = "radius-canary-8f31c2";

/// A machine with a short lock-out: three wrong passwords, one minute.
fn rig() -> Rig {
    Rig::new().with("ROUTEROS_MCP_AUTH_LOCKOUT_ATTEMPTS", "3").with("ROUTEROS_MCP_AUTH_LOCKOUT_WINDOW", "1m")
}

fn add(rig: &Rig, name: &str, role: &str, password: &str) -> Value {
    let file = rig.private(&format!("{name}.pass"), password);
    rig.json(&["user", "add", name, "--role", role, "--password-file", &file])
}

/// `user check` with this password.
fn check(rig: &Rig, name: &str, password: &str) -> Done {
    let file = rig.private("tried.pass", password);
    rig.run(&["--json", "user", "check", name, "--password-file", &file])
}

#[track_caller]
fn refused(rig: &Rig, name: &str, password: &str, kind: &str, said: &str) {
    let error = check(rig, name, password).error(77);
    assert_eq!(error["kind"], kind, "{error}");
    says(&error["message"], said);
    assert!(error["hint"].is_string(), "{error}");
}

#[track_caller]
fn accepted(rig: &Rig, name: &str, password: &str) -> Value {
    let done = check(rig, name, password);
    assert_eq!(done.code, 0, "{done:?}");
    serde_json::from_str(&done.out).unwrap()
}

#[test]
fn a_user_is_made_listed_and_let_in_by_its_password() {
    let rig = rig();
    assert_eq!(rig.json(&["user", "list"]), json!([]));
    assert!(rig.run(&["user", "list"]).out.contains("user add"), "people are told what to do");
    let anna = add(&rig, "anna", "approver", ANNAS);
    assert_eq!((&anna["name"], &anna["role"], &anna["disabled"]), (&json!("anna"), &json!("approver"), &json!(false)));
    assert_eq!((&anna["last_seen"], &anna["identities"], &anna["warnings"]), (&Value::Null, &json!([]), &json!([])));
    assert!(anna["person"].as_str().is_some_and(|id| id.starts_with("per_")), "{anna}");
    assert!(accepted(&rig, "ANNA", ANNAS)["last_seen"].is_string(), "in any case of the name");
    let bert = rig.run_with(&["--json", "user", "add", "bert", "--role", "admin", "--password-stdin"], &format!("{BERTS}\r\n"));
    assert_eq!(bert.code, 0, "{bert:?}");
    accepted(&rig, "bert", BERTS);
    let names: Vec<Value> = rig.json(&["user", "list"]).as_array().unwrap().iter().map(|user| user["name"].clone()).collect();
    assert_eq!(names, [json!("anna"), json!("bert")]);
    let people = rig.run(&["user", "list"]).out;
    assert!(people.starts_with("name") && people.contains("approver"), "{people}");
    rig.holds_no_bytes(ANNAS);
    rig.holds_no_bytes(BERTS);
}

#[test]
fn rules_are_said_before_anything_is_stored() {
    let rig = rig();
    let adding = |name: &str, role: &str, password: &str, code: i32| {
        let file = rig.private("new.pass", password);
        rig.error(&["user", "add", name, "--role", role, "--password-file", &file], code)
    };
    says(&adding("anna", "approver", "ninechars", 64)["message"], "at least 10");
    says(&adding("annabelle-lee", "approver", "Annabelle-Lee", 64)["message"], "the name of the user");
    says(&adding("anna", "king", ANNAS, 64)["message"], "read_only, ops_rw, approver or admin");
    says(&adding("a b", "approver", ANNAS, 64)["message"], "a user name");
    assert_eq!(rig.json(&["user", "list"]), json!([]));
    add(&rig, "anna", "approver", ANNAS);
    let taken = adding("Anna", "admin", BERTS, 75);
    assert_eq!(taken["kind"], "conflict");
    says(&rig.error(&["user", "add", "bert", "--role", "admin"], 64)["message"], "--password-file");
    says(&rig.error(&["user", "add", "bert", "--role", "admin", "--password", BERTS], 64)["message"], "--password");
    says(&rig.error(&["user", "add", "bert", "--role", "admin", "--password-file", "absent.txt"], 64)["message"], "absent.txt");
    for verb in [&["set-role", "zoe", "admin"][..], &["disable", "zoe"], &["enable", "zoe"], &["link", "zoe", "local|stdio"]] {
        assert_eq!(rig.error(&[&["user"], verb].concat(), 66)["kind"], "not_found", "{verb:?}");
    }
}

#[test]
fn a_password_file_that_others_can_read_is_warned_about() {
    let rig = rig();
    let file = rig.private("open.pass", ANNAS);
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let made = rig.json(&["user", "add", "anna", "--role", "approver", "--password-file", &file]);
    says(&made["warnings"][0], "0644");
    says(&made["warnings"][0], "chmod 600");
    let people = rig.run(&["user", "password", "anna", "--password-file", &file]);
    assert!(people.code == 0 && people.err.contains("can be read by others"), "{people:?}");
}

#[test]
fn a_wrong_password_and_a_name_that_nobody_has_are_told_the_same() {
    let rig = rig();
    add(&rig, "anna", "approver", ANNAS);
    for said in ["is wrong", "is wrong", "locked for another", "locked for another"] {
        refused(&rig, "anna", WRONG, "unauthenticated", said);
        refused(&rig, "nobody", WRONG, "unauthenticated", said);
    }
    rig.holds_no_bytes(WRONG);
}

#[test]
fn a_lock_out_outlives_the_process_and_ends_with_a_new_password() {
    let rig = rig();
    add(&rig, "anna", "approver", ANNAS);
    let daemon = rig.serve();
    refused(&rig, "anna", WRONG, "unauthenticated", "is wrong");
    refused(&rig, "anna", WRONG, "unauthenticated", "is wrong");
    assert_eq!(daemon.end_with(Signal::TERM).code, 0);
    refused(&rig, "anna", WRONG, "unauthenticated", "locked for another");
    refused(&rig, "anna", ANNAS, "unauthenticated", "locked for another");
    assert!(rig.json(&["user", "list"])[0]["locked_until"].is_string());
    let file = rig.private("new.pass", BERTS);
    let changed = rig.json(&["user", "password", "anna", "--password-file", &file]);
    assert_eq!(changed["locked_until"], Value::Null);
    refused(&rig, "anna", ANNAS, "unauthenticated", "is wrong");
    accepted(&rig, "anna", BERTS);
}

#[test]
fn a_lock_out_is_as_long_as_configured() {
    let rig = rig();
    add(&rig, "anna", "approver", ANNAS);
    for _ in 0..3 {
        check(&rig, "anna", WRONG).error(77);
    }
    refused(&rig, "anna", ANNAS, "unauthenticated", "locked");
    let until = rig.json(&["user", "list"])[0]["locked_until"].as_str().unwrap().to_owned();
    let until = routeros_mcp::base::clock::Wall::parse(&until).unwrap();
    let left = until.0 - routeros_mcp::base::clock::Clock::system().wall().0;
    assert!(left <= 60_000, "{left} ms of a lock-out of one minute");
}

#[test]
fn a_disabled_user_is_kept_out_until_enabled() {
    let rig = rig();
    add(&rig, "anna", "approver", ANNAS);
    assert_eq!(rig.json(&["user", "disable", "anna"])["disabled"], true);
    refused(&rig, "anna", ANNAS, "denied", "disabled");
    refused(&rig, "anna", WRONG, "unauthenticated", "is wrong");
    assert_eq!(rig.json(&["user", "enable", "anna"])["disabled"], false);
    accepted(&rig, "anna", ANNAS);
}

#[test]
fn a_role_changes_in_either_spelling() {
    let rig = rig();
    add(&rig, "anna", "read_only", ANNAS);
    assert_eq!(rig.json(&["user", "set-role", "anna", "approver"])["role"], "approver");
    assert_eq!(rig.json(&["user", "set-role", "anna", "--role", "admin"])["role"], "admin");
    assert_eq!(accepted(&rig, "anna", ANNAS)["role"], "admin");
    says(&rig.error(&["user", "set-role", "anna", "king"], 64)["message"], "king");
    assert_eq!(rig.error(&["user", "set-role", "anna"], 64)["kind"], "bad_input");
    assert_eq!(rig.error(&["user", "set-role", "anna", "admin", "--role", "admin"], 64)["kind"], "bad_input");
}

#[test]
fn an_identity_is_linked_to_one_person() {
    let rig = rig();
    add(&rig, "anna", "approver", ANNAS);
    add(&rig, "bert", "approver", BERTS);
    let linked = rig.json(&["user", "link", "anna", "https://login.example|auth0|5f7c"]);
    assert_eq!(linked["identities"], json!(["https://login.example|auth0|5f7c"]));
    let taken = rig.error(&["user", "link", "bert", "https://login.example|auth0|5f7c"], 75);
    says(&taken["message"], "anna");
    assert_eq!(rig.json(&["user", "unlink", "anna", "https://login.example|auth0|5f7c"])["identities"], json!([]));
    says(&rig.error(&["user", "link", "anna", "stdio"], 64)["hint"], "local|stdio");
}

#[test]
fn no_model_reaches_users_or_secrets() {
    let rig = Rig::new().with("ROUTEROS_MCP_MCP_STDIO_ROLE", "admin").with("ROUTEROS_MCP_MCP_TOOLSETS", "all");
    add(&rig, "anna", "approver", ANNAS);
    let mut client = rig.stdio();
    let listed = client.ask(json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}));
    let mut tried = 0;
    for verb in ["user.add", "user.list", "user.set_role", "user.check", "user.set_password", "user.link", "secret.set", "secret.list"] {
        assert!(!listed.to_string().contains(&format!("\"{verb}\"")), "{verb} is listed");
        let asked = json!({"name": "anna", "role": "admin", "password": ANNAS});
        let answer =
            client.ask(json!({"jsonrpc": "2.0", "id": verb, "method": "tools/call", "params": {"name": verb, "arguments": asked}}));
        assert!(answer["error"]["message"].as_str().is_some_and(|said| said.contains("nknown tool")), "{verb}: {answer}");
        tried += 1;
    }
    assert_eq!(tried, 8);
    assert_eq!(client.eof().code, 0);
    rig.holds_no_bytes(ANNAS);
}

#[test]
fn a_secret_is_bound_listed_and_never_shown() {
    let rig = rig();
    assert_eq!(rig.json(&["secret", "list"]), json!([]));
    let file = rig.private("radius", RADIUS);
    let set = rig.json(&[
        "secret",
        "set",
        "nas",
        "--menu",
        "/radius",
        "--menu",
        "ppp secret",
        "--device",
        "tag:site=north",
        "--value-file",
        &file,
    ]);
    assert_eq!(set["menus"], json!(["/radius", "/ppp/secret"]), "{set}");
    assert_eq!((&set["devices"], &set["handle"]), (&json!(["tag:site=north"]), &json!("vault:nas")));
    let piped = rig.run_with(&["--json", "secret", "set", "NAS", "--menu", "/ip/address", "--value-stdin"], RADIUS);
    assert_eq!(piped.code, 0, "{piped:?}");
    let again: Value = serde_json::from_str(&piped.out).unwrap();
    assert_eq!(again["devices"], json!(["all"]), "left out means all, and is recorded as such");
    says(&again["warnings"][0], "/ip/address");
    let made = rig.json(&["secret", "set", "shared", "--menu", "/ip/ipsec/identity", "--generate"]);
    assert_eq!(made["name"], "shared");
    let listed = rig.json(&["secret", "list"]);
    assert_eq!(listed.as_array().unwrap().iter().map(|entry| entry["name"].clone()).collect::<Vec<_>>(), ["NAS", "shared"]);
    assert!(!listed.to_string().contains(RADIUS));
    assert!(rig.run(&["secret", "list"]).out.contains("/ip/address"));
    assert_eq!(rig.json(&["secret", "remove", "nas"])["name"], "NAS");
    assert_eq!(rig.error(&["secret", "remove", "nas"], 66)["kind"], "not_found");
    for (more, said) in [
        (&["--menu", "/radius"][..], "--value-file"),
        (&["--generate"], "--menu"),
        (&["--menu", "/", "--generate"], "some menus"),
        (&["--menu", "../x", "--generate"], "menu path"),
        (&["--menu", "/radius", "--device", "tag:site", "--generate"], "tag:KEY=VALUE"),
        (&["--menu", "/radius", "--generate", "--value-stdin"], "cannot be used with"),
        (&["--menu", "/radius", "--value", RADIUS], "--value"),
    ] {
        says(&rig.error(&[&["secret", "set", "x"], more].concat(), 64)["message"], said);
    }
    rig.holds_no_bytes(RADIUS);
}

#[test]
fn no_password_is_in_a_log_an_answer_a_record_or_a_file() {
    let rig = rig().with("ROUTEROS_MCP_LOG_LEVEL", "TRACE").with("ROUTEROS_MCP_LOG_TARGET", "stderr");
    let daemon = rig.serve();
    let mut heard = String::new();
    let mut keep = |done: Done| heard.push_str(&format!("{}{}", done.out, done.err));
    let (annas, berts, wrong) = (rig.private("a", ANNAS), rig.private("b", BERTS), rig.private("w", WRONG));
    let radius = rig.private("r", RADIUS);
    for arguments in [
        &["user", "add", "anna", "--role", "approver", "--password-file", &annas][..],
        &["user", "add", "anna", "--role", "approver", "--password-file", &annas],
        &["user", "add", "x y", "--role", "approver", "--password-file", &berts],
        &["user", "check", "anna", "--password-file", &annas],
        &["user", "check", "anna", "--password-file", &wrong],
        &["user", "check", "nobody", "--password-file", &wrong],
        &["user", "password", "anna", "--password-file", &berts],
        &["user", "disable", "anna"],
        &["user", "check", "anna", "--password-file", &berts],
        &["secret", "set", "nas", "--menu", "/radius", "--value-file", &radius],
        &["secret", "set", "n s", "--menu", "/radius", "--value-file", &radius],
        &["secret", "list"],
        &["user", "list"],
        &["audit", "list"],
        &["audit", "export"],
    ] {
        keep(rig.run(arguments));
        keep(rig.run(&[&["--json"], arguments].concat()));
    }
    let trail = rig.json(&["audit", "list", "--limit", "100"]);
    for (tool, outcome) in [
        ("user.add", "ok"),
        ("user.add", "conflict"),
        ("user.check", "ok"),
        ("user.check", "unauthenticated"),
        ("user.set_password", "ok"),
        ("user.disable", "ok"),
        ("user.check", "denied"),
        ("secret.set", "ok"),
    ] {
        assert!(
            trail.as_array().unwrap().iter().any(|row| row["tool"] == tool && row["outcome"] == outcome),
            "no {tool} {outcome} in the trail: {trail}"
        );
    }
    heard.push_str(&trail.to_string());
    let log = daemon.end_with(Signal::TERM);
    assert_eq!(log.code, 0);
    assert!(log.err.contains("wrong password"), "the daemon's log is looked at: {}", log.err);
    heard.push_str(&log.err);
    for secret in [ANNAS, BERTS, WRONG, RADIUS] {
        assert!(!heard.contains(secret), "{secret} was said");
        rig.holds_no_bytes(secret);
    }
}
