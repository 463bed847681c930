//! The power fails between any two operations of a switch, and in the middle of each; and new versions that do not stand.

use crate::update::disk::{Disk, Real};
use crate::update::install::Way;
use crate::update::manifest::Seen;
use crate::update::samples::*;
use crate::update::start::{Start, at_start};
use crate::update::swap::{Layout, Turn, is_executable};
use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The real disk until the power fails.
struct Cut {
    left: usize,
    done: usize,
    /// How much of the last write arrives, in halves.
    halves: usize,
    /// Whether what was not flushed is gone.
    forgets: bool,
    dirty: BTreeSet<PathBuf>,
}

impl Cut {
    fn at(left: usize, halves: usize, forgets: bool) -> Cut {
        Cut { left, done: 0, halves, forgets, dirty: BTreeSet::new() }
    }

    fn step(&mut self) -> io::Result<()> {
        self.done += 1;
        if self.left == 0 {
            if self.forgets {
                for path in std::mem::take(&mut self.dirty) {
                    let _ = OpenOptions::new().write(true).open(&path).and_then(|file| file.set_len(0));
                }
            }
            return Err(io::Error::other("the power failed"));
        }
        self.left -= 1;
        Ok(())
    }
}

impl Disk for Cut {
    fn make_dir(&mut self, path: &Path) -> io::Result<()> {
        self.step()?;
        Real.make_dir(path)
    }
    fn append(&mut self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.dirty.insert(path.to_owned());
        if self.left == 0 {
            Real.append(path, &bytes[..bytes.len() * self.halves / 2])?;
        }
        self.step()?;
        Real.append(path, bytes)
    }
    fn set_mode(&mut self, path: &Path, mode: u32) -> io::Result<()> {
        self.step()?;
        Real.set_mode(path, mode)
    }
    fn sync(&mut self, path: &Path) -> io::Result<()> {
        self.step()?;
        self.dirty.remove(path);
        Real.sync(path)
    }
    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        self.step()?;
        let moved: Vec<PathBuf> = self.dirty.iter().filter(|path| path.starts_with(from)).cloned().collect();
        for path in moved {
            self.dirty.remove(&path);
            let below = path.strip_prefix(from).unwrap();
            self.dirty.insert(if below.as_os_str().is_empty() { to.to_owned() } else { to.join(below) });
        }
        Real.rename(from, to)
    }
    fn link(&mut self, target: &Path, at: &Path) -> io::Result<()> {
        self.step()?;
        Real.link(target, at)
    }
    fn remove(&mut self, path: &Path) -> io::Result<()> {
        self.step()?;
        self.dirty.remove(path);
        Real.remove(path)
    }
    fn remove_dir(&mut self, path: &Path) -> io::Result<()> {
        self.step()?;
        Real.remove_dir(path)
    }
}

fn guard(layout: &Layout) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("systemd/routeros-mcp-guard");
    let done = Command::new("sh").arg(script).arg(&layout.root).output().unwrap();
    assert!(done.status.success() && done.stderr.is_empty(), "{}", String::from_utf8_lossy(&done.stderr));
}

/// What a start would run; it has to be whole.
fn whole(layout: &Layout, name: &str) -> String {
    let version = layout.current().unwrap_or_else(|| panic!("{name}: nothing to start"));
    let binary = layout.root.join("current/routeros-mcp");
    assert!(is_executable(&binary), "{name}: {version} cannot be started");
    assert!(fs::read(&binary).unwrap() == program(&version), "{name}: {version} is not whole");
    version
}

fn turn() -> Turn {
    Turn { from: "1.0.0".into(), to: "1.1.0".into(), id: ID.into(), reason: String::new() }
}

/// A new version as a file.
fn fresh(site: &Site) -> PathBuf {
    let path = site.update.join("new");
    fs::write(&path, program("1.1.0")).unwrap();
    path
}

type Work = fn(&Site, &mut Cut) -> io::Result<()>;

