//! The state directory in good and bad days: newer, locked, full, foreign, damaged; and who serves it when several want to.

use crate::cli_rig::{Rig, files, finish, router, says, words};
use routeros_mcp::sim::profiles::Profile;
use routeros_mcp::store::{Durability, Options, Record, SCHEMA, Store, Table};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// How long an idle process may take to leave.
const LEAVE: Duration = Duration::from_secs(1);

#[test]
fn a_new_trail_raises_no_alarm_and_files_are_private() {
    let rig = Rig::new();
    for _ in 0..2 {
        let done = rig.run(&["device", "list"]);
        assert_eq!((done.code, done.err.as_str()), (0, ""), "{done:?}");
    }
    for file in files(&rig.state()) {
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o077, 0, "{}", file.display());
    }
    assert_eq!(rig.state().metadata().unwrap().permissions().mode() & 0o777, 0o700);
}

/// The store's note of its own schema, as [`routeros_mcp::store`] keeps it.
#[derive(serde::Serialize, serde::Deserialize)]
struct Meta {
    schema: u32,
    written_by: String,
}

impl Record for Meta {
    const TABLE: &'static str = "meta";
    const VERSION: u8 = 1;
}

#[tokio::test]
async fn a_store_from_a_newer_version_is_refused_and_left_alone() {
    let rig = Rig::new();
    rig.run(&["device", "list"]);
    let path = rig.state().join("routeros-mcp.redb");
    let store = Store::open(Options { volatile_ok: true, ..Options::at(&path) }).unwrap();
    let meta = Table::<Meta>::new(store.clone());
    assert_eq!(meta.get("schema").unwrap().unwrap().schema, SCHEMA);
    meta.put("schema", &Meta { schema: SCHEMA + 1, written_by: "99.0.0".into() }, Durability::Now).await.unwrap();
    store.close().await.unwrap();
    for command in [&["device", "list"][..], &["serve"], &["stdio"], &["check"], &["check", "--preflight"]] {
        let error = rig.error(command, 78);
        says(&error["message"], &format!("schema {}", SCHEMA + 1));
        says(&error["hint"], "newer build");
    }
}

#[test]
fn a_second_daemon_on_one_state_directory_is_told_to_go() {
    let rig = Rig::new();
    let first = rig.serve();
    assert_eq!(first.ready()["ready"], true);
    assert_eq!(first.ready()["pid"], first.pid());
    assert_eq!(first.ready()["control"], rig.state().join("run/control.sock").to_string_lossy().as_ref());
    let began = Instant::now();
    let error = rig.error(&["serve"], 75);
    assert!(began.elapsed() < Duration::from_secs(10));
    assert_eq!(error["kind"], "conflict");
    says(&error["hint"], "--data-dir");
    assert_eq!(rig.json(&["device", "list"]), json!([]), "the first one goes on");
    let began = Instant::now();
    let done = first.end_with(Signal::TERM);
    assert!(done.code == 0 && began.elapsed() < LEAVE, "{:?} {done:?}", began.elapsed());
    assert!(!rig.state().join("run/control.sock").exists());
}

