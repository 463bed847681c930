//! Whoever holds the network, the mirror or the service itself, but no key: nothing of theirs is switched to.

use crate::update::manifest::Seen;
use crate::update::root::{Act, REQUEST, Request};
use crate::update::samples::*;
use serde_json::{Value, json};
use std::fs;
use tar::EntryType;

/// What somebody does to a request.
type Change<T> = Box<dyn Fn(&mut T)>;
/// What somebody does to what is staged.
type Look = Box<dyn Fn(&Site)>;

/// What lies staged, and what is asked of root.
struct Case {
    name: String,
    manifest: Vec<u8>,
    signature: Vec<u8>,
    artifact: Vec<u8>,
    seen: Seen,
    request: Option<Change<Request>>,
    staged: Option<Look>,
}

fn case(name: impl Into<String>, manifest: &Value, artifact: Vec<u8>, key: &str) -> Case {
    let manifest = serde_json::to_vec(manifest).unwrap();
    let signature = sign(&manifest, key);
    Case { name: name.into(), manifest, signature, artifact, seen: Seen::default(), request: None, staged: None }
}

/// Signed by us, but not for us, or not true.
fn untrue() -> Vec<Case> {
    let (artifact, good) = release();
    let (size, program) = (artifact.len() as u64, 300_000_u64);
    let changes: Vec<(&str, &str, Value)> = vec![
        ("format", "/format", json!(2)),
        ("product", "/product", json!("other")),
        ("channel", "/channel", json!("beta")),
        ("downgrade", "/version", json!("0.9.9")),
        ("same version", "/version", json!("1.0.0")),
        ("no version", "/version", json!("../../etc")),
        ("too old to come from", "/min_from_version", json!("1.0.1")),
        ("store too old for it", "/schema/store_min_readable", json!(2)),
        ("store too new for it", "/schema/store", json!(0)),
        ("time", "/released", json!("yesterday")),
        ("wrong target", "/artifacts/0/target", json!("mips")),
        ("a package", "/artifacts/0/kind", json!("deb")),
        ("size above", "/artifacts/0/size", json!(size + 1)),
        ("size below", "/artifacts/0/size", json!(size - 1)),
        ("size huge", "/artifacts/0/size", json!(1_u64 << 40)),
        ("size nothing", "/artifacts/0/size", json!(0)),
        ("unpacked above", "/artifacts/0/unpacked_size", json!(program + 1)),
        ("unpacked below", "/artifacts/0/unpacked_size", json!(program - 1)),
        ("unpacked small", "/artifacts/0/unpacked_size", json!(10)),
        ("unpacked huge", "/artifacts/0/unpacked_size", json!(1_u64 << 40)),
        ("digest", "/artifacts/0/sha256", json!("0".repeat(64))),
        ("digest short", "/artifacts/0/sha256", json!("00")),
        ("name", "/artifacts/0/url", json!("https://x.example/..")),
        ("nothing for anybody", "/artifacts", json!([])),
        ("a word for a number", "/seq", json!("41")),
    ];
    let changed = |(name, at, value): (&str, &str, Value)| {
        let mut manifest = good.clone();
        *manifest.pointer_mut(at).unwrap() = value;
        case(name, &manifest, artifact.clone(), "daily")
    };
    let mut cases: Vec<Case> = changes.into_iter().map(changed).collect();
    let mut twice = good.clone();
    twice["artifacts"] = json!([good["artifacts"][0], good["artifacts"][0]]);
    cases.push(case("two files for us", &twice, artifact.clone(), "daily"));
    let mut large = good.clone();
    large["notes_url"] = "x".repeat(70_000).into();
    cases.push(case("more than 64 kB", &large, artifact, "daily"));
    cases
}

