//! The trail as callers and tamperers see it.

use super::record::tests::sample;
use super::*;
use crate::base::clock::Wall;

const NEVER: Duration = Duration::from_secs(3600);

pub(super) fn options() -> Options {
    Options { flush_interval: NEVER, ..Options::default() }
}

/// Segments of a dozen records.
pub(super) fn small() -> Options {
    Options { segment_bytes: 4000, ..options() }
}

pub(super) fn clock() -> Clock {
    Clock::by_hand(Wall(1_790_000_000_000)).0
}

pub(super) async fn write(dir: &Path, options: Options, numbers: std::ops::RangeInclusive<u64>) {
    let audit = Audit::open(dir, clock(), options).unwrap();
    for n in numbers {
        assert_eq!(audit.append(sample(n), Durability::Now).await.unwrap(), n);
    }
    audit.close().await.unwrap();
}

fn broken_at(dir: &Path) -> u64 {
    match verify(dir) {
        Err(AuditError::Broken { seq, .. }) => seq,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_chain_goes_on_over_restarts_and_segments() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), small(), 1..=40).await;
    write(dir.path(), small(), 41..=100).await;
    let report = verify(dir.path()).unwrap();
    assert_eq!((report.records, report.head.seq, report.unfinished_bytes), (100, 100, 0));
    assert!(report.segments > 3, "{report:?}");
    assert!(report.bytes / report.records <= 1000, "{} bytes a record", report.bytes / report.records);
}

#[tokio::test]
async fn a_trail_that_was_never_begun_is_empty_and_whole() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(verify(&dir.path().join("none")).unwrap(), Report::default());
    drop(Audit::open(dir.path(), clock(), options()).unwrap());
    assert_eq!(verify(dir.path()).unwrap(), Report::default());
}

#[tokio::test]
async fn a_spoilt_segment_header_is_named_and_what_it_held_is_kept() {
    for last in [false, true] {
        let mut expected = 0;
        let found = tampered(|dir, places| {
            let number = if last { segment::list(dir).unwrap().pop().unwrap() } else { 2 };
            let path = segment::path(dir, number);
            expected = places.iter().find(|p| p.1 == path).unwrap().0;
            edit(&path, |bytes| bytes[20] ^= 1);
        });
        assert_eq!(found.await, expected);
    }
}

#[tokio::test]
async fn a_second_writer_is_held_and_a_reader_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let audit = Audit::open(dir.path(), clock(), options()).unwrap();
    audit.append(sample(1), Durability::Soon).await.unwrap();
    assert!(matches!(Audit::open(dir.path(), clock(), options()), Err(AuditError::Held { .. })));
    assert_eq!(verify(dir.path()).unwrap().records, 1);
    let clone = audit.clone();
    audit.close().await.unwrap();
    assert!(matches!(clone.append(sample(2), Durability::Now).await, Err(AuditError::Closed)));
    drop(Audit::open(dir.path(), clock(), options()).unwrap());
}

/// Where each record stands: `(seq, segment, from, to)`.
fn places(dir: &Path) -> Vec<(u64, PathBuf, usize, usize)> {
    let mut all = Vec::new();
    for number in segment::list(dir).unwrap() {
        let path = segment::path(dir, number);
        let mut reader = segment::Reader::open(&path).unwrap();
        while let Ok((at, frame)) = reader.frame() {
            all.push((frame.seq, path.clone(), at as usize, (at + frame.len()) as usize));
        }
    }
    all
}

fn edit(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = std::fs::read(path).unwrap();
    change(&mut bytes);
    std::fs::write(path, bytes).unwrap();
}

/// The record that is named after `change` tampered with a trail of 60 records in some segments.
async fn tampered(change: impl FnOnce(&Path, Vec<(u64, PathBuf, usize, usize)>)) -> u64 {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), small(), 1..=60).await;
    change(dir.path(), places(dir.path()));
    let found = broken_at(dir.path());
    // Going on does not heal it: the evidence stays.
    let audit = Audit::open(dir.path(), clock(), small()).unwrap();
    let next = audit.append(sample(61), Durability::Now).await.unwrap();
    assert_eq!(next, 61);
    audit.close().await.unwrap();
    assert_eq!(broken_at(dir.path()), found, "after going on");
    found
}

#[tokio::test]
async fn a_changed_byte_is_named() {
    for seq in [1, 17, 59, 60] {
        let found = tampered(|_, places| {
            let (_, path, from, to) = &places[seq as usize - 1];
            edit(path, |bytes| bytes[(from + to) / 2] ^= 1);
        });
        assert_eq!(found.await, seq);
    }
}