#[test]
fn a_daemon_outlives_sighup_and_leaves_at_sigint() {
    let rig = Rig::new();
    let daemon = rig.serve();
    daemon.signal(Signal::HUP);
    assert_eq!(rig.json(&["device", "list"]), json!([]));
    let done = daemon.end_with(Signal::INT);
    assert_eq!(done.code, 0, "{done:?}");
    assert!(done.err.contains("ready: control socket"), "{done:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_with_a_health_reading_stuck_on_a_dead_router_still_leaves_at_once() {
    let rig = Rig::new().with("ROUTEROS_MCP_HEALTH_CHECK_JITTER_SECONDS", "0").with("ROUTEROS_MCP_ROUTEROS_REST_TIMEOUT_SECONDS", "30");
    let sim = router(Profile::HomeAp).await;
    rig.add("edge", &sim);
    sim.cut_connections();
    let before = sim.faults().requests_total();
    sim.faults().inject(routeros_mcp::sim::faults::Rule::always(routeros_mcp::sim::faults::Fault::Hang));
    let daemon = rig.serve();
    let deadline = Instant::now() + Duration::from_secs(20);
    while sim.faults().requests_total() == before {
        assert!(Instant::now() < deadline, "no reading came");
        tokio::task::yield_now().await;
    }
    let began = Instant::now();
    let done = daemon.end_with(Signal::TERM);
    assert_eq!(done.code, 0, "{done:?}");
    assert!(began.elapsed() < LEAVE * 2, "{:?}", began.elapsed());
}

#[test]
fn a_ready_descriptor_that_is_not_open_is_bad_input_and_nothing_stays_locked() {
    let rig = Rig::new();
    says(&rig.error(&["serve", "--once-ready-fd", "77"], 64)["message"], "77");
    assert_eq!(rig.json(&["device", "list"]), json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn three_clients_share_one_state_and_go_on_when_the_first_one_leaves() {
    let (rig, sim) = (Rig::new(), router(Profile::Office).await);
    let mut first = rig.stdio();
    let (mut second, mut third) = (rig.stdio(), rig.stdio());
    rig.add("edge", &sim);
    for client in [&mut first, &mut second, &mut third] {
        let listed = client.call("device.list", json!({}));
        assert_eq!(listed["structuredContent"]["rows"][0]["name"], "edge", "{listed}");
    }
    let began = Instant::now();
    let done = first.eof();
    assert!(done.code == 0 && began.elapsed() < LEAVE * 2, "{:?} {done:?}", began.elapsed());
    for client in [&mut second, &mut third] {
        let listed = client.call("device.list", json!({}));
        assert_eq!(listed["structuredContent"]["rows"][0]["name"], "edge", "{listed}");
        let clock = client.call("system.get_clock", json!({"device": "edge"}));
        assert_ne!(clock["isError"], true, "{clock}");
    }
    rig.json(&["device", "update", "edge", "--name", "core"]);
    for client in [&mut second, &mut third] {
        let listed = client.call("device.list", json!({}));
        assert_eq!(listed["structuredContent"]["rows"][0]["name"], "core", "{listed}");
    }
    assert_eq!(second.eof().code, 0);
    assert_ne!(third.call("device.list", json!({}))["isError"], true);
    let began = Instant::now();
    let done = third.end_with(Signal::TERM);
    assert!(done.code == 0 && began.elapsed() < LEAVE, "{:?} {done:?}", began.elapsed());
    assert_eq!(rig.json(&["audit", "verify"])["ok"], true);
}

#[test]
fn a_client_joins_a_daemon_and_outlives_it() {
    let rig = Rig::new();
    let daemon = rig.serve();
    let mut client = rig.stdio();
    assert_ne!(client.call("device.list", json!({}))["isError"], true);
    assert_eq!(daemon.end_with(Signal::KILL).code, 1009);
    assert_ne!(client.call("device.list", json!({}))["isError"], true, "it opened the store itself");
    assert_eq!(client.eof().code, 0);
}

/// The program under a limit on the size of files, in blocks of 512 or 1,024 bytes: as near to a full disk as a test
/// without a file system of its own comes.
pub fn limited(rig: &Rig, blocks: u32, arguments: &[&str]) -> crate::cli_rig::Done {
    let mut shell = Command::new("sh");
    rig.prepare(&mut shell);
    let script = format!("ulimit -f {blocks} && exec \"$0\" \"$@\"");
    shell.args(["-c", &script, env!("CARGO_BIN_EXE_routeros-mcp"), "--data-dir"]).arg(rig.state()).args(arguments);
    finish(shell, "")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_a_storage_error_and_nothing_is_half_stored() {
    let (rig, sim) = (Rig::new(), router(Profile::Office).await);
    let password = sim.credentials().mcp.password;
    let flags = rig.adding("edge", sim.https_port(), password.expose());
    let add = [&["--json"][..], &words(&flags), &["--yes"]].concat();
    // Not even a new store finds room.
    let done = limited(&rig, 1, &add);
    says(&done.error(74)["hint"], "disk");
    rig.holds_no_device(password.expose());
    // The store is there and cannot grow.
    let done = limited(&rig, 1, &add);
    let error = done.error(74);
    assert_eq!(error["kind"], "storage");
    rig.holds_no_device(password.expose());
    assert_eq!(rig.json(&["audit", "verify"])["ok"], true);
    rig.add("edge", &sim);
    assert_eq!(rig.json(&["device", "list"]).as_array().unwrap().len(), 1, "it heals by itself");
}

#[test]
fn a_state_directory_that_cannot_be_used_is_named() {
    let rig = Rig::new();
    std::fs::write(rig.state(), "in the way").unwrap();
    let error = rig.error(&["device", "list"], 78);
    says(&error["message"], &rig.state().to_string_lossy());
    says(&error["hint"], "--data-dir");
    std::fs::remove_file(rig.state()).unwrap();
    std::fs::create_dir(rig.state()).unwrap();
    std::fs::set_permissions(rig.state(), PermissionsExt::from_mode(0o777)).unwrap();
    says(&rig.error(&["device", "list"], 78)["hint"], "chmod");
    std::fs::set_permissions(rig.state(), PermissionsExt::from_mode(0o700)).unwrap();
    rig.json(&["device", "list"]);
    if rustix::process::geteuid().is_root() {
        eprintln!("running as root: a directory without permissions is not tried, root may enter it");
        return;
    }
    std::fs::set_permissions(rig.state(), PermissionsExt::from_mode(0o000)).unwrap();
    let done = rig.run(&["--json", "device", "list"]);
    std::fs::set_permissions(rig.state(), PermissionsExt::from_mode(0o700)).unwrap();
    says(&done.error(done.code)["message"], "permission denied");
}

#[test]
fn a_state_directory_in_ram_is_refused_unless_told() {
    let Ok(ram) = tempfile::Builder::new().prefix("cli-").tempdir_in("/dev/shm") else {
        eprintln!("no /dev/shm here: not tried");
        return;
    };
    let rig = Rig::new();
    let mut command = Command::new(env!("CARGO_BIN_EXE_routeros-mcp"));
    rig.prepare(&mut command);
    command.args(["--json", "device", "list", "--data-dir"]).arg(ram.path());
    let done = finish(command, "");
    if done.code == 0 {
        eprintln!("/dev/shm is no RAM here: not tried");
        return;
    }
    let error = done.error(74);
    says(&error["message"], "lost at every reboot");
    says(&error["hint"], "store.volatile");
}

#[test]
fn a_wrong_or_broken_master_key_opens_nothing() {
    let rig = Rig::new();
    rig.json(&["device", "list"]);
    let key = rig.state().join("master.key");
    let good = std::fs::read(&key).unwrap();
    for (text, why) in [("garbage\n", "32 bytes in base64"), ("", "32 bytes in base64"), ("AAAA\n", "32 bytes in base64")] {
        std::fs::write(&key, text).unwrap();
        let error = rig.error(&["device", "list"], 74);
        says(&error["message"], why);
        says(&error["hint"], "0600");
    }
    std::fs::write(&key, data_encoding::BASE64.encode(&[5; 32]) + "\n").unwrap();
    let error = rig.error(&["device", "list"], 74);
    says(&error["message"], "does not open this store");
    says(&error["hint"], "master.key");
    std::fs::write(&key, &good).unwrap();
    std::fs::set_permissions(&key, PermissionsExt::from_mode(0o644)).unwrap();
    says(&rig.error(&["device", "list"], 74)["message"], "others may read it");
    std::fs::set_permissions(&key, PermissionsExt::from_mode(0o600)).unwrap();
    rig.json(&["device", "list"]);
}

#[test]
fn a_damaged_store_is_an_error_and_never_a_panic() {
    for at in [0_usize, 64, 4_096] {
        let rig = Rig::new();
        rig.json(&["device", "list"]);
        let path = rig.state().join("routeros-mcp.redb");
        let mut bytes = std::fs::read(&path).unwrap();
        let end = bytes.len().min(at + 256);
        bytes[at..end].fill(0xa5);
        std::fs::write(&path, &bytes).unwrap();
        let done = rig.run(&["--json", "device", "list"]);
        if done.code != 0 {
            assert_eq!(done.error(74)["kind"], "storage", "{at}: {done:?}");
        }
        assert!(!done.err.contains("panicked"), "{done:?}");
    }
}

fn segment(state: &Path) -> std::path::PathBuf {
    state.join("audit/00000001.seg")
}

#[test]
fn a_flipped_byte_in_the_trail_is_found_and_named() {
    let rig = Rig::new();
    for _ in 0..5 {
        rig.json(&["device", "list"]);
    }
    let whole = rig.json(&["audit", "verify"]);
    assert_eq!((&whole["ok"], &whole["records"]), (&json!(true), &json!(5)), "{whole}");
    let path = segment(&rig.state());
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    let error = rig.error(&["audit", "verify"], 74);
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("broken at record 3"), "{message}");
    says(&error["hint"], "evidence");
}

#[test]
fn the_trail_is_exported_signed_and_from_a_day_on() {
    let rig = Rig::new();
    for _ in 0..3 {
        rig.json(&["device", "list"]);
    }
    let export = |more: &[&str]| {
        let done = rig.run(&[&["audit", "export"][..], more].concat());
        assert_eq!(done.code, 0, "{done:?}");
        done.out
    };
    let whole: Value = serde_json::from_str(&export(&["--format", "json"])).unwrap();
    let records = whole["records"].as_array().unwrap();
    assert_eq!((records.len(), &records[0]["seq"], &records[0]["tool"]), (3, &json!(1), &json!("device.list")), "{whole}");
    assert!(whole["head"]["signature"].is_string(), "{whole}");
    let csv = export(&["--format", "csv"]);
    assert!(csv.starts_with("seq,") && csv.lines().count() >= 4, "{csv}");
    let later: Value = serde_json::from_str(&export(&["--format", "json", "--since", "2099-01-01"])).unwrap();
    assert_eq!(later["records"], json!([]));
    assert_eq!(rig.error(&["audit", "export", "--since", "yesterday"], 64)["kind"], "bad_input");
    assert!(!files(&rig.state()).iter().any(|file| file.to_string_lossy().contains("export-")), "no copy stays");
    let daemon = rig.serve();
    let again = export(&["--format", "csv"]);
    assert!(again.starts_with(&csv), "through the daemon it is the same, and goes on");
    assert!(again[csv.len()..].contains("audit.export"), "an export is in the trail itself");
    assert_eq!(daemon.end_with(Signal::TERM).code, 0);
}

#[test]
fn a_bridge_goes_by_the_daemons_configuration_and_not_its_own() {
    let rig = Rig::new();
    let daemon = rig.serve();
    let rig = rig.with("ROUTEROS_MCP_NO_SUCH_KEY", "1");
    let mut bridge = rig.stdio();
    let answer = bridge.call("device.list", json!({}));
    assert_eq!(answer["structuredContent"]["total"], 0, "{answer}");
    assert_eq!(bridge.eof().code, 0);
    assert_eq!(daemon.end_with(Signal::TERM).code, 0);
    assert_eq!(finish(rig.command(&["stdio"]), "").code, 78, "without a daemon its own configuration counts");
}