/// Signed, with an archive that does more than it should.
fn archives() -> Vec<Case> {
    let program = program("1.1.0");
    let file = |name: &'static str| Entry { name, kind: EntryType::Regular, link: "", bytes: &program };
    let link = |name: &'static str, kind: EntryType, link: &'static str| Entry { name, kind, link, bytes: b"" };
    let list: Vec<(&str, Vec<Entry<'_>>)> = vec![
        ("symlink for the binary", vec![link("routeros-mcp", EntryType::Symlink, "/bin/sh")]),
        ("symlink beside it", vec![link("a", EntryType::Symlink, "/etc"), file("routeros-mcp")]),
        ("symlink after it", vec![file("routeros-mcp"), link("a", EntryType::Symlink, "/etc")]),
        ("hard link", vec![link("a", EntryType::Link, "/etc/passwd"), file("routeros-mcp")]),
        ("device", vec![link("a", EntryType::Char, ""), file("routeros-mcp")]),
        ("pipe", vec![link("a", EntryType::Fifo, ""), file("routeros-mcp")]),
        ("traversal", vec![file("../routeros-mcp")]),
        ("traversal inside", vec![file("a/../../routeros-mcp")]),
        ("absolute", vec![file("/tmp/routeros-mcp")]),
        ("two binaries", vec![file("routeros-mcp"), file("a/routeros-mcp")]),
        ("no binary", vec![file("another")]),
        ("empty", vec![]),
    ];
    let mut cases: Vec<Case> = list
        .into_iter()
        .map(|(name, entries)| {
            let artifact = gz(&archive(&entries));
            case(name, &manifest(&artifact, program.len()), artifact, "daily")
        })
        .collect();
    for (name, artifact) in [("no gzip", archive(&[file("routeros-mcp")])), ("no tar", gz(&program)), ("a bomb", gz(&vec![0; 20 << 20]))] {
        cases.push(case(name, &manifest(&artifact, program.len()), artifact, "daily"));
    }
    cases
}

/// Not as it was signed, or by whom we do not believe.
fn unsigned() -> Vec<Case> {
    let (artifact, manifest) = release();
    let whole = |name: String| case(name, &manifest, artifact.clone(), "daily");
    let mut cases = Vec::new();
    for part in 0..3 {
        for nth in 0..8 {
            let mut case = whole(format!("bit {nth} of part {part}"));
            let bytes = [&mut case.manifest, &mut case.signature, &mut case.artifact].into_iter().nth(part).unwrap();
            let at = match part {
                // Within the signature proper: the first line is a comment that nobody signs.
                1 => 30 + nth * 10,
                _ => bytes.len() * (nth * 2 + 1) / 16,
            };
            bytes[at] ^= 1 << (nth % 7);
            cases.push(case);
        }
        for share in [0, 1, 2] {
            let mut case = whole(format!("part {part} cut to {share}/3"));
            let bytes = [&mut case.manifest, &mut case.signature, &mut case.artifact].into_iter().nth(part).unwrap();
            bytes.truncate(bytes.len() * share / 3);
            cases.push(case);
        }
    }
    cases.push(case("a key of somebody", &manifest, artifact.clone(), "other"));
    let mut case = whole("more after the file".into());
    case.artifact.extend_from_slice(b"more");
    cases.push(case);
    let daily = "AE67B5FDC90378E7".to_owned();
    let mut case = whole("a revoked key".into());
    case.seen.revoked.insert(daily.clone());
    cases.push(case);
    for (name, seq) in [("an old release put back", 42), ("another of the same number", 41)] {
        let mut case = whole(name.into());
        case.seen.seq.insert(daily.clone(), (seq, "0".repeat(64)));
        cases.push(case);
    }
    cases
}

/// A service that was taken over asks root.
fn asked() -> Vec<Case> {
    let (artifact, manifest) = release();
    let with = |name: &str, change: fn(&mut Request)| {
        let mut case = case(name, &manifest, artifact.clone(), "daily");
        case.request = Some(Box::new(change));
        case
    };
    let mut cases = vec![
        with("another digest", |request| request.digest = "1".repeat(64)),
        with("another version", |request| request.version = "1.2.0".into()),
        with("a version that is a path", |request| request.version = "../../1.1.0".into()),
        with("an id that is a path", |request| request.id = "../staged/00aa".into()),
        with("an id that is nothing", |request| request.id = String::new()),
        with("nothing to keep", |request| request.act = Act::Commit),
        with("nowhere to go back to", |request| request.act = Act::RollBack),
    ];
    for part in ["artifact", "latest.json", "latest.json.minisig"] {
        let mut case = case(format!("{part} is a link"), &manifest, artifact.clone(), "daily");
        case.staged = Some(Box::new(move |site| {
            let elsewhere = site.update.join("elsewhere");
            fs::rename(site.staged(part), &elsewhere).unwrap();
            std::os::unix::fs::symlink(&elsewhere, site.staged(part)).unwrap();
        }));
        cases.push(case);
    }
    cases
}

fn switched(case: &Case) -> (Result<(), String>, bool) {
    let site = Site::new();
    site.stage(&case.manifest, &case.signature, &case.artifact);
    if case.seen != Seen::default() {
        fs::write(site.layout.root.join("ratchet.json"), serde_json::to_vec(&case.seen).unwrap()).unwrap();
    }
    if let Some(change) = &case.staged {
        change(&site);
    }
    let mut request = site.request(Act::Apply, &sha256(&case.manifest));
    if let Some(change) = &case.request {
        change(&mut request);
    }
    let done = site.answer(&request).map_err(|error| error.to_string());
    let versions = fs::read_dir(site.layout.root.join("versions")).unwrap().count();
    let is_switched = site.layout.current().as_deref() != Some("1.0.0") || site.layout.pending().is_some() || versions != 1;
    assert!(!site.update.join(REQUEST).exists(), "{}: asked only once", case.name);
    (done, is_switched)
}

