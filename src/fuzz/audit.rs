//! The audit trail: whatever is done to its files, it is called whole only while it says what was written.

use super::{Pieces, Samples, Target, in_scratch};
use crate::audit::{Audit, AuditError, ClientInfo, Format, Head, Options, Phase, Reach, Record, Who, export, verify};
use crate::base::clock::{Clock, Wall};
use crate::base::tier::{Effect, Tier};
use crate::store::Durability;
use ring::digest::{SHA256, digest};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

pub(super) const TARGET: Target = Target {
    name: "audit",
    about: "segments of the audit trail",
    longest: 8 << 10,
    check,
    seeds,
    words: &["RMCPAUD1", "00000000000000000012 ", "\u{8}\u{1}", "\u{9}\u{2}"],
};

/// Records of the trail that is tampered with, in several segments.
const RECORDS: u64 = 12;
/// Bytes before a segment's first frame, and before a frame's payload.
const SEGMENT_HEAD: usize = 60;
const FRAME_HEAD: usize = 48;
/// Changes of one input.
const CHANGES: usize = 8;

/// Files by name.
type Files = BTreeMap<String, Vec<u8>>;

/// A trail as it was written.
struct Trail {
    files: Files,
    head: Head,
    said: Vec<u8>,
}

static TRAIL: LazyLock<Trail> = LazyLock::new(|| {
    let dir = super::Scratch::new();
    runtime().block_on(async {
        let audit = Audit::open(&dir.0, clock(), options()).expect("a trail");
        for n in 1..=RECORDS {
            audit.append(record(n), Durability::Now).await.expect("a record");
        }
        audit.close().await.expect("the trail ends well");
    });
    let report = verify(&dir.0).expect("it is whole");
    assert!(report.segments > 2 && report.records == RECORDS, "{report:?}");
    Trail { files: files(&dir.0), head: report.head, said: exported(&dir.0).expect("it is whole") }
});

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_time().build().expect("a runtime of one thread")
}

fn clock() -> Clock {
    Clock::by_hand(Wall(1_790_000_000_000)).0
}

fn options() -> Options {
    Options { segment_bytes: 1_000, flush_interval: Duration::from_secs(3_600), ..Options::default() }
}

fn record(n: u64) -> Record {
    Record {
        principal: Who { issuer: "local".into(), subject: format!("user-{}", n % 3), name: "Ann".into(), role: "admin".into() },
        client: ClientInfo { name: "inspector".into(), version: "1.2.3".into(), address: "stdio".into() },
        correlation_id: format!("00000000-0000-4000-8000-{n:012}"),
        tool: "interface.set".into(),
        tier: Tier::Basic,
        effect: Effect::Changes,
        device: Some(format!("dev_{n:012x}")),
        device_name: Some("edge-7".into()),
        environment: None,
        plan_id: None,
        job_id: None,
        risk: None,
        phase: Phase::Done,
        outcome: "ok".into(),
        error_kind: None,
        duration_ms: 12,
        bytes: 345,
        arguments: format!("{{\"n\":{n}}}"),
        arguments_digest: [7; 32],
    }
}

fn files(dir: &Path) -> Files {
    let entries = fs::read_dir(dir).expect("the trail is there").flatten();
    entries.filter_map(|entry| Some((entry.file_name().into_string().ok()?, fs::read(entry.path()).ok()?))).collect()
}

fn exported(dir: &Path) -> Result<Vec<u8>, AuditError> {
    let mut out = Vec::new();
    export(dir, Reach::Trail, Format::Json, None, None, &mut out).map(|_| out)
}

fn check(data: &[u8]) {
    let mut pieces = Pieces(data);
    let goes_on = pieces.byte() % 16 == 7;
    let mut changed = TRAIL.files.clone();
    for _ in 0..CHANGES {
        if pieces.is_empty() {
            break;
        }
        change(&mut changed, &mut pieces);
    }
    in_scratch(|dir| {
        for (name, bytes) in &changed {
            fs::write(dir.join(name), bytes).expect("there is room");
        }
        let found = judged(dir, &changed);
        if goes_on {
            go_on(dir, found);
        }
    });
}

/// What `verify` finds: the first record that is not as it was, if there is one.
fn judged(dir: &Path, changed: &Files) -> Option<u64> {
    match verify(dir) {
        // Nothing is left, at most the file of a head that was never written: that there was a trail is known by heads kept
        // elsewhere alone.
        Ok(report) if changed.iter().all(|(name, bytes)| name == "head" && bytes.is_empty()) => {
            assert_eq!(report.records, 0);
            Some(1)
        }
        Ok(report) => {
            assert_eq!((report.head, report.records), (TRAIL.head, RECORDS), "a trail that ends elsewhere is called whole");
            assert_eq!(exported(dir).expect("it is whole"), TRAIL.said, "a trail that says something else is called whole");
            if report.unfinished_bytes == 0 {
                assert!(*changed == TRAIL.files, "a changed trail is called whole");
            }
            None
        }
        Err(AuditError::Broken { seq, .. }) => {
            assert!((1..=RECORDS + 1).contains(&seq), "record {seq} was never written");
            assert!(exported(dir).is_err(), "it is broken, and exported as if it were whole");
            assert!(*changed != TRAIL.files, "a trail as it was written is called broken");
            Some(seq)
        }
        Err(error) => panic!("a trail that can be read: {error}"),
    }
}

