//! Releases for tests, signed with the test keys as `minisign` does.

use crate::update::UpdateError;
use crate::update::bundle::{MANIFEST, SIGNATURE};
use crate::update::manifest::Here;
use crate::update::root::{self, Act, Request};
use crate::update::signature::Keys;
use crate::update::swap::Layout;
use blake2::{Blake2b512, Digest};
use data_encoding::BASE64;
use ring::digest::{SHA256, digest};
use ring::signature::Ed25519KeyPair;
use serde_json::{Value, json};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

pub const TARGET: &str = "test-target";
pub const ID: &str = "00aa";

pub fn keys() -> Keys {
    Keys::parse(include_str!("../../assets/update/keys.toml"), true).unwrap()
}

pub fn here() -> Here {
    Here { version: "1.0.0".into(), target: TARGET.into(), channel: "stable".into(), store_schema: 1 }
}

pub fn sha256(bytes: &[u8]) -> String {
    crate::base::ids::hex(digest(&SHA256, bytes).as_ref())
}

/// A detached signature with one of `tests/data/update/*.key`.
pub fn sign(bytes: &[u8], key: &str) -> Vec<u8> {
    let file = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/data/update/{key}.key"))).unwrap();
    let raw = BASE64.decode(file.lines().nth(1).unwrap().as_bytes()).unwrap();
    let pair = Ed25519KeyPair::from_seed_and_public_key(&raw[62..94], &raw[94..126]).unwrap();
    let signature = pair.sign(&Blake2b512::digest(bytes)).as_ref().to_vec();
    let line = [b"ED".as_slice(), &raw[54..62], &signature].concat();
    let comment = "a test";
    let global = pair.sign(&[signature.as_slice(), comment.as_bytes()].concat()).as_ref().to_vec();
    format!("untrusted comment: test\n{}\ntrusted comment: {comment}\n{}\n", BASE64.encode(&line), BASE64.encode(&global)).into_bytes()
}

/// A program that says what version it is, and stands its tests.
pub fn program(version: &str) -> Vec<u8> {
    let mut text =
        format!("#!/bin/sh\ncase $1 in version) echo '{{\"version\":\"{version}\"}}';; check) [ \"$ROUTEROS_MCP_STORE_PATH\" != /the/real/one ];; *) echo {version};; esac\nexit\n")
            .into_bytes();
    text.resize(300_000, b'#');
    text
}

/// A tar entry as anybody could write it.
pub struct Entry<'a> {
    pub name: &'a str,
    pub kind: tar::EntryType,
    pub link: &'a str,
    pub bytes: &'a [u8],
}

pub fn archive(entries: &[Entry<'_>]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for entry in entries {
        let mut header = tar::Header::new_ustar();
        header.as_old_mut().name[..entry.name.len()].copy_from_slice(entry.name.as_bytes());
        header.as_old_mut().linkname[..entry.link.len()].copy_from_slice(entry.link.as_bytes());
        header.set_entry_type(entry.kind);
        header.set_size(entry.bytes.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        builder.append(&header, entry.bytes).unwrap();
    }
    builder.into_inner().unwrap()
}

pub fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// `routeros-mcp-1.1.0/routeros-mcp` in a .tar.gz.
pub fn tarball(program: &[u8]) -> Vec<u8> {
    let name = "routeros-mcp-1.1.0/routeros-mcp";
    gz(&archive(&[Entry { name, kind: tar::EntryType::Regular, link: "", bytes: program }]))
}

/// A good manifest for an artifact.
pub fn manifest(artifact: &[u8], unpacked: usize) -> Value {
    json!({
        "format": 1, "product": "routeros-mcp", "channel": "stable", "seq": 41, "version": "1.1.0",
        "released": "2026-11-20T10:00:00Z", "stale_after": "2027-02-20T00:00:00Z", "severity": "bugfix", "notes_url": null,
        "notes": "Fixes a thing.", "min_from_version": "0.9.0", "schema": {"store": 1, "store_min_readable": 1, "config": 1},
        "artifacts": [{"target": TARGET, "kind": "tar", "url": "routeros-mcp-1.1.0.tar.gz", "size": artifact.len(),
                       "unpacked_size": unpacked, "sha256": sha256(artifact)}]
    })
}

/// A release that nothing is wrong with: its artifact, and its manifest.
pub fn release() -> (Vec<u8>, Value) {
    let program = program("1.1.0");
    let artifact = tarball(&program);
    let manifest = manifest(&artifact, program.len());
    (artifact, manifest)
}

/// An installation with version 1.0.0, and a request to switch to what is staged.
pub struct Site {
    _dir: tempfile::TempDir,
    pub layout: Layout,
    pub update: PathBuf,
}

impl Site {
    pub fn new() -> Site {
        let dir = tempfile::tempdir().unwrap();
        let layout = Layout::at_root(dir.path().join("bin"));
        let old = layout.binary("1.0.0");
        fs::create_dir_all(old.parent().unwrap()).unwrap();
        fs::write(&old, program("1.0.0")).unwrap();
        fs::set_permissions(&old, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        std::os::unix::fs::symlink("versions/1.0.0", layout.root.join("current")).unwrap();
        let update = dir.path().join("state/update");
        fs::create_dir_all(update.join("staged").join(ID)).unwrap();
        Site { _dir: dir, layout, update }
    }

    pub fn staged(&self, name: &str) -> PathBuf {
        self.update.join("staged").join(ID).join(name)
    }

    pub fn stage(&self, manifest: &[u8], signature: &[u8], artifact: &[u8]) {
        for (name, bytes) in [(MANIFEST, manifest), (SIGNATURE, signature), ("artifact", artifact)] {
            fs::write(self.staged(name), bytes).unwrap();
        }
    }

    pub fn request(&self, act: Act, digest: &str) -> Request {
        Request { act, id: ID.into(), digest: digest.into(), version: "1.1.0".into(), by: "anna".into() }
    }

    /// Root's answer to a request.
    pub fn answer(&self, request: &Request) -> Result<(), UpdateError> {
        fs::write(self.update.join(root::REQUEST), serde_json::to_vec(request).unwrap()).unwrap();
        root::answer(&self.layout, &self.update, || Ok((keys(), here())))
    }
}
