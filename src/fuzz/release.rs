//! Files of a release: bundles, archives, and the lists of package managers. Nothing is written but what was asked for, nowhere
//! but where it was asked for.
//!
//! Packages (.deb, .ipk, .apk) are made and never read by this program; what it reads of them is the lists that dpkg, opkg
//! and apk keep.

use super::{Pieces, Samples, Target, in_scratch, is_fit_to_say};
use crate::update::UpdateError;
use crate::update::bundle;
use crate::update::install::{self, Way};
use crate::update::manifest::Artifact;
use crate::update::signature::{MANIFEST_MAX, SIGNATURE_MAX};
use crate::update::stage;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

pub(super) const TARGET: Target = Target {
    name: "release",
    about: "bundles, archives and lists of packages",
    longest: 32 << 10,
    check,
    seeds,
    words: &[
        "latest.json",
        "latest.json.minisig",
        "routeros-mcp-1.1.0.tar.gz",
        "routeros-mcp",
        "../",
        "/etc/",
        "./",
        "..",
        "ustar\u{0}00",
        "30 path=../x\n",
        "22 size=999999\n",
        "P:routeros-mcp\n",
        "F:usr/bin\n",
        "R:routeros-mcp\n",
        "/usr/bin/routeros-mcp\n",
        "\u{1f}\u{8b}",
    ],
};

/// Bytes that a good archive unpacks to.
const UNPACKED: u64 = 300;
/// What may lie beside the binary in an archive, and is not unpacked.
const CANARY: &[u8] = b"nobody writes here";
/// Kinds of entries, among them those that have no place in a release.
const KINDS: &[u8] = b"0\x00000125LKxgS4677";

fn check(data: &[u8]) {
    let (kind, rest) = data.split_first().unwrap_or((&0, &[]));
    in_scratch(|dir| {
        let place = Place::new(dir);
        match kind % 6 {
            0 => place.bundle(rest),
            1 => place.bundle(&archive(rest)),
            2 => place.archive(rest, "tar"),
            3 => place.archive(&packed(&archive(rest)), "tar"),
            4 => place.archive(rest, "bin"),
            _ => packages(dir, rest),
        }
        place.is_untouched();
    });
}

/// A directory with something beside it that must stay as it is.
struct Place<'a> {
    dir: &'a Path,
    file: PathBuf,
    into: PathBuf,
}

impl<'a> Place<'a> {
    fn new(dir: &'a Path) -> Self {
        fs::write(dir.join("canary"), CANARY).expect("there is room");
        let into = dir.join("inner/into");
        fs::create_dir_all(&into).expect("there is room");
        Place { dir, file: dir.join("file"), into }
    }

    fn put(&self, bytes: &[u8]) {
        fs::write(&self.file, bytes).expect("there is room");
    }

    fn bundle(&self, bytes: &[u8]) {
        self.put(bytes);
        match bundle::head(&self.file) {
            Ok((manifest, signature)) => assert!(manifest.len() <= MANIFEST_MAX + 1 && signature.len() <= SIGNATURE_MAX + 1),
            Err(error) => refused(&error),
        }
        let (artifact, to) = (artifact("tar", 100), self.dir.join("inner/taken"));
        match bundle::take(&self.file, &artifact, &to) {
            Ok(()) => assert!(fs::metadata(&to).expect("it was taken").len() <= artifact.size + 1),
            Err(error) => refused(&error),
        }
    }

    fn archive(&self, bytes: &[u8], kind: &str) {
        self.put(bytes);
        let artifact = artifact(kind, bytes.len() as u64);
        if kind == "bin" && stage::check(&self.file, &artifact).is_ok() {
            panic!("a file with another digest is taken for the one that was signed");
        }
        match stage::unpack(&self.file, &artifact, &self.into) {
            Ok(binary) => {
                assert!(binary.starts_with(&self.into));
                let meta = fs::symlink_metadata(&binary).expect("it was unpacked");
                assert!(meta.is_file() && meta.len() == UNPACKED, "{meta:?}");
            }
            Err(error) => refused(&error),
        }
    }

    /// Beside what was asked for everything is as it was, and there is no link anywhere.
    fn is_untouched(&self) {
        let names = |dir: &Path| {
            let mut names: Vec<_> = fs::read_dir(dir).expect("the directory is there").flatten().map(|entry| entry.file_name()).collect();
            names.sort();
            names
        };
        assert_eq!(fs::read(self.dir.join("canary")).expect("it is there"), CANARY);
        let outside: Vec<_> = names(self.dir).into_iter().filter(|name| name != "file" && name != "root").collect();
        assert_eq!(outside, ["canary", "inner"], "something was written outside");
        assert!(names(&self.dir.join("inner")).iter().all(|name| name == "into" || name == "taken"));
        let mut bytes = 0;
        let mut left = vec![self.into.clone()];
        while let Some(dir) = left.pop() {
            for entry in fs::read_dir(dir).expect("it is there").flatten() {
                let meta = fs::symlink_metadata(entry.path()).expect("it is there");
                assert!(meta.is_dir() || meta.is_file(), "a link or a device: {:?}", entry.path());
                bytes += meta.len() * u64::from(meta.is_file());
                left.extend(meta.is_dir().then(|| entry.path()));
            }
        }
        assert!(bytes <= UNPACKED.max(32 << 10), "{bytes} bytes were unpacked");
    }
}