#[tokio::test]
async fn a_change_with_a_mended_checksum_is_named() {
    for seq in [1, 17, 59, 60] {
        let found = tampered(|_, places| {
            let (_, path, from, to) = &places[seq as usize - 1];
            edit(path, |bytes| {
                let mut frame = chain::Frame::read(&mut &bytes[*from..*to]).unwrap();
                *frame.payload.last_mut().unwrap() ^= 1;
                let mut forged = Vec::new();
                frame.write(&mut forged);
                bytes.splice(from..to, forged);
            });
        });
        assert_eq!(found.await, seq);
    }
}

#[tokio::test]
async fn a_removed_record_is_named_wherever_it_stood() {
    for seq in [1, 17, 60] {
        let found = tampered(|_, places| {
            let (_, path, from, to) = &places[seq as usize - 1];
            edit(path, |bytes| drop(bytes.drain(from..to)));
        });
        assert_eq!(found.await, seq);
    }
}

#[tokio::test]
async fn swapped_records_are_named() {
    let found = tampered(|_, places| {
        let ((_, path, from, middle), (_, _, _, to)) = (&places[2], &places[3]);
        edit(path, |bytes| bytes[*from..*to].rotate_left(middle - from));
    });
    assert_eq!(found.await, 3);
}

#[tokio::test]
async fn removed_and_swapped_segments_are_named() {
    let first_of = |places: &[(u64, PathBuf, usize, usize)], name: &str| places.iter().find(|p| p.1.ends_with(name)).unwrap().0;
    let mut expected = 0;
    let found = tampered(|_, places| {
        expected = first_of(&places, "00000002.seg");
        std::fs::remove_file(&places[expected as usize - 1].1).unwrap();
    })
    .await;
    assert_eq!(found, expected);
    let found = tampered(|_, places| std::fs::remove_file(&places[0].1).unwrap()).await;
    assert_eq!(found, 1);
    let found = tampered(|_, places| {
        let last = places.last().unwrap().1.clone();
        expected = places.iter().find(|p| p.1 == last).unwrap().0;
        std::fs::remove_file(last).unwrap();
    })
    .await;
    assert_eq!(found, expected);
    let found = tampered(|dir, places| {
        expected = first_of(&places, "00000002.seg");
        let (two, three) = (segment::path(dir, 2), segment::path(dir, 3));
        std::fs::rename(&two, dir.join("x")).unwrap();
        std::fs::rename(&three, &two).unwrap();
        std::fs::rename(dir.join("x"), &three).unwrap();
    })
    .await;
    assert_eq!(found, expected);
}

#[tokio::test]
async fn everything_removed_but_the_head_is_noticed() {
    let found = tampered(|_, places| places.iter().for_each(|p| drop(std::fs::remove_file(&p.1)))).await;
    assert_eq!(found, 1);
}

#[tokio::test]
async fn a_missing_or_spoilt_head_is_noticed() {
    for junk in [None, Some("nonsense")] {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), options(), 1..=3).await;
        match junk {
            None => std::fs::remove_file(dir.path().join(segment::HEAD)).unwrap(),
            Some(text) => std::fs::write(dir.path().join(segment::HEAD), text).unwrap(),
        }
        assert_eq!(broken_at(dir.path()), 4);
        write(dir.path(), options(), 4..=5).await;
    }
}

#[tokio::test]
async fn recent_is_newest_first_filtered_and_pages_to_the_beginning() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), small(), 1..=200).await;
    let audit = Audit::open(dir.path(), clock(), small()).unwrap();
    audit.append(Record { outcome: "denied".into(), ..sample(201) }, Durability::Soon).await.unwrap();
    let seqs =
        |filter: &Filter, before, limit| -> Vec<u64> { audit.recent(filter, before, limit).unwrap().iter().map(|s| s.seq).collect() };
    let all = Filter::default();
    assert_eq!(seqs(&all, None, 3), [201, 200, 199], "one that is not flushed yet is seen");
    assert_eq!(seqs(&all, Some(4), 10), [3, 2, 1]);
    assert!(seqs(&all, Some(1), 10).is_empty());
    assert_eq!(seqs(&all, None, 1000), (1..=201).rev().collect::<Vec<_>>());
    let denied = Filter { outcome: Some("denied".into()), ..all.clone() };
    assert_eq!(seqs(&denied, None, 10), [201]);
    let own = Filter { principal: Some("user-1".into()), ..all.clone() };
    assert_eq!(seqs(&own, None, 1000), (1..=201).rev().filter(|n| n % 3 == 1).collect::<Vec<_>>());
    let device = Filter { device: Some("edge-2".into()), tool: Some("interface.set".into()), ..all.clone() };
    assert_eq!(seqs(&device, Some(30), 2), [27, 17]);
    assert!(seqs(&Filter { until: Some(Wall(0)), ..all.clone() }, None, 5).is_empty());
    let mut pages = Vec::new();
    let mut next = None;
    loop {
        let page = audit.page(&all, next, 7).unwrap();
        pages.extend(page.rows.iter().map(|s| s.seq));
        next = page.next;
        if next.is_none() {
            break;
        }
    }
    assert_eq!(pages, (1..=201).rev().collect::<Vec<_>>());
}

