//! The real program on a file system of its own that fills up, and on one that the kernel makes read-only after an error.
//!
//! Takes root, a loop device, and a mount namespace in which the disk is seen by nobody else; where one of them cannot be had that is
//! said aloud, and nothing is claimed.

use crate::cli_rig::{Done, PATIENCE, Rig, Running, finish, kill, router};
use routeros_mcp::sim::Sim;
use routeros_mcp::sim::profiles::Profile;
use rustix::process::Signal;
use serde_json::{Value, json};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Instant;

/// Room for an appliance with one router, and little more.
const DISK_BYTES: u64 = 8 << 20;
/// Changes until one does not fit any more: a block of the disk has room for a few records.
const TRIES: usize = 40;

/// A machine whose state directory is a disk of its own.
struct Disk {
    rig: Rig,
    sim: Sim,
}

/// The same, or a word about what is missing.
async fn disk() -> Option<Disk> {
    let rig = Rig::new();
    let image = rig.at("disk.img");
    File::create(&image).unwrap().set_len(DISK_BYTES).unwrap();
    std::fs::create_dir(rig.state()).unwrap();
    let quiet = |command: &mut Command| command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    let made = quiet(Command::new("/usr/sbin/mkfs.ext4").args(["-q", "-F", "-m", "0"]).arg(&image));
    let tried = quiet(Command::new("unshare").args(["-m", "sh", "-c", MOUNT, "true"]).arg(&image).arg(rig.state()));
    if !made.is_ok_and(|code| code.success()) || !tried.is_ok_and(|code| code.success()) {
        eprintln!("ABSENT: a disk of our own (root, mkfs.ext4, a loop device, a mount namespace): nothing was tested on one");
        return None;
    }
    Some(Disk { rig, sim: router(Profile::HomeAp).await })
}

/// Mounts the disk and becomes the program: `sh -c MOUNT program image directory arguments…`.
const MOUNT: &str = r#"mount -o loop,errors=remount-ro "$1" "$2" && shift 2 && exec "$0" "$@" 3>&1 >/dev/null"#;

impl Disk {
    fn serve(&self) -> Running {
        let mut command = Command::new("unshare");
        self.rig.prepare(&mut command);
        command.args(["-m", "sh", "-c", MOUNT, env!("CARGO_BIN_EXE_routeros-mcp")]);
        command.arg(self.rig.at("disk.img")).arg(self.rig.state()).arg("--data-dir").arg(self.rig.state());
        command.args(["serve", "--once-ready-fd", "3"]);
        self.rig.serve_as(command)
    }

    /// A command on that machine, where the daemon sees the disk.
    fn run(&self, daemon: &Running, arguments: &[&str]) -> Done {
        let mut command = Command::new("nsenter");
        self.rig.prepare(&mut command);
        command.args(["-m", "-t", &daemon.pid().to_string(), env!("CARGO_BIN_EXE_routeros-mcp"), "--data-dir"]);
        command.arg(self.rig.state()).arg("--json").args(arguments);
        finish(command, "")
    }

    /// A file on the disk.
    fn at(&self, daemon: &Running, name: &str) -> PathBuf {
        let inside = self.rig.state().join(name);
        PathBuf::from(format!("/proc/{}/root", daemon.pid())).join(inside.strip_prefix("/").unwrap())
    }

    fn change(&self, daemon: &Running, comment: &str) -> Done {
        let arguments = json!({"device": "edge", "name": "ether2", "comment": comment}).to_string();
        self.run(daemon, &["tool", "call", "interface.update_comment", "--args", &arguments])
    }

    /// Changes until one is refused; that refusal, and how many were done.
    fn refused(&self, daemon: &Running) -> (Value, usize) {
        for n in 0..TRIES {
            let done = self.change(daemon, &format!("change {n}"));
            if done.code != 0 {
                let last = done.err.trim().lines().last().unwrap_or_default();
                let whole: Value = serde_json::from_str(last).unwrap_or_else(|_| panic!("no error: {done:?}"));
                if whole["error"]["kind"] == "storage" {
                    assert_eq!(done.code, 74, "{done:?}");
                }
                return (whole["error"].clone(), n);
            }
        }
        panic!("{TRIES} changes were done on a disk that takes none");
    }

    fn writes(&self) -> usize {
        self.sim.requests().iter().filter(|seen| matches!(seen.method.as_str(), "PUT" | "PATCH" | "DELETE" | "POST")).count()
    }

    fn reads(&self, daemon: &Running) {
        for arguments in [&["device", "list"][..], &["audit", "list"], &["tool", "call", "interface.list", "--arg", "device=edge"]] {
            let done = self.run(daemon, arguments);
            assert_eq!(done.code, 0, "{arguments:?} is not served: {done:?}");
        }
    }

    fn health(&self, daemon: &Running) -> String {
        let done = self.run(daemon, &["health"]);
        serde_json::from_str::<Value>(&done.out)
            .map_or(format!("{done:?}"), |document| document["status"].as_str().unwrap_or("?").to_owned())
    }

