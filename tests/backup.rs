//! Backups as an operator makes and restores them: the real program, the pages, and stock tools that open the file.

use crate::admin_rig::{Browser, signed_in};
use crate::cli_rig::{Rig, kill, router, says};
use crate::http_rig::Web;
use crate::site::Site;
use routeros_mcp::access::person::{Actor, Identity};
use routeros_mcp::access::switches::Set;
use routeros_mcp::access::{Role, Switches};
use routeros_mcp::base::clock::Wall;
use routeros_mcp::sim::profiles::Profile;
use routeros_mcp::store::{Options, Store};
use routeros_mcp::watch::backup::Schedule;
use rustix::process::Signal;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const PASSPHRASE: &str = "backup-canary-passphrase-93";
const ADMIN: &str = "correct horse battery";

/// A backup of that machine, for whoever knows the passphrase.
fn made(rig: &Rig, more: &[&str]) -> (String, Value) {
    let (out, passphrase) = (rig.at("b.age").display().to_string(), rig.private("pass", PASSPHRASE));
    let made = rig.json(&[&["backup", "create", "--out", &out, "--passphrase-file", &passphrase], more].concat());
    assert_eq!(made["path"], out.as_str(), "{made}");
    (out, made)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_box_that_burnt_down_comes_back_with_its_routers_once_the_master_key_is_there() {
    let (burnt, fresh, sim) = (Rig::new(), Rig::new(), router(Profile::Office).await);
    burnt.add("edge", &sim);
    let (file, about) = made(&burnt, &[]);
    assert_eq!((&about["has_master_key"], &about["left_out"]), (&json!(false), &json!([])));
    let passphrase = fresh.private("pass", PASSPHRASE);
    let opened = ["--passphrase-file", &passphrase];
    let seen = fresh.json(&[&["backup", "verify", &file], &opened[..]].concat());
    assert_eq!(seen["tables"]["device"], 1, "{seen}");
    // Somebody looked at it before: there is a state and another key, and nothing is lost without a word.
    fresh.json(&["device", "list"]);
    let asks = fresh.error(&[&["backup", "restore", &file], &opened[..]].concat(), 64);
    says(&asks["hint"], "--yes");
    let restore = [&["backup", "restore", &file, "--yes"], &opened[..]].concat();
    let refused = fresh.error(&restore, 75);
    says(&refused["message"], "sealed under master key");
    says(&refused["hint"], "--without-secrets");
    std::fs::copy(burnt.state().join("master.key"), fresh.state().join("master.key")).unwrap();
    let done = fresh.json(&restore);
    assert_eq!((&done["missing"], &done["audited"]), (&json!([]), &json!(true)), "{done}");
    assert_eq!(fresh.json(&["device", "test", "edge"])["status"], "reachable");
    let trail = fresh.json(&["audit", "list"]);
    assert!(trail.as_array().unwrap().iter().any(|record| record["tool"] == "backup.restore"), "{trail}");
    fresh.json(&["audit", "verify"]);
    for rig in [&burnt, &fresh] {
        rig.holds_no_bytes(PASSPHRASE);
        rig.holds_no_bytes(sim.credentials().mcp.password.expose());
    }
}

#[test]
fn a_store_that_was_put_back_or_lost_is_told_by_the_checks_until_it_was_served_and_by_no_other_command() {
    let rig = Rig::new();
    // Each start counts.
    assert_eq!(rig.serve().end_with(Signal::TERM).code, 0);
    let (file, _) = made(&rig, &[]);
    let passphrase = rig.private("pass", PASSPHRASE);
    let restored = rig.run(&["backup", "restore", &file, "--yes", "--passphrase-file", &passphrase]);
    assert_eq!((restored.code, restored.err.as_str()), (0, ""), "{restored:?}");
    let told = || {
        let listed = rig.run(&["user", "list"]);
        assert_eq!((listed.code, listed.err.as_str()), (0, ""), "{listed:?}");
        [rig.run(&["--json", "check"]).out, rig.run(&["--json", "doctor"]).out].map(|said| said.contains("older than what was done"))
    };
    assert_eq!(told(), [true, true]);
    assert_eq!(rig.serve().end_with(Signal::TERM).code, 0);
    assert_eq!(told(), [false, false]);
    std::fs::remove_file(rig.state().join("routeros-mcp.redb")).unwrap();
    assert!(rig.run(&["--json", "doctor"]).out.contains("older than what was done"), "gone altogether");
    assert_eq!(told(), [true, true], "an empty one in its place is no better");
}

#[tokio::test]
async fn a_directory_that_cannot_be_looked_through_is_a_failure_and_no_reason_for_a_backup_a_minute() {
    let place = tempfile::NamedTempFile::new().unwrap();
    let path = place.path().display().to_string();
    let recipient = age::x25519::Identity::generate().to_public().to_string();
    let flags = [("backup.enabled", "true"), ("backup.recipients", recipient.as_str()), ("backup.path", path.as_str())];
    let site = Site::bare(&flags).await;
    let hour = Duration::from_secs(3_600);
    let (mut schedule, now) = (Schedule { every: hour, not_before: Duration::ZERO }, site.app.dispatch.world().clock.mono());
    assert!(!schedule.look(&site.app.dispatch).await);
    assert!(schedule.not_before >= now + hour, "the usual pause after a failure");
    let trail = site.operator("audit.get_events", json!({})).await.structured.to_string();
    assert!(!trail.contains("backup.create"), "none was tried: {trail}");
    site.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_master_key_everything_but_the_secrets_comes_back_and_says_which() {
    let (burnt, fresh, sim) = (Rig::new(), Rig::new(), router(Profile::Office).await);
    burnt.add("edge", &sim);
    let user = burnt.private("anna.pass", ADMIN);
    burnt.json(&["user", "add", "anna", "--role", "admin", "--password-file", &user]);
    let (file, _) = made(&burnt, &[]);
    fresh.json(&["device", "list"]);
    let passphrase = fresh.private("pass", PASSPHRASE);
    let done = fresh.json(&["backup", "restore", &file, "--yes", "--passphrase-file", &passphrase, "--without-secrets"]);
    assert_eq!(done["missing"], json!(["logins of routers: 1", "passwords of local users: 1"]), "{done}");
    assert!(Path::new(done["before"].as_str().unwrap()).join("routeros-mcp.redb").exists(), "{done}");
    assert_eq!(fresh.json(&["device", "list"])[0]["name"], "edge");
    let password = fresh.private("edge.pass", sim.credentials().mcp.password.expose());
    fresh.json(&["device", "update", "edge", "--password-file", &password]);
    assert_eq!(fresh.json(&["device", "test", "edge"])["status"], "reachable");
    fresh.json(&["user", "password", "anna", "--password-file", &user]);
    assert_eq!(fresh.run(&["--json", "user", "check", "anna", "--password-file", &user]).code, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_box_without_any_key_takes_all_but_the_secrets_and_says_what_to_enter_again() {
    let (burnt, fresh, sim) = (Rig::new(), Rig::new(), router(Profile::Office).await);
    burnt.add("edge", &sim);
    burnt.json(&["secret", "set", "nas", "--menu", "/radius", "--generate"]);
    burnt.json(&["token", "create", "--name", "ci", "--role", "read_only"]);
    let (file, about) = made(&burnt, &[]);
    let passphrase = fresh.private("pass", PASSPHRASE);
    let restored = fresh.run(&["backup", "restore", &file, "--passphrase-file", &passphrase]);
    assert_eq!(restored.code, 0, "{restored:?}");
    for said in [
        "no master key was here: a new one is in",
        about["key_id"].as_str().unwrap(),
        "enter again: logins of routers: 1 (device update NAME",
        "enter again: secrets in the vault: 1 (secret set NAME",
        "stays as it was: API tokens",
    ] {
        assert!(restored.out.contains(said), "no `{said}` in {restored:?}");
    }
    assert_ne!(std::fs::read(fresh.state().join("master.key")).unwrap(), std::fs::read(burnt.state().join("master.key")).unwrap());
    assert_eq!(fresh.json(&["token", "list"])[0]["state"], "active");
    assert_eq!(fresh.json(&["secret", "list"]), json!([]));
    assert_eq!(fresh.error(&["device", "test", "edge"], 77)["kind"], "router_denied");
    let password = fresh.private("edge.pass", sim.credentials().mcp.password.expose());
    fresh.json(&["device", "update", "edge", "--password-file", &password]);
    assert_eq!(fresh.json(&["device", "test", "edge"])["status"], "reachable");
    // A key that is named and does not fit is a slip, however empty the box is.
    let other = Rig::new().with("ROUTEROS_MCP_ENCRYPTION_KEY", "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=");
    let passphrase = other.private("pass", PASSPHRASE);
    let refused = other.error(&["backup", "restore", &file, "--passphrase-file", &passphrase], 75);
    says(&refused["message"], "encryption_key is");
}

#[test]
fn a_backup_that_is_not_there_is_a_slip_and_no_matter_of_the_disk() {
    let rig = Rig::new();
    let passphrase = rig.private("pass", PASSPHRASE);
    for command in ["verify", "restore"] {
        let error = rig.error(&["backup", command, "/no/such.age", "--passphrase-file", &passphrase], 64);
        says(&error["message"], "/no/such.age cannot be read");
        says(&error["hint"], "backup list");
    }
    for command in [&["audit", "verify", "/no/such.gz"][..], &["audit", "export", "--from", "/no/such.gz"]] {
        says(&rig.error(command, 64)["message"], "/no/such.gz: no such file");
    }
}

#[test]
fn with_the_master_key_inside_nothing_else_is_needed_and_a_running_appliance_is_not_replaced() {
    let (rig, fresh) = (Rig::new(), Rig::new());
    let running = rig.serve();
    rig.json(&["secret", "set", "radius", "--menu", "/radius", "--generate"]);
    let (file, about) = made(&rig, &["--include-master-key"]);
    assert_eq!(about["has_master_key"], true);
    let passphrase = rig.private("pass", PASSPHRASE);
    let refused = rig.error(&["backup", "restore", &file, "--yes", "--passphrase-file", &passphrase], 75);
    says(&refused["message"], "runs");
    says(&rig.error(&["backup", "create", "--out", &file, "--passphrase-file", &passphrase], 75)["message"], "there already");
    running.end_with(Signal::TERM);
    let done = fresh.json(&["backup", "restore", &file, "--yes", "--passphrase-file", &passphrase]);
    assert_eq!((&done["with_master_key"], &done["before"]), (&json!(true), &Value::Null), "{done}");
    assert_eq!(fresh.json(&["secret", "list"])[0]["name"], "radius");
    let wrong = rig.private("wrong", "backup-canary-passphrase-94");
    says(&fresh.error(&["backup", "verify", &file, "--passphrase-file", &wrong], 64)["message"], "does not open");
    says(&fresh.error(&["backup", "create"], 64)["hint"], "backup.recipients");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_master_key_is_changed_under_a_running_appliance_and_killing_it_loses_nothing() {
    let (rig, sim) = (Rig::new(), router(Profile::Office).await);
    rig.add("edge", &sim);
    let before = std::fs::read(rig.state().join("master.key")).unwrap();
    let running = rig.serve();
    let done = rig.json(&["key", "rotate"]);
    assert!(done["sealed"].as_u64().unwrap() >= 2 && done["before"] != done["key_id"], "{done}");
    assert_ne!(std::fs::read(rig.state().join("master.key")).unwrap(), before);
    assert_eq!(rig.json(&["device", "test", "edge"])["status"], "reachable", "while it runs");
    kill(running.pid(), Signal::KILL);
    drop(running);
    assert_eq!(rig.json(&["device", "test", "edge"])["status"], "reachable", "after a restart");
    let mine = rig.private("new.key", "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=");
    rig.json(&["key", "rotate", "--new-key-file", &mine]);
    assert_eq!(std::fs::read(rig.state().join("master.key")).unwrap(), std::fs::read(&mine).unwrap());
    assert_eq!(rig.json(&["device", "test", "edge"])["status"], "reachable");
    let bad = rig.private("bad.key", "no key");
    says(&rig.error(&["key", "rotate", "--new-key-file", &bad], 64)["message"], "32 bytes in base64");
}

#[test]
fn the_age_program_opens_what_we_made_for_its_key() {
    if Command::new("age").arg("--version").output().is_err() {
        eprintln!("ABSENT: age is not installed: no backup was opened with it");
        return;
    }
    let rig = Rig::new();
    rig.json(&["device", "list"]);
    let keys = rig.at("keys.txt").display().to_string();
    let made = Command::new("age-keygen").args(["-o", &keys]).output().unwrap();
    assert!(made.status.success(), "{made:?}");
    let text = std::fs::read_to_string(&keys).unwrap();
    let recipient = text.lines().find_map(|line| line.strip_prefix("# public key: ")).unwrap();
    let out = rig.at("r.age").display().to_string();
    rig.json(&["backup", "create", "--out", &out, "--recipient", recipient]);
    rig.json(&["backup", "verify", &out, "--identity", &keys]);
    let mut listed = Command::new("sh");
    listed.args(["-c", "age -d -i \"$0\" \"$1\" | tar t", &keys, &out]);
    let listed = listed.output().unwrap();
    assert_eq!(String::from_utf8_lossy(&listed.stdout), "manifest.json\nstore.redb\nconfig.toml\n", "{listed:?}");
}

/// The only backup in the list.
async fn only(browser: &mut Browser) -> String {
    let listed = browser.get("/admin/api/v1/backups").await.message();
    assert_eq!(listed["rows"].as_array().unwrap().len(), 1, "{listed}");
    listed["rows"][0]["name"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_administrator_makes_checks_takes_along_and_deletes_a_backup_in_the_pages() {
    let web = Web::open(&[]).await;
    let mut anna = signed_in(&web, "anna", Role::Admin).await;
    let empty = anna.get("/admin/backup").await;
    assert!(empty.status == 200 && empty.body.contains("None yet"), "{empty:?}");
    let differ = anna.form("/admin/backup", &[("passphrase", PASSPHRASE), ("again", "another-passphrase")]).await;
    assert!(differ.status == 400 && differ.body.contains("differ"), "{differ:?}");
    let made = anna.form("/admin/backup", &[("passphrase", PASSPHRASE), ("again", PASSPHRASE)]).await;
    assert!(made.status == 200 && made.body.contains("is made") && made.body.contains("master key"), "{made:?}");
    let name = only(&mut anna).await;
    let checked = anna.form(&format!("/admin/backup/{name}/verify"), &[("opener", PASSPHRASE)]).await;
    assert!(checked.body.contains("is whole"), "{checked:?}");
    let wrong = anna.form(&format!("/admin/backup/{name}/verify"), &[("opener", "something else entirely")]).await;
    assert!(wrong.status == 400 && wrong.body.contains("does not open"), "{wrong:?}");
    let identity = "AGE-SECRET-KEY-1CANARYCANARYCANARYCANARYCANARYCANARYCANARYCANARYCAN";
    anna.form(&format!("/admin/backup/{name}/verify"), &[("opener", identity)]).await;
    let trail = web.site.operator("audit.get_events", json!({"tool": "backup.verify"})).await;
    assert_eq!(trail.structured["rows"].as_array().unwrap().len(), 6, "three, before and after: {}", trail.text);
    let files = std::fs::read_dir(web.site.app.places.state.join("audit")).unwrap();
    for file in files.map(|file| std::fs::read(file.unwrap().path()).unwrap()) {
        for secret in [identity, PASSPHRASE] {
            assert!(!file.windows(secret.len()).any(|window| window == secret.as_bytes()), "{secret} is in the trail");
        }
    }
    let taken = anna.form(&format!("/admin/backup/{name}/download"), &[]).await;
    assert_eq!((taken.status, taken.header("content-type")), (200, Some("application/octet-stream")));
    assert_eq!(taken.header("content-disposition"), Some(format!("attachment; filename=\"{name}\"").as_str()));
    assert!(taken.body.starts_with("age-encryption.org/v1"), "encrypted as it lies there");
    let gone = anna.form(&format!("/admin/backup/{name}/remove"), &[]).await;
    assert_eq!(gone.status, 303);
    assert!(anna.get("/admin/backup").await.body.contains("None yet"));
    let missing = anna.get(&format!("/admin/api/v1/backups/{name}/content")).await;
    assert_eq!(missing.status, 404, "{missing:?}");
    let escape = anna.get("/admin/api/v1/backups/..%2f..%2fmaster.key/content").await;
    assert_eq!(escape.status, 404, "{escape:?}");
    web.close().await;
}

#[tokio::test]
async fn nobody_but_an_administrator_with_a_session_touches_backups() {
    let web = Web::open(&[]).await;
    let mut anna = signed_in(&web, "anna", Role::Admin).await;
    anna.form("/admin/backup", &[("passphrase", PASSPHRASE), ("again", PASSPHRASE)]).await;
    let name = only(&mut anna).await;
    let content = format!("/admin/api/v1/backups/{name}/content");
    let token = web.token(Role::Admin).await;
    let bearer = format!("Authorization: Bearer {token}\r\n");
    let one = format!("/admin/api/v1/backups/{name}");
    let (verify, other) = (format!("{one}/verify"), format!("/admin/api/v1/backup/{name}/content"));
    for (method, path) in
        [("GET", content.as_str()), ("GET", &other), ("POST", "/admin/api/v1/backups"), ("POST", &verify), ("DELETE", &one)]
    {
        let answer = web.ask(method, path, &bearer, "").await;
        assert_eq!(answer.status, 403, "{method} {path}: {answer:?}");
    }
    for path in ["/admin/api/v1/backups", "/admin/api/v1/backup"] {
        let listed = web.ask("GET", path, &bearer, "").await;
        assert!(listed.status == 200 && listed.body.contains(&name), "a token may know that it is there: {listed:?}");
    }
    for role in [Role::ReadOnly, Role::OpsRw, Role::Approver] {
        let mut bert = signed_in(&web, role.as_str(), role).await;
        assert_eq!(bert.get(&content).await.status, 403, "{role:?}");
        assert_eq!(bert.form("/admin/backup", &[("passphrase", PASSPHRASE), ("again", PASSPHRASE)]).await.status, 403, "{role:?}");
    }
    only(&mut anna).await;
    web.close().await;
}

/// What a machine that stands still has switched off, after a change.
async fn switched(rig: &Rig, change: impl FnOnce(&mut Set)) -> Set {
    let store = Store::open(Options::at(rig.state().join("routeros-mcp.redb"))).unwrap();
    let switches = Switches::open(&store).unwrap();
    let by = Actor { identity: Identity::of_user("anna"), person: None, name: "anna".into() };
    let changing = |set: &mut Set| {
        change(set);
        Ok(())
    };
    switches.set(&store, by, Wall(1), "", changing).await.unwrap();
    let set = Set::clone(&switches.now());
    store.close().await.unwrap();
    set
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_backup_switches_nothing_on_again_that_was_switched_off_since() {
    let rig = Rig::new();
    rig.json(&["device", "list"]);
    switched(&rig, |set| set.tools = vec!["dns.*".into()]).await;
    let (file, _) = made(&rig, &[]);
    switched(&rig, |set| *set = Set { no_plan_apply: true, tools: vec!["ntp.*".into()], ..Set::default() }).await;
    let passphrase = rig.private("pass", PASSPHRASE);
    let restore = ["backup", "restore", &file, "--yes", "--passphrase-file", &passphrase];
    let done = rig.json(&restore);
    says(&done["switches"], "no plan is applied: on");
    says(&done["switches"], "ntp.* switched off");
    assert_eq!(done["switches_lost"], Value::Null);
    let now = switched(&rig, |_| {}).await;
    assert!(now.no_plan_apply && !now.read_only, "{now:?}");
    assert_eq!(now.tools, ["dns.*", "ntp.*"], "what either has off is off");
    let again = rig.json(&restore);
    says(&again["switches"], "no plan is applied: on");
    assert_eq!(switched(&rig, |_| {}).await, now);

    // A store that nobody can read is replaced all the same, and it is said what was lost with it.
    std::fs::write(rig.state().join("routeros-mcp.redb"), b"no store").unwrap();
    let told = rig.run(&restore);
    assert!(told.code == 0 && told.err.contains("set the kill switches again"), "{told:?}");
    assert!(!switched(&rig, |_| {}).await.no_plan_apply);
}
