//! `update` at the command line, and root's part of it, as processes of their own.

use crate::cli_rig::{Done, Rig, Running, finish, kill, says};
use crate::cli_store::limited;
use rustix::process::Signal;
use serde_json::json;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where root keeps versions, with a request laid before it.
fn asked(rig: &Rig, act: &str) -> (String, String) {
    let (versions, requests) = (rig.at("versions"), rig.at("requests"));
    fs::create_dir_all(&versions).unwrap();
    fs::create_dir_all(&requests).unwrap();
    let request = json!({"act": act, "id": "00aa", "digest": "", "version": "1.1.0", "by": "anna"});
    fs::write(requests.join("request.json"), request.to_string()).unwrap();
    (versions.display().to_string(), requests.display().to_string())
}

#[test]
fn root_judges_where_the_services_own_secrets_are_not_to_be_had() {
    // In prod a master key is required, which the service has as a credential, and root has not.
    let rig = Rig::new().with("ROUTEROS_MCP_ENVIRONMENT", "prod");
    rig.error(&["config", "check"], 78);
    let (versions, requests) = asked(&rig, "commit");
    let error = rig.error(&["update", "hand-over", "--versions", &versions, "--requests", &requests], 76);
    says(&error["message"], "nothing of that name waits to be kept");
    assert!(!rig.at("requests/request.json").exists(), "asked once");
    assert!(fs::read_to_string(rig.at("versions/refused")).unwrap().contains("nothing of that name waits"), "where the service reads it");
}

#[test]
fn a_request_that_cannot_be_judged_or_read_is_gone_all_the_same_so_that_the_unit_is_not_started_for_ever() {
    let rig = Rig::new().with("ROUTEROS_MCP_UPDATE_PUBLIC_KEYS", "no key");
    let (versions, requests) = asked(&rig, "apply");
    let hand_over = ["update", "hand-over", "--versions", &versions, "--requests", &requests];
    says(&rig.error(&hand_over, 76)["message"], "update.public_keys");
    assert!(!rig.at("requests/request.json").exists());
    for text in ["", "{}", "not JSON"] {
        fs::write(rig.at("requests/request.json"), text).unwrap();
        rig.error(&hand_over, 76);
        assert!(!rig.at("requests/request.json").exists(), "{text}");
    }
    fs::create_dir_all(rig.at("requests/request.json/deeper")).unwrap();
    rig.error(&hand_over, 76);
    assert!(!rig.at("requests/request.json").exists(), "nor a directory of that name");
}

#[test]
fn a_key_that_is_none_is_told_with_the_rest_of_the_configuration() {
    let rig = Rig::new().with("ROUTEROS_MCP_UPDATE_PUBLIC_KEYS", "RWSnokey");
    let done = rig.run(&["config", "check"]);
    assert!(done.code == 78 && format!("{}{}", done.out, done.err).contains("RWSnokey is no minisign public key"), "{done:?}");
}

#[test]
fn what_cannot_be_done_says_what_can() {
    let rig = Rig::new();
    says(&rig.error(&["update", "check"], 75)["message"], "update.url is not set");
    says(&rig.error(&["update", "apply", "1.1.0", "--yes"], 75)["hint"], "--file");
    says(&rig.error(&["update", "rollback", "--yes"], 75)["message"], "no version to go back to");
    let bundle = rig.file("bundle", "no bundle");
    says(&rig.error(&["update", "apply", "--file", &bundle, "--yes"], 76)["message"], "the bundle cannot be read");
    says(&rig.error(&["update", "stage", "--file", "/nowhere"], 64)["message"], "/nowhere");
    let status = rig.json(&["update", "status"]);
    assert_eq!((status["state"].as_str(), &status["staged"]), (Some("idle"), &json!(null)), "{status}");
}

