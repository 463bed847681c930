//! `doctor` and `health`: what they find, what they say to do, and what they never print.

use crate::cli_rig::Rig;
use serde_json::Value;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;

/// What it found about one thing, and its exit code.
fn looked(rig: &Rig, code: i32) -> Value {
    let done = rig.run(&["--json", "doctor"]);
    assert_eq!(done.code, code, "{done:?}");
    serde_json::from_str(&done.out).unwrap_or_else(|_| panic!("no JSON: {done:?}"))
}

fn found<'f>(all: &'f Value, check: &str, status: &str) -> &'f Value {
    let mut those = all["findings"].as_array().unwrap().iter();
    those.find(|one| one["check"] == check && one["status"] == status).unwrap_or_else(|| panic!("no {status} about {check}: {all:#}"))
}

#[test]
fn a_sound_box_is_well_before_and_after_its_first_start_and_nothing_is_made_by_looking() {
    let rig = Rig::new();
    let all = looked(&rig, 0);
    assert_eq!(all["problems"], 0, "{all:#}");
    found(&all, "store", "note");
    assert!(!rig.state().exists(), "it only looks");
    rig.run(&["device", "list"]);
    let all = looked(&rig, 0);
    assert!(found(&all, "store", "ok")["said"].as_str().unwrap().contains("the master key fits"), "{all:#}");
    found(&all, "clock", "ok");
    found(&all, "files", "ok");
    found(&all, "process", "note");
}

#[test]
fn what_does_not_work_is_named_with_what_to_do_and_ends_78() {
    let rig = Rig::new();
    rig.run(&["user", "add", "anna", "--role", "admin", "--password-file", &rig.file("pw", "correct-horse-71\n")]);
    let (key, store) = (rig.state().join("master.key"), rig.state().join("routeros-mcp.redb"));
    std::fs::set_permissions(&store, PermissionsExt::from_mode(0o644)).unwrap();
    let all = looked(&rig, 0);
    assert!(found(&all, "files", "warning")["next"].as_str().unwrap().starts_with("chmod 600 "), "{all:#}");
    std::fs::rename(&key, rig.at("elsewhere")).unwrap();
    let all = looked(&rig, 78);
    assert!(found(&all, "store", "problem")["said"].as_str().unwrap().contains("master key"), "{all:#}");
    assert!(!key.exists(), "no new key is made by looking");
    let people = rig.run(&["doctor"]);
    assert!(people.code == 78 && people.out.contains("problem store") && people.out.contains("do: "), "{people:?}");
}

#[test]
fn a_port_that_is_taken_and_a_wrong_setting_are_found() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let rig = Rig::new().with("ROUTEROS_MCP_MCP_TRANSPORT", "both").with("ROUTEROS_MCP_MCP_HTTP_PORT", &port);
    assert!(found(&looked(&rig, 78), "port", "problem")["said"].as_str().unwrap().contains(&port));
    drop(taken);
    found(&looked(&rig, 0), "port", "ok");
    let rig = Rig::new().with("ROUTEROS_MCP_STORE_CACHE_MB", "many");
    assert!(found(&looked(&rig, 78), "config", "problem")["said"].as_str().unwrap().contains("cache_mb"));
}

#[test]
fn state_in_ram_is_a_problem_unless_it_is_meant() {
    let Ok(ram) = tempfile::tempdir_in("/dev/shm") else {
        eprintln!("ABSENT: no /dev/shm to try this in");
        return;
    };
    let rig = Rig::new().with("ROUTEROS_MCP_STORE_PATH", &ram.path().join("s.redb").to_string_lossy());
    std::fs::create_dir_all(rig.state()).unwrap();
    let all = looked(&rig, 78);
    assert!(found(&all, "disk", "problem")["said"].as_str().unwrap().contains("RAM"), "{all:#}");
    let rig = rig.with("ROUTEROS_MCP_STORE_VOLATILE", "true");
    std::fs::create_dir_all(rig.state()).unwrap();
    found(&looked(&rig, 0), "hardening", "warning");
}

#[test]
fn health_follows_the_process_and_doctor_asks_it_too() {
    let rig = Rig::new().with("ROUTEROS_MCP_MCP_TRANSPORT", "both");
    assert_eq!(rig.run(&["health"]).code, 1);
    let daemon = rig.serve();
    let done = rig.run(&["health"]);
    assert_eq!((done.code, done.out.trim()), (0, "healthy"), "{done:?}");
    let said = rig.json(&["health"]);
    assert_eq!((&said["status"], &said["database"]), (&"healthy".into(), &"connected".into()), "{said}");
    assert!(found(&looked(&rig, 0), "process", "ok")["said"].as_str().unwrap().contains("healthy"));
    daemon.end_with(rustix::process::Signal::TERM);
    let done = rig.run(&["--json", "health"]);
    assert!(done.code == 1 && done.out.is_empty() && done.err.contains("\"kind\":\"unreachable\""), "{done:?}");
}

#[test]
fn health_asks_through_tls_whatever_the_certificate() {
    let rig = Rig::new().with("ROUTEROS_MCP_MCP_TRANSPORT", "both").with("ROUTEROS_MCP_HTTP_TLS", "self-signed");
    let daemon = rig.serve();
    assert!(daemon.ready()["http"].as_str().unwrap().starts_with("https://"));
    assert_eq!(rig.run(&["health"]).code, 0);
    daemon.end_with(rustix::process::Signal::TERM);
}

#[test]
fn no_secret_is_printed() {
    let key = data_encoding::BASE64.encode(&[7; 32]);
    let rig =
        Rig::new().with("ROUTEROS_MCP_ENCRYPTION_KEY", &key).with("ROUTEROS_MCP_ALERT_WEBHOOK_URL", "https://hook.example/s3cret-path");
    for arguments in [&["doctor"][..], &["--json", "doctor"]] {
        let done = rig.run(arguments);
        let all = format!("{}{}", done.out, done.err);
        assert!(!all.contains(&key) && !all.contains("s3cret"), "{all}");
    }
}
