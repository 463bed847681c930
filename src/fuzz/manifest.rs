//! What a release says of itself: believed of nobody without a signature, and within bounds whoever signed it.

use super::{Pieces, Samples, Target, is_fit_to_say};
use crate::update::UpdateError;
use crate::update::manifest::{ARTIFACT_MAX, Here, Release, Seen, UNPACKED_MAX, is_version, read};
use crate::update::signature::Keys;
use std::collections::BTreeSet;
use std::sync::LazyLock;

pub(super) const TARGET: Target = Target {
    name: "manifest",
    about: "update manifests and their signatures",
    longest: 16 << 10,
    check,
    seeds,
    words: &[
        "\"format\":1",
        "\"product\":\"routeros-mcp\"",
        "\"channel\":\"stable\"",
        "\"seq\":",
        "\"version\":\"1.1.0\"",
        "\"min_from_version\":\"",
        "\"artifacts\":[",
        "\"target\":\"test-target\"",
        "\"kind\":\"tar\"",
        "\"kind\":\"bin\"",
        "\"url\":\"",
        "../",
        "\"sha256\":\"",
        "\"size\":67108865",
        "-1",
        "18446744073709551615",
        "1.1.0-rc.1",
        "1.1.0+b",
        "untrusted comment: ",
        "trusted comment: ",
        "\"revoked_keys\":[\"",
        "2026-11-20T10:00:00Z",
    ],
};

/// A manifest that was signed with the key below, and its signature: `minisign` made neither, a test key did.
const GOOD: &[u8] = include_bytes!("../../tests/fuzz/data/latest.json");
const SIGNATURE: &[u8] = include_bytes!("../../tests/fuzz/data/latest.json.minisig");
const KEY: &str = "[[key]]\nuse = \"daily\"\npublic = \"RWTneAPJ/bVnrnhG+s93zoLo/HYAcNibSOM13GtAvEZgXymRTlENpywI\"\n";

static KEYS: LazyLock<Keys> = LazyLock::new(|| Keys::parse(KEY, false).expect("a key"));

fn here() -> Here {
    Here { version: "1.0.0".into(), target: "test-target".into(), channel: "stable".into(), store_schema: 1 }
}

fn check(data: &[u8]) {
    let (kind, rest) = data.split_first().unwrap_or((&0, &[]));
    match kind % 3 {
        // The same manifest with any signature, any manifest with the same signature, and both.
        0 => signed(GOOD, rest),
        1 => signed(rest, SIGNATURE),
        _ => {
            let mut pieces = Pieces(rest);
            let length = pieces.word();
            signed(pieces.take(length), pieces.0);
        }
    }
    believed(rest);
}

/// Opens only what the key signed, bit for bit.
fn signed(manifest: &[u8], signature: &[u8]) {
    let mut seen = Seen::default();
    match Release::open(manifest, signature, &KEYS, &mut seen, &here()) {
        Ok(release) => {
            assert!(manifest == GOOD, "opened without a signature: {}", String::from_utf8_lossy(manifest));
            assert_eq!((release.manifest.version.as_str(), seen.seq.len()), ("1.1.0", 1));
            let revoked = BTreeSet::from([release.key_id]);
            assert!(KEYS.verify(manifest, signature, &revoked).is_err(), "a revoked key signs");
        }
        Err(error) => {
            is_fit_to_say(&error.to_string());
            assert_eq!(seen, Seen::default(), "something is remembered of what was refused");
        }
    }
}

/// What a signed manifest could say.
fn believed(manifest: &[u8]) {
    match read(manifest, &here()) {
        Ok((manifest, artifact)) => {
            assert!(is_version(&manifest.version) && manifest.version != "1.0.0");
            assert!(manifest.version.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte)), "no name of a directory");
            assert!((1..=ARTIFACT_MAX).contains(&artifact.size) && (1..=UNPACKED_MAX).contains(&artifact.unpacked_size));
            let name = artifact.file_name().expect("a name");
            assert!(!name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', '\0']));
        }
        Err(error) => {
            assert!(matches!(error, UpdateError::Refused(_) | UpdateError::NotNewer { .. }), "{error:?}");
            is_fit_to_say(&error.to_string());
        }
    }
}

fn seeds(_: &Samples) -> Vec<Vec<u8>> {
    let both = [b"\x02".as_slice(), &(GOOD.len() as u16).to_le_bytes(), GOOD, SIGNATURE].concat();
    vec![[b"\x00", SIGNATURE].concat(), [b"\x01", GOOD].concat(), both]
}