#[test]
fn a_bundle_that_finds_no_room_is_the_disks_fault_and_leaves_nothing_behind() {
    let rig = Rig::new();
    rig.json(&["update", "status"]);
    let bundle = rig.file("bundle", vec![7; 9 << 20]);
    let error = limited(&rig, 8_192, &["--json", "update", "stage", "--file", &bundle]).error(74);
    let uploads = rig.state().join("update/uploads");
    says(&error["message"], &uploads.display().to_string());
    assert_eq!(fs::read_dir(&uploads).unwrap().count(), 0);
}

#[test]
fn what_is_left_of_a_bundle_whose_copying_was_cut_off_goes_with_the_next_start() {
    let rig = Rig::new();
    let half = rig.state().join("update/uploads/0123456789abcdef");
    rig.json(&["update", "status"]);
    fs::create_dir_all(half.parent().unwrap()).unwrap();
    fs::write(&half, "half a bundle").unwrap();
    rig.json(&["update", "status"]);
    assert!(!half.exists());
}

/// A service that was taken over: it answers the command line whatever it likes.
fn taken_over(rig: &Rig, said: serde_json::Value) {
    use std::io::{BufRead, BufReader, Write};
    fs::create_dir_all(rig.state().join("run")).unwrap();
    let socket = std::os::unix::net::UnixListener::bind(rig.state().join("run/control.sock")).unwrap();
    // Ends with the test's process; nobody waits for it.
    std::thread::spawn(move || {
        for stream in socket.incoming().flatten() {
            let mut line = String::new();
            let mut reader = BufReader::new(stream);
            if reader.read_line(&mut line).is_err() {
                continue;
            }
            let asked: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
            let answer = match asked["open"].as_str() {
                Some("hello") => json!({"ok": true, "version": 1, "server": env!("CARGO_PKG_VERSION"), "pid": 1, "data_dir": "/"}),
                Some("op") => json!({ "result": said }),
                _ => {
                    let result = json!({"content": [{"type": "text", "text": ""}], "structuredContent": said, "_meta": {}});
                    json!({"result": result, "kind": null, "unknown_tool": false})
                }
            };
            let _ = writeln!(reader.get_mut(), "{answer}");
        }
    });
}

#[test]
fn a_service_that_was_taken_over_makes_roots_command_line_remove_and_copy_nothing() {
    let rig = Rig::new();
    let victim = rig.at("etc");
    fs::create_dir_all(&victim).unwrap();
    fs::write(victim.join("shadow"), "root's own").unwrap();
    let (dir, shadow) = (victim.display().to_string(), victim.join("shadow").display().to_string());
    taken_over(&rig, json!({"upload_dir": dir, "path": shadow, "name": "x", "bytes": 1}));
    let bundle = rig.file("bundle", "a bundle");
    says(&rig.error(&["update", "stage", "--file", &bundle], 77)["message"], "nothing was touched there");
    let out = rig.at("copy").display().to_string();
    says(&rig.error(&["backup", "create", "--out", &out], 77)["message"], "nothing was touched there");
    says(&rig.error(&["audit", "export"], 77)["message"], "nothing was touched there");
    assert_eq!(fs::read_to_string(victim.join("shadow")).unwrap(), "root's own");
    assert_eq!(fs::read_dir(&victim).unwrap().count(), 1);
    assert!(!rig.at("copy").exists());
}