    fn becomes(&self, daemon: &Running, wanted: &str) {
        let began = Instant::now();
        while self.health(daemon) != wanted {
            assert!(began.elapsed() < PATIENCE, "health stays {}", self.health(daemon));
        }
    }

    fn add(&self, daemon: &Running) {
        let flags = self.rig.adding("edge", self.sim.https_port(), self.sim.credentials().mcp.password.expose());
        let flags: Vec<&str> = flags.iter().map(String::as_str).chain(["--yes", "--capability", "writes"]).collect();
        let added = self.run(daemon, &flags);
        assert_eq!(added.code, 0, "{added:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_full_disk_changes_are_refused_reads_go_on_after_a_start_too_and_room_heals_it() {
    let Some(disk) = disk().await else { return };
    let daemon = disk.serve();
    disk.add(&daemon);
    assert_eq!(disk.change(&daemon, "at first").code, 0);
    disk.becomes(&daemon, "healthy");
    let ballast = disk.at(&daemon, "ballast");
    let mut file = OpenOptions::new().create(true).append(true).open(&ballast).unwrap();
    while file.write_all(&[7; 1024]).is_ok() {}
    // Held open it would keep its room.
    drop(file);
    let (error, done) = disk.refused(&daemon);
    println!("refused after {done} more: {error}");
    let sent = disk.writes();
    let (error, none) = disk.refused(&daemon);
    assert_eq!((error["kind"].as_str(), none), (Some("storage"), 0), "{error}");
    assert!(error["hint"].as_str().is_some_and(|hint| hint.contains("full") && hint.contains("free some space")), "{error}");
    assert_eq!(disk.writes(), sent, "nothing was sent that could not be written down");
    disk.reads(&daemon);
    disk.becomes(&daemon, "unhealthy");
    let strict = disk.run(&daemon, &["check", "--strict"]);
    assert_eq!(strict.code, 78, "{strict:?}");
    assert!(strict.err.contains("the disk is nearly full"), "{strict:?}");
    // A reboot, a watchdog, a person: the next start finds the disk as full, and does what the running one did.
    kill(daemon.pid(), Signal::KILL);
    daemon.eof();
    let daemon = disk.serve();
    disk.reads(&daemon);
    disk.becomes(&daemon, "unhealthy");
    let (error, none) = disk.refused(&daemon);
    assert_eq!((error["kind"].as_str(), none), (Some("storage"), 0), "{error}");
    assert_eq!(disk.writes(), sent, "nothing was sent that could not be written down");
    std::fs::remove_file(disk.at(&daemon, "ballast")).unwrap();
    disk.becomes(&daemon, "healthy");
    // A change that the full disk stopped half-way goes on first, and its device is taken until then.
    let began = Instant::now();
    let last = loop {
        let last = disk.change(&daemon, "at the end");
        if last.code != 75 || began.elapsed() > PATIENCE {
            break last;
        }
    };
    assert_eq!(last.code, 0, "{last:?}");
    assert_eq!(disk.run(&daemon, &["audit", "verify"]).code, 0);
    let told = disk.run(&daemon, &["audit", "list"]);
    assert!(told.out.contains("trail.gap"), "the trail says what it lacks: {}", told.out);
    assert_eq!(daemon.end_with(Signal::TERM).code, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_disk_made_read_only_after_an_error_reads_go_on_and_a_start_on_a_sound_one_goes_on() {
    let Some(disk) = disk().await else { return };
    let daemon = disk.serve();
    disk.add(&daemon);
    assert_eq!(disk.change(&daemon, "at first").code, 0);
    let mounts = std::fs::read_to_string(format!("/proc/{}/mounts", daemon.pid())).unwrap();
    let state = disk.rig.state().display().to_string();
    let device = mounts.lines().find(|line| line.split(' ').nth(1) == Some(&state)).and_then(|line| line.split(' ').next()).unwrap();
    let switch = format!("/sys/fs/ext4/{}/trigger_fs_error", device.trim_start_matches("/dev/"));
    if std::fs::write(&switch, "an error for a test\n").is_err() {
        eprintln!("ABSENT: {switch} cannot be written: no disk was made read-only");
        return;
    }
    let (error, none) = disk.refused(&daemon);
    assert_eq!((error["kind"].as_str(), none), (Some("storage"), 0), "{error}");
    let sent = disk.writes();
    disk.refused(&daemon);
    assert_eq!(disk.writes(), sent, "nothing was sent that could not be written down");
    disk.reads(&daemon);
    disk.becomes(&daemon, "unhealthy");
    // The kernel takes no writes there before it is mounted again, which takes the program's end.
    kill(daemon.pid(), Signal::TERM);
    let ended = daemon.eof();
    println!("it ended with {}", ended.code);
    let daemon = disk.serve();
    disk.reads(&daemon);
    assert_eq!(disk.change(&daemon, "at the end").code, 0);
    assert_eq!(disk.run(&daemon, &["audit", "verify"]).code, 0);
    assert_eq!(daemon.end_with(Signal::TERM).code, 0);
}