#[test]
fn wherever_the_power_fails_a_whole_version_starts_and_a_new_one_has_a_way_back() {
    let switch: Work = |site, disk| site.layout.switch(disk, &fresh(site), &turn(), &Seen::default());
    let commit: Work = |site, disk| site.layout.commit(disk);
    let back: Work = |site, disk| site.layout.back(disk, "asked").map(|_| ()).map_err(io::Error::other);
    let twice: Work = |site, disk| {
        // What an earlier try left lies in the way.
        fs::create_dir_all(site.layout.root.join("versions/.1.1.0.new")).unwrap();
        fs::write(site.layout.root.join("versions/.1.1.0.new/routeros-mcp"), "half").unwrap();
        fs::create_dir_all(site.layout.root.join("versions/1.1.0")).unwrap();
        site.layout.switch(disk, &fresh(site), &turn(), &Seen::default())
    };
    let mut cuts = 0;
    for (name, work, is_switched) in
        [("switch", switch, false), ("switch again", twice, false), ("commit", commit, true), ("back", back, true)]
    {
        for (halves, forgets) in [(0, false), (1, false), (2, false), (1, true), (2, true)] {
            for at in 0.. {
                let site = Site::new();
                if is_switched {
                    switch(&site, &mut Cut::at(usize::MAX, 0, false)).unwrap();
                }
                let mut disk = Cut::at(at, halves, forgets);
                let done = work(&site, &mut disk);
                if done.is_ok() {
                    break;
                }
                cuts += 1;
                let name = format!("{name}, cut at {at} ({halves} halves, forgets: {forgets})");
                whole(&site.layout, &name);
                guard(&site.layout);
                if whole(&site.layout, &name) == "1.1.0" && name.starts_with("switch") {
                    assert!(site.layout.pending().is_some(), "{name}: no way back");
                }
                // The same again, on good power, comes to its end.
                if name.starts_with("switch") && site.layout.pending().is_none() {
                    switch(&site, &mut Cut::at(usize::MAX, 0, false)).unwrap();
                    assert_eq!(whole(&site.layout, &name), "1.1.0");
                }
            }
        }
    }
    assert!(cuts >= 200, "{cuts} cut points");
}

#[test]
fn wherever_the_power_fails_a_lone_file_is_whole_and_starts_a_whole_version() {
    let switch: Work = |site, disk| site.layout.switch(disk, &fresh(site), &turn(), &Seen::default());
    let commit: Work = |site, disk| site.layout.commit(disk);
    let back: Work = |site, disk| site.layout.back(disk, "asked").map(|_| ()).map_err(io::Error::other);
    // What the power leaves may be either version; after the whole work it is this one.
    for (name, work, steps_before, ends_with) in [
        ("switch", switch, &[][..], "1.1.0"),
        ("commit", commit, &[switch][..], "1.1.0"),
        ("back", back, &[switch][..], "1.0.0"),
        ("back later", back, &[switch, commit][..], "1.0.0"),
    ] {
        for (at, halves) in (0..).flat_map(|at| [(at, 0), (at, 1)]) {
            let mut site = Site::new();
            let lone = site.update.join("lone");
            fs::write(&lone, program("1.0.0")).unwrap();
            fs::set_permissions(&lone, fs::Permissions::from_mode(0o755)).unwrap();
            site.layout.copy = Some(lone.clone());
            for step in steps_before {
                step(&site, &mut Cut::at(usize::MAX, 0, false)).unwrap();
            }
            let done = work(&site, &mut Cut::at(at, halves, true));
            let name = format!("{name}, cut at {at} ({halves} halves)");
            let bytes = fs::read(&lone).unwrap();
            let lies = ["1.0.0", "1.1.0"].into_iter().find(|version| bytes == program(version)).unwrap_or_else(|| panic!("{name}: torn"));
            assert!(is_executable(&lone), "{name}");
            let runs = match at_start(&Way::Own(site.layout.clone()), lies).unwrap() {
                Start::Go => lone,
                Start::Become(layout) => layout.started(),
            };
            let bytes = fs::read(&runs).unwrap();
            assert!(is_executable(&runs) && (bytes == program("1.0.0") || bytes == program("1.1.0")), "{name}: {}", runs.display());
            if name.starts_with("switch") && bytes == program("1.1.0") {
                assert!(site.layout.pending().is_some(), "{name}: no way back");
            }
            if done.is_ok() {
                assert_eq!(bytes, program(ends_with), "{name}");
                break;
            }
        }
    }
}