#[test]
fn a_link_in_the_place_of_a_directory_of_the_state_gives_the_service_no_file_of_roots() {
    if !rustix::process::geteuid().is_root() {
        // Whoever is not root can be led to nothing but their own files.
        eprintln!("ABSENT: this is not root: nobody was led to root's files");
        return;
    }
    let rig = Rig::new();
    let (victim, backups) = (rig.at("etc"), rig.state().join("backups"));
    for dir in [&victim, &rig.state().join("update")] {
        fs::create_dir_all(dir).unwrap();
    }
    fs::write(victim.join("shadow"), "root's own").unwrap();
    fs::create_dir_all(victim.join("uploads")).unwrap();
    std::os::unix::fs::symlink(&victim, &backups).unwrap();
    let upload = rig.state().join("update/uploads");
    std::os::unix::fs::symlink(victim.join("uploads"), &upload).unwrap();
    taken_over(&rig, json!({"upload_dir": upload, "path": backups.join("shadow"), "name": "x", "bytes": 1}));
    for path in [rig.state(), rig.state().join("update")] {
        std::os::unix::fs::chown(path, Some(4_711), Some(4_711)).unwrap();
    }
    let out = rig.at("copy").display().to_string();
    says(&rig.error(&["backup", "create", "--out", &out], 77)["message"], "is no file of the appliance's");
    assert!(!rig.at("copy").exists());
    // What is laid here is laid in a directory of the state, and the link is gone.
    rig.json(&["update", "stage", "--file", &rig.file("bundle", "a bundle")]);
    assert!(!upload.is_symlink() && fs::read_dir(&upload).unwrap().count() == 1);
    assert_eq!(fs::read_to_string(victim.join("shadow")).unwrap(), "root's own");
    assert_eq!(fs::read_dir(victim.join("uploads")).unwrap().count(), 0);
}

/// A directory of versions where this program is one of two, and the other one a shell script.
fn versions(rig: &Rig, script: &str, from: &str, to: &str) {
    versions_in(&rig.at("versions"), script, from, to);
}

fn versions_in(root: &Path, script: &str, from: &str, to: &str) {
    let ours = env!("CARGO_PKG_VERSION");
    for version in [from, to] {
        let binary = root.join("versions").join(version).join("routeros-mcp");
        fs::create_dir_all(binary.parent().unwrap()).unwrap();
        if version == ours {
            fs::hard_link(env!("CARGO_BIN_EXE_routeros-mcp"), &binary).unwrap();
        } else {
            fs::write(&binary, format!("#!/bin/sh\n{script}\n")).unwrap();
            fs::set_permissions(&binary, fs::Permissions::from_mode(0o755)).unwrap();
        }
    }
    symlink(Path::new("versions").join(to), root.join("current")).unwrap();
    fs::write(root.join("pending"), format!("from={from}\nto={to}\ntries=0\nid=00aa\nreason=\n")).unwrap();
}

/// The version before, standing by the new one; the ready line of whatever serves in the end.
fn stood_by(rig: &Rig) -> Running {
    let mut shell = Command::new("sh");
    rig.prepare(&mut shell);
    shell.args(["-c", "exec \"$0\" \"$@\" 3>&1 >/dev/null", env!("CARGO_BIN_EXE_routeros-mcp"), "update", "stand-by", "--versions"]);
    shell.arg(rig.at("versions")).args(["--", "--data-dir"]).arg(rig.state()).args(["serve", "--once-ready-fd", "3"]);
    rig.serve_as(shell)
}

/// A lone file, and the notes that are kept of it in the state directory.
struct Lone {
    file: PathBuf,
    notes: PathBuf,
}

impl Lone {
    /// One in the place of which `from` lies, with `to` to be tried. This program is one of the two, the other one a shell script.
    fn new(rig: &Rig, script: &str, from: &str, to: &str) -> Lone {
        let file = rig.at("bin/routeros-mcp");
        let digest = ring::digest::digest(&ring::digest::SHA256, file.as_os_str().as_encoded_bytes());
        let notes = rig.state().join("update/versions").join(data_encoding::HEXLOWER.encode(&digest.as_ref()[..8]));
        fs::create_dir_all(rig.at("bin")).unwrap();
        fs::create_dir_all(&notes).unwrap();
        versions_in(&notes, script, from, to);
        fs::write(notes.join("lone"), file.as_os_str().as_encoded_bytes()).unwrap();
        fs::hard_link(notes.join("versions").join(from).join("routeros-mcp"), &file).unwrap();
        Lone { file, notes }
    }

    /// A start of what lies there, as a supervisor or a client does it.
    fn start(&self, rig: &Rig, arguments: &[&str]) -> Done {
        self.start_file(rig, &self.file, arguments)
    }

