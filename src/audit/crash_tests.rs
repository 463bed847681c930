//! Crashes: every way the end of a trail may be found after the power went. Seed: `POWER_SEED`.
//!
//! What was flushed is there. Of what was not, the file may end at any byte, and any 512-byte sectors may be missing
//! (zeros). The head is the one of the last flush or an older one. No acknowledged record is lost, and it goes on.

use super::tests::{options, small, write};
use super::*;
use std::path::PathBuf;

const SECTOR: usize = 512;
const LEAST_STATES: u64 = 1000;

/// Two moments of one trail: what was flushed, and what the file would be had the next flush succeeded.
struct Moments {
    segment: PathBuf,
    heads: Vec<Vec<u8>>,
    flushed: Vec<u8>,
    written: Vec<u8>,
}

const FLUSHED: u64 = 9;
const WRITTEN: u64 = 13;

async fn moments(dir: &Path) -> Moments {
    let (segment, head) = (segment::path(dir, 1), dir.join(segment::HEAD));
    write(dir, options(), 1..=4).await;
    let mut heads = vec![std::fs::read(&head).unwrap()];
    write(dir, options(), 5..=FLUSHED).await;
    heads.push(std::fs::read(&head).unwrap());
    let flushed = std::fs::read(&segment).unwrap();
    write(dir, options(), FLUSHED + 1..=WRITTEN).await;
    Moments { flushed, written: std::fs::read(&segment).unwrap(), segment, heads }
}

/// Opens what a crash left; says how many records were found.
async fn reopen(moments: &Moments, found: &[u8], head: &[u8], which: &str) -> u64 {
    let dir = moments.segment.parent().unwrap();
    std::fs::remove_dir_all(dir).unwrap();
    std::fs::create_dir(dir).unwrap();
    std::fs::write(&moments.segment, found).unwrap();
    std::fs::write(dir.join(segment::HEAD), head).unwrap();
    let before = verify(dir).unwrap_or_else(|e| panic!("{which}: {e}"));
    assert!(before.head.seq >= FLUSHED, "{which}: lost an acknowledged record: {before:?}");
    let audit = Audit::open(dir, Clock::system(), options()).unwrap_or_else(|e| panic!("{which}: {e}"));
    let next = audit.append(record::tests::sample(1), Durability::Now).await.unwrap();
    assert_eq!(next, before.head.seq + 1, "{which}: the chain goes on");
    audit.close().await.unwrap();
    let after = verify(dir).unwrap_or_else(|e| panic!("{which}: {e}"));
    assert_eq!((after.records, after.unfinished_bytes), (next, 0), "{which}");
    let torn = moments.segment.with_extension("seg.torn");
    match before.unfinished_bytes {
        0 => assert!(!torn.exists(), "{which}"),
        n => assert_eq!(std::fs::read(torn).unwrap(), found[found.len() - n as usize..], "{which}: the torn end is kept"),
    }
    before.head.seq
}

#[tokio::test]
async fn no_crash_loses_an_acknowledged_record() {
    let seed = std::env::var("POWER_SEED").ok().and_then(|s| s.parse::<u64>().ok()).unwrap_or(20_261_125);
    println!("POWER_SEED={seed}");
    // Some thousand real flushes would take minutes; what they do is in the states.
    let home = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let moments = moments(&home.path().join("audit")).await;
    let (mut states, mut most) = (0, 0);
    for cut in moments.flushed.len()..=moments.written.len() {
        let head = &moments.heads[cut % 2];
        most = most.max(reopen(&moments, &moments.written[..cut], head, &format!("cut at byte {cut}")).await);
        states += 1;
    }
    assert_eq!(most, WRITTEN, "what is whole is kept, acknowledged or not");
    let mut chance = seed;
    for round in 0..400 {
        let found = some_sectors(&moments, &mut chance);
        reopen(&moments, &found, &moments.heads[round % 2], &format!("seed {seed}, round {round}")).await;
        states += 1;
    }
    println!("{states} crash states of the trail, 0 lost");
    assert!(states >= LEAST_STATES, "{states} states are too few");
}

/// All that was flushed, and of the rest those sectors that chance lets through.
fn some_sectors(moments: &Moments, chance: &mut u64) -> Vec<u8> {
    let mut found = moments.flushed.clone();
    found.resize(moments.written.len(), 0);
    let mut at = moments.flushed.len();
    while at < found.len() {
        let end = ((at / SECTOR + 1) * SECTOR).min(found.len());
        *chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        if *chance >> 63 == 0 {
            found[at..end].copy_from_slice(&moments.written[at..end]);
        }
        at = end;
    }
    found
}

#[tokio::test]
async fn a_segment_whose_making_was_cut_short_is_made_again() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), small(), 1..=30).await;
    let last = segment::list(dir.path()).unwrap().pop().unwrap();
    for length in 0..segment::HEADER_BYTES as usize {
        std::fs::write(segment::path(dir.path(), last + 1), vec![0; length]).unwrap();
        assert_eq!(verify(dir.path()).unwrap().records, 30);
        drop(Audit::open(dir.path(), Clock::system(), small()).unwrap());
        assert!(!segment::path(dir.path(), last + 1).exists());
    }
    write(dir.path(), small(), 31..=60).await;
    assert_eq!(verify(dir.path()).unwrap().records, 60);
}

#[tokio::test]
async fn two_crashes_keep_both_torn_ends() {
    let dir = tempfile::tempdir().unwrap();
    for n in 1..=3 {
        write(dir.path(), options(), n..=n).await;
        let path = segment::path(dir.path(), 1);
        let mut bytes = std::fs::read(&path).unwrap();
        bytes.extend([n as u8; 7]);
        std::fs::write(&path, bytes).unwrap();
    }
    drop(Audit::open(dir.path(), Clock::system(), options()).unwrap());
    for (name, n) in [("00000001.seg.torn", 1), ("00000001.seg.1.torn", 2), ("00000001.seg.2.torn", 3)] {
        assert_eq!(std::fs::read(dir.path().join(name)).unwrap(), [n; 7]);
    }
}