/// A start on such a trail goes on with the chain, and heals nothing.
fn go_on(dir: &Path, found: Option<u64>) {
    runtime().block_on(async {
        let audit = Audit::open(dir, clock(), options()).expect("a start on what is there");
        let seq = audit.append(record(RECORDS + 1), Durability::Now).await.expect("a record");
        assert!(seq >= 1);
        audit.close().await.expect("the trail ends well");
    });
    match (found, verify(dir)) {
        (None, Ok(report)) => assert_eq!((report.records, report.unfinished_bytes), (RECORDS + 1, 0)),
        (None, Err(error)) => panic!("a whole trail is broken by going on: {error}"),
        // Where the head file itself is gone nobody knows how far the trail once reached; a new one is begun.
        (Some(_), Ok(report)) => assert!(report.head != TRAIL.head),
        (Some(_), Err(AuditError::Broken { .. })) => {}
        (Some(_), Err(error)) => panic!("a trail that can be read: {error}"),
    }
}

/// One thing done to the files.
fn change(files: &mut Files, pieces: &mut Pieces<'_>) {
    let what = pieces.byte();
    let names: Vec<String> = files.keys().cloned().collect();
    let Some(name) = names.get(usize::from(pieces.byte()) % names.len().max(1)) else { return };
    let other = names[usize::from(pieces.byte()) % names.len()].clone();
    let Some(bytes) = files.get_mut(name) else { return };
    let at = pieces.word() % (bytes.len() + 1);
    match what % 11 {
        0 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = pieces.byte();
            }
        }
        1 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << (pieces.byte() % 8);
            }
        }
        2 => drop(bytes.splice(at..at, pieces.short().iter().copied())),
        3 => {
            let end = (at + usize::from(pieces.byte())).min(bytes.len());
            bytes.drain(at..end);
        }
        4 => bytes.truncate(at),
        5 => drop(files.remove(name)),
        6 => {
            let copied = bytes.clone();
            files.insert(other, copied);
        }
        7 => bytes.extend_from_slice(pieces.short()),
        // Somebody who knows the format: the checksum is right, what follows is not.
        8 => forge(bytes, pieces, false),
        // And somebody who makes the rest of the segment follow.
        9 => forge(bytes, pieces, true),
        _ => *bytes = pieces.short().to_vec(),
    }
}

/// Changes a payload and mends the checksum of its frame; `onwards` also the links of the frames behind it.
fn forge(segment: &mut [u8], pieces: &mut Pieces<'_>, onwards: bool) {
    let frames = frames(segment);
    if frames.is_empty() {
        return;
    }
    let first = usize::from(pieces.byte()) % frames.len();
    let (from, to) = frames[first];
    if to > from + FRAME_HEAD {
        let at = from + FRAME_HEAD + pieces.word() % (to - from - FRAME_HEAD);
        segment[at] ^= pieces.byte();
    }
    let mut previous = None;
    for (from, to) in frames.into_iter().skip(first) {
        if let Some(hash) = previous.replace(()).and(hash_before(segment, from)) {
            segment[from + 16..from + FRAME_HEAD].copy_from_slice(&hash);
        }
        let crc = crc32c::crc32c(&segment[from + 8..to]);
        segment[from + 4..from + 8].copy_from_slice(&crc.to_le_bytes());
        if !onwards {
            return;
        }
    }
}

/// Where frames stand, by their lengths.
fn frames(segment: &[u8]) -> Vec<(usize, usize)> {
    let (mut found, mut at) = (Vec::new(), SEGMENT_HEAD);
    while let Some(length) = segment.get(at..at + 4) {
        let length = u32::from_le_bytes([length[0], length[1], length[2], length[3]]) as usize;
        let Some(end) = (at + FRAME_HEAD).checked_add(length).filter(|end| *end <= segment.len()) else { break };
        found.push((at, end));
        at = end;
    }
    found
}

/// The hash of the frame that ends here.
fn hash_before(segment: &[u8], at: usize) -> Option<Vec<u8>> {
    let (from, to) = frames(segment).into_iter().find(|(_, to)| *to == at)?;
    Some(digest(&SHA256, &segment[from + 8..to]).as_ref().to_vec())
}

fn seeds(_: &Samples) -> Vec<Vec<u8>> {
    let mut all = vec![vec![7], vec![0]];
    for what in 0..11u8 {
        for file in 0..3u8 {
            all.push(vec![if what == 8 { 7 } else { 0 }, what, file, 1, 90, what, 40, 3, 1, 1, 2, 3]);
        }
    }
    all
}