    fn start_file(&self, rig: &Rig, file: &Path, arguments: &[&str]) -> Done {
        let mut command = Command::new(file);
        rig.prepare(&mut command);
        command.arg("--data-dir").arg(rig.state()).args(arguments);
        finish(command, "")
    }

    fn is_ours(&self) -> bool {
        fs::read(&self.file).unwrap() == fs::read(env!("CARGO_BIN_EXE_routeros-mcp")).unwrap()
    }
}

#[test]
fn a_lone_file_gives_a_version_that_dies_at_once_two_starts_and_then_serves_itself() {
    let rig = Rig::new();
    let script = format!("echo $@ >>{}; kill -ABRT $$", rig.at("starts").display());
    let lone = Lone::new(&rig, &script, env!("CARGO_PKG_VERSION"), "99.0.0");
    for _ in 0..2 {
        assert_eq!(lone.start(&rig, &["stdio"]).code, 1_000 + 6);
    }
    let done = lone.start(&rig, &["stdio"]);
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(fs::read_to_string(rig.at("starts")).unwrap().lines().count(), 2);
    assert!(fs::read_to_string(lone.notes.join("rolled_back")).unwrap().contains("did not stand after 2 starts"));
    assert!(!lone.notes.join("pending").exists() && lone.is_ours());
}

#[test]
fn a_daemon_that_starts_after_a_power_cut_in_the_probation_comes_back_in_the_process_the_supervisor_knows() {
    let rig = Rig::new();
    let script = format!("echo $@ >>{}; exit 1", rig.at("starts").display());
    let lone = Lone::new(&rig, &script, env!("CARGO_PKG_VERSION"), "99.0.0");
    // The power failed in its first start.
    fs::write(lone.notes.join("starts"), "00aa 1\n").unwrap();
    let mut shell = Command::new("sh");
    rig.prepare(&mut shell);
    shell.args(["-c", "exec \"$0\" \"$@\" 3>&1 >/dev/null"]).arg(&lone.file);
    shell.arg("--data-dir").arg(rig.state()).args(["serve", "--once-ready-fd", "3"]);
    let running = rig.serve_as(shell);
    assert_eq!(running.ready()["pid"], json!(running.pid()));
    assert_eq!(fs::read_to_string(rig.at("starts")).unwrap().lines().count(), 2);
    assert!(lone.notes.join("rolled_back").exists() && lone.is_ours());
    assert_eq!(rig.json(&["update", "status"])["restarts"], true);
}

#[test]
fn a_session_of_a_new_version_keeps_it_where_nobody_listens() {
    let rig = Rig::new();
    let lone = Lone::new(&rig, "exit 1", "0.0.1", env!("CARGO_PKG_VERSION"));
    // All but the last look at it was in sessions before.
    fs::write(lone.notes.join("stood"), "00aa 120\n").unwrap();
    let mut command = Command::new(lone.notes.join("versions").join(env!("CARGO_PKG_VERSION")).join("routeros-mcp"));
    rig.prepare(&mut command);
    let mut session = command.arg("--data-dir").arg(rig.state()).arg("stdio").stdin(Stdio::piped()).spawn().unwrap();
    while lone.notes.join("pending").exists() && session.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
    drop(session.stdin.take());
    let done = session.wait_with_output().unwrap();
    assert!(done.status.success(), "{done:?}");
    assert!(fs::read_to_string(lone.notes.join("previous")).unwrap().contains("to=0.1.0") && lone.is_ours(), "{done:?}");
}

#[test]
fn a_session_that_ends_in_order_before_the_version_is_kept_is_no_failed_start_of_it() {
    let rig = Rig::new();
    let lone = Lone::new(&rig, "exit 1", "0.0.1", env!("CARGO_PKG_VERSION"));
    let fresh = lone.notes.join("versions").join(env!("CARGO_PKG_VERSION")).join("routeros-mcp");
    for _ in 0..4 {
        let done = lone.start_file(&rig, &fresh, &["stdio"]);
        assert_eq!(done.code, 0, "{done:?}");
    }
    assert!(lone.notes.join("pending").exists() && !lone.notes.join("rolled_back").exists());
    assert_eq!(fs::read_to_string(lone.notes.join("starts")).unwrap(), "00aa 0\n");
}