#[test]
fn a_version_that_does_not_stand_is_back_by_the_third_start() {
    let elf = {
        let mut bytes = fs::read("/bin/true").unwrap();
        bytes.truncate(4_096);
        bytes[18] ^= 0xb7;
        bytes
    };
    let traces = tempfile::tempdir().unwrap();
    let script = format!("\n: >{}\n", traces.path().join("ran").display());
    let bad: Vec<(&str, Vec<u8>, u32)> = vec![
        ("crashes at once", b"#!/bin/sh\nexit 1\n".to_vec(), 0o755),
        ("hangs", b"#!/bin/sh\nexec sleep 60\n".to_vec(), 0o755),
        ("is for another machine", elf.clone(), 0o755),
        ("is for another machine, and would do something as a script", [elf.as_slice(), script.as_bytes()].concat(), 0o755),
        ("is noise that a shell would run", script.clone().into_bytes(), 0o755),
        ("has no exec bit", program("1.1.0"), 0o644),
    ];
    for (name, bytes, mode) in bad {
        let site = Site::new();
        let path = site.update.join("new");
        fs::write(&path, bytes).unwrap();
        site.layout.switch(&mut Real, &path, &turn(), &Seen::default()).unwrap();
        fs::set_permissions(site.layout.binary("1.1.0"), fs::Permissions::from_mode(mode)).unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("systemd/routeros-mcp-guard");
        let start = || supervised(Command::new("sh").arg(&script).arg(&site.layout.root).arg("serve"));
        let starts = (1..=3).find(|_| start() == "1.0.0");
        assert!(starts.is_some(), "{name}: not back after 3 starts");
        assert_eq!(whole(&site.layout, name), "1.0.0");
        let back = site.layout.rolled_back().unwrap_or_else(|| panic!("{name}: nobody says why"));
        assert!(back.id == ID && back.to == "1.1.0" && back.reason.contains("did not stand"), "{back:?}");
        assert!(site.layout.pending().is_none());
        assert_eq!(fs::read_dir(traces.path()).unwrap().count(), 0, "{name}: a shell ran it");
    }
}

#[test]
fn only_what_this_machine_runs_by_itself_counts_as_executable() {
    let dir = tempfile::tempdir().unwrap();
    let ours = fs::read(std::env::current_exe().unwrap()).unwrap();
    let mut foreign = ours[..4_096].to_vec();
    foreign[18] ^= 0xb7;
    for (name, bytes, mode, wanted) in [
        ("ours", &ours[..4_096], 0o755, true),
        ("a script", b"#!/bin/sh\n", 0o755, true),
        ("no exec bit", b"#!/bin/sh\n", 0o644, false),
        ("of another machine", &foreign, 0o755, false),
        ("words for a shell", b": >ran\n", 0o755, false),
        ("nothing", b"", 0o755, false),
        ("a torn header", b"\x7fELF\x02", 0o755, false),
    ] {
        let path = dir.path().join(name);
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(is_executable(&path), wanted, "{name}");
    }
}

/// Starts a version as a supervisor does and answers what it said; one that hangs (here: sleeps) is killed.
fn supervised(command: &mut Command) -> String {
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let cmdline = format!("/proc/{}/cmdline", child.id());
    while child.try_wait().unwrap().is_none() {
        if fs::read(&cmdline).is_ok_and(|words| words.starts_with(b"sleep")) {
            child.kill().unwrap();
        }
        std::thread::yield_now();
    }
    let said = child.wait_with_output().unwrap().stdout;
    String::from_utf8_lossy(&said).trim().to_owned()
}

#[test]
fn a_version_that_stands_is_kept_and_can_be_taken_back_once() {
    let site = Site::new();
    site.layout.switch(&mut Real, &fresh(&site), &turn(), &Seen::default()).unwrap();
    guard(&site.layout);
    site.layout.commit(&mut Real).unwrap();
    for _ in 0..5 {
        guard(&site.layout);
    }
    assert_eq!(whole(&site.layout, "kept"), "1.1.0");
    assert_eq!(site.layout.back(&mut Real, "asked").unwrap().from, "1.0.0");
    guard(&site.layout);
    assert_eq!(whole(&site.layout, "back"), "1.0.0");
    assert!(site.layout.back(&mut Real, "asked").is_err(), "one step, not two");
}

#[test]
fn a_note_that_was_scribbled_over_never_leaves_nothing_to_start() {
    for text in ["", "from=\nto=\n", "from=../..\nto=/etc\ntries=0\n", "to=1.1.0\ntries=x\nfrom=9.9.9\n", "\u{0}\u{1}"] {
        let site = Site::new();
        fs::write(site.layout.root.join("pending"), text).unwrap();
        for _ in 0..4 {
            guard(&site.layout);
        }
        assert_eq!(whole(&site.layout, text), "1.0.0");
    }
}