#[tokio::test]
async fn records_carry_time_boot_and_what_was_said() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), options(), 1..=1).await;
    let audit = Audit::open(dir.path(), clock(), options()).unwrap();
    let stored = audit.recent(&Filter::default(), None, 1).unwrap().remove(0);
    assert_eq!((stored.time, stored.boot_id.len(), &stored.record), (Wall(1_790_000_000_000), 32, &sample(1)));
}

#[tokio::test]
async fn an_export_is_one_signed_document() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), small(), 1..=30).await;
    let (key, mut out) = (sign::generate_key(), Vec::new());
    let head = export(dir.path(), Reach::Trail, Format::Json, None, Some(&key), &mut out).unwrap();
    assert!(head.is_signed() && head.seq == 30 && head.records == 30);
    let text = String::from_utf8(out).unwrap();
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(document["records"].as_array().unwrap().len(), 30);
    assert_eq!((&document["records"][4]["seq"], &document["records"][4]["tool"]), (&5.into(), &"interface.set".into()));
    assert_eq!(serde_json::from_value::<sign::SignedHead>(document["head"].clone()).unwrap(), head);
    let lines = &text["{\"records\":[\n".len()..text.rfind("],\"head\"").unwrap()];
    let digest = ring::digest::digest(&ring::digest::SHA256, lines.as_bytes());
    assert_eq!(head.digest, crate::base::ids::hex(digest.as_ref()), "the digest covers the lines as they stand");
    assert!(!sign::SignedHead { records: 29, ..head.clone() }.is_signed());
    assert!(matches!(export(dir.path(), Reach::Trail, Format::Json, None, Some(b"junk"), &mut Vec::new()), Err(AuditError::Key)));

    let mut out = Vec::new();
    let later = Some(Wall(1_790_000_000_001));
    assert_eq!(export(dir.path(), Reach::Trail, Format::Csv, later, None, &mut out).unwrap().records, 0);
    let mut out = Vec::new();
    export(dir.path(), Reach::Trail, Format::Csv, None, None, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert_eq!(text.lines().count(), 31);
    assert!(text.starts_with("seq,time,boot_id,"));
}

#[tokio::test]
async fn an_export_stops_at_a_broken_record() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), options(), 1..=5).await;
    let places = places(dir.path());
    edit(&places[2].1, |bytes| bytes[places[2].3 - 1] ^= 1);
    let refused = export(dir.path(), Reach::Trail, Format::Json, None, None, &mut Vec::new());
    assert!(matches!(refused, Err(AuditError::Broken { seq: 3, .. })));
}

#[tokio::test]
async fn a_link_in_the_place_of_a_file_of_the_trail_is_not_written_through() {
    // Root's command line writes the trail of a service that does not run, and that may have been taken over.
    let dir = tempfile::tempdir().unwrap();
    let other = dir.path().join("other");
    std::fs::write(&other, "somebody else's").unwrap();
    for (name, target) in [("head", &other), ("00000001.seg", &other), ("00000001.seg", &dir.path().join("new"))] {
        let trail = dir.path().join("trail");
        std::fs::create_dir(&trail).unwrap();
        std::os::unix::fs::symlink(target, trail.join(name)).unwrap();
        if let Ok(audit) = Audit::open(&trail, clock(), options()) {
            let _ = audit.append(sample(1), Durability::Now).await;
        }
        assert_eq!(std::fs::read_to_string(&other).unwrap(), "somebody else's", "{name}");
        assert!(!dir.path().join("new").exists(), "{name}");
        std::fs::remove_dir_all(trail).unwrap();
    }
}

#[tokio::test]
async fn a_trail_of_which_only_a_spoilt_head_is_left_is_not_called_whole() {
    let dir = tempfile::tempdir().unwrap();
    let audit = Audit::open(dir.path(), clock(), options()).unwrap();
    audit.append(sample(1), Durability::Now).await.unwrap();
    audit.close().await.unwrap();
    for number in segment::list(dir.path()).unwrap() {
        std::fs::remove_file(segment::path(dir.path(), number)).unwrap();
    }
    for (head, is_whole) in [("0000000000000000000x", false), ("1", false), ("", true)] {
        std::fs::write(dir.path().join(segment::HEAD), head).unwrap();
        assert_eq!(verify(dir.path()).is_ok(), is_whole, "{head:?}");
    }
}