#[test]
fn a_command_that_cannot_read_what_a_new_version_made_of_the_store_is_that_versions() {
    let rig = Rig::new();
    let lone = Lone::new(&rig, "echo new: $@", env!("CARGO_PKG_VERSION"), "99.0.0");
    fs::write(rig.state().join("routeros-mcp.redb"), "of another shape").unwrap();
    let done = lone.start(&rig, &["device", "list"]);
    assert!(done.code == 0 && done.out.contains("new:") && done.out.contains("device list"), "{done:?}");
}

#[test]
fn where_only_a_session_has_the_store_whoever_applies_is_told_to_start_it_anew() {
    let rig = Rig::new();
    let staged = json!({"version": "99.0.0", "digest": "0".repeat(64)});
    taken_over(&rig, json!({"state": "probation", "version": "0.1.0", "restarts": false, "staged": staged, "last": null}));
    let password = rig.private("password", "a long password");
    let done = rig.run(&["update", "apply", "99.0.0", "--yes", "--user", "anna", "--password-file", &password]);
    assert!(done.code == 0 && done.out.contains("its MCP client has to start it anew"), "{done:?}");
    let alone = Rig::new();
    assert_eq!(alone.json(&["update", "status"])["restarts"], false);
}

fn is_running(pid: u64) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

#[test]
fn a_version_that_dies_before_it_can_count_its_starts_makes_way_in_the_process_the_supervisor_knows() {
    let rig = Rig::new();
    let script = format!("echo $@ >>{}; kill -ABRT $$", rig.at("starts").display());
    versions(&rig, &script, env!("CARGO_PKG_VERSION"), "99.0.0");
    let running = stood_by(&rig);
    assert_eq!(running.ready()["pid"], json!(running.pid()), "what serves is what the supervisor started");
    assert_eq!(fs::read_to_string(rig.at("starts")).unwrap().lines().count(), 2);
    assert!(fs::read_to_string(rig.at("versions/rolled_back")).unwrap().contains("it ended before it was kept"));
    assert!(!rig.at("versions/pending").exists());
    assert_eq!(rig.json(&["update", "status"])["version"], env!("CARGO_PKG_VERSION"));
    let done = running.end_with(Signal::TERM);
    assert!(done.code == 0 && done.err.contains("did not stand"), "{done:?}");
}

#[test]
fn a_version_that_stands_serves_beside_the_one_before_and_ends_with_it() {
    let rig = Rig::new();
    versions(&rig, "exit 1", "0.0.1", env!("CARGO_PKG_VERSION"));
    let running = stood_by(&rig);
    let serves = running.ready()["pid"].as_u64().unwrap();
    assert_ne!(serves, u64::from(running.pid()));
    let done = running.end_with(Signal::TERM);
    assert!(done.code == 0 && !is_running(serves), "told to end, both do: {done:?}");
    assert!(rig.at("versions/pending").exists(), "it was no failure");

    // As a supervisor that tells every process of a service.
    fs::remove_file(rig.at("versions/starts")).unwrap();
    let running = stood_by(&rig);
    let serves = running.ready()["pid"].as_u64().unwrap();
    kill(u32::try_from(serves).unwrap(), Signal::TERM);
    let done = running.end_with(Signal::TERM);
    assert!(done.code == 0 && !done.err.contains("told twice"), "{done:?}");

    let running = stood_by(&rig);
    let serves = running.ready()["pid"].as_u64().unwrap();
    kill(running.pid(), Signal::KILL);
    while is_running(serves) {
        std::thread::yield_now();
    }
    // The store is free for the next start.
    assert_eq!(rig.json(&["device", "list"]), json!([]));
}