fn refused(error: &UpdateError) {
    let fit = !matches!(error, UpdateError::Io { .. });
    // Errors of files name our own places, which tests have anywhere.
    if fit {
        is_fit_to_say(&error.to_string());
    }
}

fn artifact(kind: &str, size: u64) -> Artifact {
    Artifact {
        target: "test-target".into(),
        kind: kind.into(),
        url: "https://releases.example/routeros-mcp-1.1.0.tar.gz".into(),
        size,
        unpacked_size: UNPACKED,
        sha256: "0".repeat(64),
    }
}

/// A tar of the entries that an input describes: kind, name, link and content each, with a header that is sound otherwise.
fn archive(data: &[u8]) -> Vec<u8> {
    let (mut pieces, mut out) = (Pieces(data), Vec::new());
    while !pieces.is_empty() && out.len() < 64 << 10 {
        let kind = KINDS[usize::from(pieces.byte()) % KINDS.len()];
        let (name, link) = (pieces.short(), pieces.short());
        let length = pieces.word() % 2_048;
        let mut content = pieces.take(length).to_vec();
        // As long as it says, so that what follows is found.
        content.resize(length, b'x');
        let mut header = if kind == b'S' { tar::Header::new_gnu() } else { tar::Header::new_ustar() };
        let old = header.as_old_mut();
        old.name[..name.len().min(100)].copy_from_slice(&name[..name.len().min(100)]);
        old.linkname[..link.len().min(100)].copy_from_slice(&link[..link.len().min(100)]);
        header.set_entry_type(tar::EntryType::new(kind));
        header.set_size(length as u64);
        header.set_mode(0o4777);
        header.set_cksum();
        out.extend_from_slice(header.as_bytes());
        out.extend_from_slice(&content);
        out.resize(out.len().next_multiple_of(512), 0);
    }
    out.resize(out.len() + 1_024, 0);
    out
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("memory takes what is written")
}

/// The lists of three package managers with anything in them.
fn packages(dir: &Path, data: &[u8]) {
    const EXE: &str = "/usr/bin/routeros-mcp";
    let root = dir.join("root");
    let lists = ["var/lib/dpkg/info/any.list", "usr/lib/opkg/info/any.list", "lib/apk/packages/any.list", "lib/apk/db/installed"];
    let (which, text) = data.split_first().unwrap_or((&0, &[]));
    let list = root.join(lists[usize::from(*which) % lists.len()]);
    list.parent().map(fs::create_dir_all).expect("it has a parent").expect("there is room");
    fs::write(&list, text).expect("there is room");
    if let Way::Managed { by, command } = install::find(&root, Path::new(EXE), &dir.join("lone")) {
        assert!(!by.is_empty() && !command.is_empty());
        let is_named = String::from_utf8_lossy(text).contains("routeros-mcp");
        assert!(is_named || !["dpkg", "opkg", "apk"].contains(&by.as_str()), "{by} owns what it does not list");
    }
}

/// One entry as [`archive`] reads it.
fn entry(kind: u8, name: &str, link: &str, content: &[u8]) -> Vec<u8> {
    let place = KINDS.iter().position(|known| *known == kind).unwrap_or(0) as u8;
    let length = (content.len() as u16).to_le_bytes();
    [&[place, name.len() as u8], name.as_bytes(), &[link.len() as u8], link.as_bytes(), &length, content].concat()
}

fn seeds(_: &Samples) -> Vec<Vec<u8>> {
    let program = [b'#'; UNPACKED as usize];
    let good = [entry(b'0', "routeros-mcp-1.1.0/routeros-mcp", "", &program), entry(b'0', "routeros-mcp-1.1.0/README.md", "", b"read me")]
        .concat();
    let release = [
        entry(b'0', "latest.json", "", b"{}"),
        entry(b'0', "latest.json.minisig", "", b"untrusted comment: x\n"),
        entry(b'0', "./routeros-mcp-1.1.0.tar.gz", "", &[7; 100]),
    ]
    .concat();
    let hostile = [
        vec![entry(b'0', "../routeros-mcp", "", &program)],
        vec![entry(b'2', "routeros-mcp", "/etc/passwd", b"")],
        vec![entry(b'2', "a", "..", b""), entry(b'0', "a/routeros-mcp", "", &program)],
        vec![entry(b'5', "routeros-mcp", "", b""), entry(b'1', "x", "routeros-mcp", b"")],
        vec![entry(b'L', "././@LongLink", "", b"../../routeros-mcp\0"), entry(b'0', "routeros-mcp", "", &program)],
        vec![entry(b'x', "pax", "", b"21 path=../canary\n"), entry(b'0', "routeros-mcp", "", &program)],
        vec![entry(b'0', "/routeros-mcp", "", &program), entry(b'0', "routeros-mcp", "", b"short")],
    ];
    let mut all = vec![
        [b"\x01", release.as_slice()].concat(),
        [b"\x00", archive(&release).as_slice()].concat(),
        [b"\x03", good.as_slice()].concat(),
        [b"\x02", packed(&archive(&good)).as_slice()].concat(),
        [b"\x04", packed(&program).as_slice()].concat(),
        [b"\x04", program.as_slice()].concat(),
        b"\x05\x00/usr/bin/routeros-mcp\n/usr/share/x\n".to_vec(),
        b"\x05\x03P:busybox\nF:bin\nR:busybox\n\nP:routeros-mcp\nF:usr/bin\nR:routeros-mcp\n".to_vec(),
    ];
    all.extend(hostile.into_iter().map(|entries| [b"\x03".to_vec(), entries.concat()].concat()));
    all
}