#[test]
fn a_good_release_is_switched_to() {
    let (artifact, manifest) = release();
    let (done, is_switched) = switched(&case("good", &manifest, artifact, "daily"));
    assert_eq!((done, is_switched), (Ok(()), true));
    let program = program("1.1.0");
    let artifact = gz(&program);
    let mut manifest = manifest;
    manifest["artifacts"][0] = json!({"target": TARGET, "kind": "bin", "url": "x.gz", "size": artifact.len(), "unpacked_size": program.len(), "sha256": sha256(&artifact)});
    assert_eq!(switched(&case("a bare binary", &manifest, artifact, "recovery")), (Ok(()), true));
    manifest["artifacts"][0] = json!({"target": TARGET, "kind": "bin", "url": "x", "size": program.len(), "unpacked_size": program.len(), "sha256": sha256(&program)});
    assert_eq!(switched(&case("a binary as it is", &manifest, program, "daily")), (Ok(()), true));
}

#[test]
fn whatever_was_tampered_with_is_refused_before_anything_is_switched() {
    let cases: Vec<Case> = [untrue(), archives(), unsigned(), asked()].into_iter().flatten().collect();
    let count = cases.len();
    for case in &cases {
        let (done, is_switched) = switched(case);
        assert!(done.is_err(), "{} was taken", case.name);
        assert!(!is_switched, "{} was switched to: {done:?}", case.name);
    }
    assert!(count >= 90, "{count} cases");
}

#[test]
fn the_recovery_key_revokes_the_daily_one_for_good_and_no_other_key_can() {
    let (artifact, mut revoking) = release();
    revoking["revoked_keys"] = json!(["AE67B5FDC90378E7", "7564F64C93875E9D"]);
    // Not for us at all, and still believed in this.
    revoking["artifacts"] = json!([]);
    for (key, is_revoked) in [("daily", false), ("recovery", true)] {
        let site = Site::new();
        let Case { manifest, signature, .. } = case("", &revoking, Vec::new(), key);
        site.stage(&manifest, &signature, &artifact);
        assert!(site.answer(&site.request(Act::Apply, &sha256(&manifest))).is_err());
        let (artifact, good) = release();
        let Case { manifest, signature, .. } = case("", &good, Vec::new(), "daily");
        site.stage(&manifest, &signature, &artifact);
        let after = site.answer(&site.request(Act::Apply, &sha256(&manifest)));
        assert_eq!(after.is_err(), is_revoked, "{key}: {after:?}");
        assert!(!site.layout.seen().unwrap().revoked.contains("7564F64C93875E9D"), "a key does not revoke itself");
    }
}

#[test]
fn a_service_that_was_taken_over_goes_back_one_version_once_and_to_no_unsigned_or_older_one() {
    let site = Site::new();
    let staged = |manifest: &Value, artifact: &[u8], key: &str| {
        let bytes = serde_json::to_vec(manifest).unwrap();
        site.stage(&bytes, &sign(&bytes, key), artifact);
        sha256(&bytes)
    };
    let (artifact, manifest) = release();
    let digest = staged(&manifest, &artifact, "daily");
    site.answer(&site.request(Act::Apply, &digest)).unwrap();
    site.answer(&site.request(Act::Commit, "")).unwrap();
    assert_eq!(site.layout.current().as_deref(), Some("1.1.0"));
    // Nobody's word but its own: root does what a person may ask for as well.
    site.answer(&site.request(Act::RollBack, "")).unwrap();
    assert_eq!(site.layout.current().as_deref(), Some("1.0.0"));
    assert!(site.answer(&site.request(Act::RollBack, "")).is_err(), "once");
    let mut older = manifest.clone();
    older["version"] = "0.9.0".into();
    older["seq"] = json!(manifest["seq"].as_u64().unwrap() - 1);
    let request = |digest: &str, version: &str| Request { version: version.into(), ..site.request(Act::Apply, digest) };
    let digest = staged(&older, &artifact, "daily");
    assert!(site.answer(&request(&digest, "0.9.0")).is_err(), "an older one that we signed");
    let mut newer = manifest.clone();
    newer["seq"] = json!(manifest["seq"].as_u64().unwrap() + 1);
    let digest = staged(&newer, &artifact, "other");
    assert!(site.answer(&request(&digest, "1.1.0")).is_err(), "signed by nobody");
    assert_eq!(site.layout.current().as_deref(), Some("1.0.0"));
}
