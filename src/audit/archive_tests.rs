//! What is old leaves the trail, and nothing else does, whatever happens on the way.

use super::archive::{self, Hands, Real};
use super::record::tests::sample;
use super::tests::small;
use super::*;
use crate::base::clock::{Hand, Wall};
use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

const BEGAN: Wall = Wall(1_790_000_000_000);
const DAY: Duration = Duration::from_secs(86_400);
const DAY_MS: i64 = 86_400_000;

/// An open trail of small segments and the clock it goes by.
struct Rig {
    audit: Audit,
    hand: Arc<Hand>,
    key: zeroize::Zeroizing<Vec<u8>>,
}

impl Rig {
    fn at(dir: &Path, wall: Wall) -> Rig {
        let (clock, hand) = Clock::by_hand(wall);
        Rig { audit: Audit::open(dir, clock, small()).unwrap(), hand, key: sign::generate_key() }
    }

    async fn write(&self, n: u64) {
        for n in 0..n {
            self.audit.append(sample(n), Durability::Now).await.unwrap();
        }
    }

    /// Archives what is older than so many days, by the clock of the rig.
    async fn keep(&self, now: Wall, days: i64) -> Result<Vec<Label>, AuditError> {
        self.audit.archive(Age { now, until: Wall(now.0 - days * DAY_MS) }, &self.key).await
    }
}

fn after(days: i64) -> Wall {
    Wall(BEGAN.0 + days * DAY_MS)
}

/// Sixty records a month, for three months.
async fn three_months(dir: &Path) -> Rig {
    let rig = Rig::at(dir, BEGAN);
    for _ in 0..3 {
        rig.write(60).await;
        rig.hand.advance(DAY * 30);
    }
    rig
}

#[tokio::test]
async fn old_segments_become_archives_and_the_trail_stays_whole_and_says_where_it_begins() {
    let dir = tempfile::tempdir().unwrap();
    let rig = three_months(dir.path()).await;
    assert_eq!(rig.keep(after(90), 365).await.unwrap(), [], "nothing is that old");
    let gone = rig.keep(after(90), 75).await.unwrap();
    let last = gone.last().unwrap().last_seq;
    assert!(gone.len() > 2 && last <= 60, "only the first month, whole segments of it: {gone:?}");
    let report = verify(dir.path()).unwrap();
    assert_eq!((report.archived.seq, report.records), (last, 180 - last + gone.len() as u64));
    let whole = verify_all(dir.path()).unwrap();
    assert_eq!((whole.archived.seq, whole.records), (0, 180 + gone.len() as u64), "with the archives nothing is missing");
    assert_eq!(whole.head, report.head);
    for label in &gone {
        let path = archive::path(dir.path(), label.segment);
        assert_eq!(verify_archive(&path).unwrap(), *label);
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(!segment::path(dir.path(), label.segment).exists());
    }
    assert_eq!(rig.keep(after(90), 75).await.unwrap(), [], "once is enough");
    rig.audit.close().await.unwrap();
    let again = Rig::at(dir.path(), after(91));
    again.write(60).await;
    assert_eq!(verify(dir.path()).unwrap().archived.seq, last, "it goes on after a restart");
    // The record of the first cut is archived in its turn, and a newer one says where the trail begins.
    again.hand.advance(DAY * 400);
    again.write(20).await;
    let more = again.keep(after(491), 200).await.unwrap();
    assert!(more[0].first_seq == last + 1 && more.last().unwrap().last_seq > 180, "{more:?}");
    assert_eq!(verify(dir.path()).unwrap().archived.seq, more.last().unwrap().last_seq);
    assert_eq!(verify_all(dir.path()).unwrap().archived.seq, 0);
}

#[tokio::test]
async fn pages_and_exports_end_where_the_archives_begin() {
    let dir = tempfile::tempdir().unwrap();
    let rig = three_months(dir.path()).await;
    let first = rig.keep(after(90), 75).await.unwrap().last().unwrap().last_seq + 1;
    let (mut before, mut seen) = (None, Vec::new());
    loop {
        let page = rig.audit.page(&Filter::default(), before, 7).unwrap();
        seen.extend(page.rows.iter().map(|row| row.seq));
        before = page.next;
        if before.is_none() {
            break;
        }
        assert!(!page.rows.is_empty() && page.rows.len() <= 7, "no empty page before the end");
    }
    let newest = verify(dir.path()).unwrap().head.seq;
    assert_eq!(seen, (first..=newest).rev().collect::<Vec<_>>());
    assert_eq!(rig.audit.page(&Filter::default(), Some(first), 7).unwrap().next, None, "a cursor from before the cut ends quietly");
    let mut out = Vec::new();
    let head = export(dir.path(), Reach::Trail, Format::Json, None, Some(&rig.key), &mut out).unwrap();
    let read: serde_json::Value = serde_json::from_slice(&out).unwrap();
    assert!(head.is_signed() && head.records == newest - first + 1);
    assert_eq!(read["archived"]["seq"], first - 1);
    let mut out = Vec::new();
    assert_eq!(export(dir.path(), Reach::WithArchives, Format::Json, None, None, &mut out).unwrap().records, newest);
    assert!(serde_json::from_slice::<serde_json::Value>(&out).unwrap()["archived"].is_null());
    let mut out = Vec::new();
    let label = export_archive(&archive::path(dir.path(), 1), Format::Json, &mut out).unwrap();
    let read: serde_json::Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(read["records"].as_array().unwrap().len() as u64, label.records());
    assert_eq!(read["archive"]["sha256"], label.sha256);
}

#[tokio::test]
async fn stock_gzip_gives_the_segment_back_byte_for_byte() {
    let dir = tempfile::tempdir().unwrap();
    let rig = three_months(dir.path()).await;
    let before = std::fs::read(segment::path(dir.path(), 1)).unwrap();
    let label = rig.keep(after(90), 75).await.unwrap().remove(0);
    let mut back = Vec::new();
    flate2::read::GzDecoder::new(File::open(archive::path(dir.path(), 1)).unwrap()).read_to_end(&mut back).unwrap();
    assert_eq!(back, before);
    let digest = ring::digest::digest(&ring::digest::SHA256, &before);
    assert_eq!(label.sha256, crate::base::ids::hex(digest.as_ref()));
    assert!(std::fs::metadata(archive::path(dir.path(), 1)).unwrap().len() < before.len() as u64);
}

#[tokio::test]
async fn the_beginning_cannot_be_taken_away_without_a_record_and_a_cut_hides_no_loss() {
    for cut_before in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let rig = three_months(dir.path()).await;
        let mut first = 1;
        if cut_before {
            first = rig.keep(after(90), 75).await.unwrap().last().unwrap().segment + 1;
        }
        std::fs::remove_file(segment::path(dir.path(), first)).unwrap();
        let broken = |found: Result<Report, AuditError>| matches!(found, Err(AuditError::Broken { seq: 1, .. }));
        assert!(broken(verify(dir.path())), "{:?}", verify(dir.path()));
        // The thief asks the sweep to cover it up.
        let refused = rig.keep(after(90), 35).await;
        assert!(refused.is_err(), "{refused:?}");
        assert!(broken(verify(dir.path())));
        assert!(segment::path(dir.path(), first + 1).exists(), "what is left stays as evidence");
    }
}

#[tokio::test]
async fn a_damaged_segment_is_not_archived() {
    let dir = tempfile::tempdir().unwrap();
    let rig = three_months(dir.path()).await;
    let path = segment::path(dir.path(), 2);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[500] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    assert!(matches!(rig.keep(after(90), 75).await, Err(AuditError::Broken { .. })));
    assert_eq!(archive::list(dir.path()).unwrap(), [] as [u64; 0]);
    assert!(segment::path(dir.path(), 1).exists());
}

#[tokio::test]
async fn any_changed_byte_of_an_archive_is_found_or_changes_nothing_it_says() {
    let dir = tempfile::tempdir().unwrap();
    let rig = three_months(dir.path()).await;
    let label = rig.keep(after(90), 75).await.unwrap().remove(0);
    let path = archive::path(dir.path(), 1);
    let good = std::fs::read(&path).unwrap();
    let mut found = 0;
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 0x10;
        std::fs::write(&path, bad).unwrap();
        match verify_archive(&path) {
            Ok(said) => assert_eq!(said, label, "byte {at}"),
            Err(AuditError::Broken { .. }) => found += 1,
            Err(error) => panic!("byte {at}: {error}"),
        }
    }
    // Gzip's own note of name, time and system is nobody's word.
    assert!(found > good.len() - 60, "{found} of {}", good.len());
    for at in 0..good.len() {
        std::fs::write(&path, &good[..at]).unwrap();
        assert!(verify_archive(&path).is_err(), "cut at {at}");
    }
    for more in [good.as_slice(), b"\0", b"more"] {
        std::fs::write(&path, [&good, more].concat()).unwrap();
        assert!(matches!(verify_archive(&path), Err(AuditError::Broken { .. })), "{} bytes more", more.len());
    }
}

#[tokio::test]
async fn an_archive_of_another_trail_under_the_same_name_is_not_written_over() {
    let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (rig, twin) = (three_months(dir.path()).await, Rig::at(other.path(), after(1)));
    twin.write(60).await;
    twin.keep(after(90), 75).await.unwrap();
    let (from, to) = (archive::path(other.path(), 1), archive::path(dir.path(), 1));
    std::fs::create_dir(archive::place(dir.path())).unwrap();
    std::fs::copy(&from, &to).unwrap();
    let error = rig.keep(after(90), 75).await.unwrap_err().to_string();
    assert!(error.contains("move it away"), "{error}");
    assert_eq!(std::fs::read(from).unwrap(), std::fs::read(to).unwrap());
    assert_eq!(verify(dir.path()).unwrap().archived.seq, 0);
}

#[tokio::test]
async fn records_of_1970_and_of_a_clock_that_ran_ahead_are_as_old_as_what_comes_after_them() {
    let dir = tempfile::tempdir().unwrap();
    let rig = Rig::at(dir.path(), Wall(5_000));
    rig.write(60).await;
    assert_eq!(rig.keep(after(0), 30).await.unwrap(), [], "nobody knows how old they are");
    rig.hand.step_wall(after(0));
    rig.write(20).await;
    assert_eq!(rig.keep(after(20), 30).await.unwrap(), [], "at least as young as the first that knows the date");
    rig.hand.step_wall(after(3650));
    rig.write(40).await;
    rig.hand.step_wall(after(40));
    rig.write(40).await;
    let gone = rig.keep(after(60), 30).await.unwrap();
    assert!(gone.last().is_some_and(|label| label.last_seq >= 40), "those of 1970 went with what came after: {gone:?}");
    assert!(gone.last().is_some_and(|label| label.last_seq <= 80), "those of 2036 were written before day 40, 20 days ago: {gone:?}");
    let gone = rig.keep(after(75), 30).await.unwrap();
    assert!(gone.last().is_some_and(|label| label.last_seq >= 110), "35 days ago now: {gone:?}");
    assert_eq!(verify(dir.path()).unwrap().archived.seq, gone.last().unwrap().last_seq);
}

#[tokio::test]
async fn who_reads_while_it_is_cut_reads_on_in_the_archives() {
    let dir = tempfile::tempdir().unwrap();
    let rig = three_months(dir.path()).await;
    let newest = verify(dir.path()).unwrap().head.seq;
    let key = rig.key.clone();
    let mut seen = 0;
    verify::walk(dir.path(), Reach::Trail, &mut |frame| {
        if frame.seq == 1 {
            // As the cut does: the archive has its name before the segment loses its own.
            for number in [1, 2, 3] {
                let file = Box::new(File::open(segment::path(dir.path(), number)).unwrap());
                let survey = archive::survey(number, file, Wall(i64::MAX), &mut |_| Ok(())).unwrap();
                archive::make(dir.path(), &survey, &key, &Real).unwrap();
                std::fs::remove_file(segment::path(dir.path(), number)).unwrap();
            }
        }
        seen += 1;
        Ok(())
    })
    .unwrap();
    assert_eq!(seen, newest);
}

/// Hands that are cut off before the n-th thing they do. What a file held that was not flushed may be lost, and so may a
/// name that was given or taken without flushing the directory.
struct Cut {
    left: AtomicUsize,
    loses: bool,
}

impl Cut {
    fn step(&self) -> io::Result<()> {
        match self.left.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)) {
            Ok(_) => Ok(()),
            Err(_) => Err(io::Error::other("power cut")),
        }
    }
}

impl Hands for Cut {
    fn write(&self, path: &Path, fill: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
        self.step()?;
        Real.write(path, fill)?;
        if let Err(cut) = self.step() {
            let kept = if self.loses { 0 } else { std::fs::metadata(path)?.len() / 2 };
            OpenOptions::new().write(true).open(path)?.set_len(kept)?;
            return Err(cut);
        }
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step()?;
        Real.rename(from, to)?;
        let cut = self.step();
        if cut.is_err() && self.loses {
            std::fs::rename(to, from)?;
        }
        cut
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.step()?;
        let kept = std::fs::read(path)?;
        Real.remove(path)?;
        let cut = self.step();
        if cut.is_err() && self.loses {
            std::fs::write(path, kept)?;
        }
        cut
    }
}

#[tokio::test]
async fn a_power_cut_at_any_step_leaves_the_segment_or_the_archive_and_the_next_sweep_ends_it() {
    let home = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let (mut cuts, mut done) = (0, false);
    while !done {
        for loses in [false, true] {
            let dir = home.path().join(format!("audit-{cuts}-{loses}"));
            let rig = three_months(&dir).await;
            let hands = Arc::new(Cut { left: AtomicUsize::new(cuts), loses });
            let age = Age { now: after(90), until: after(15) };
            let cut = rig.audit.archive_by(age, &rig.key, hands).await;
            done = cut.is_ok();
            drop(rig);
            // The next start.
            let which = format!("cut {cuts}, loses {loses}: {cut:?}");
            let rig = Rig::at(&dir, after(90));
            verify(&dir).unwrap_or_else(|e| panic!("{which}: {e}"));
            let all = verify_all(&dir).unwrap_or_else(|e| panic!("{which}: {e}"));
            assert!(all.archived.seq == 0 && all.records >= 180, "{which}: {all:?}");
            let rest = rig.keep(after(90), 75).await.unwrap_or_else(|e| panic!("{which}: {e}"));
            assert!(!done || rest.is_empty(), "{which}: {rest:?}");
            let (live, all) = (verify(&dir).unwrap(), verify_all(&dir).unwrap());
            assert!(live.archived.seq > 30 && all.archived.seq == 0 && all.head == live.head, "{which}: {live:?}");
        }
        cuts += 1;
    }
    println!("{cuts} steps cut, 0 lost");
    assert!(cuts > 12, "{cuts} steps are too few");
}

/// Hands on a disk without room.
struct Full;

impl Hands for Full {
    fn write(&self, path: &Path, _: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
        std::fs::write(path, b"half")?;
        Err(io::ErrorKind::StorageFull.into())
    }

    fn rename(&self, _: &Path, _: &Path) -> io::Result<()> {
        Err(io::ErrorKind::StorageFull.into())
    }

    fn remove(&self, _: &Path) -> io::Result<()> {
        Err(io::ErrorKind::StorageFull.into())
    }
}

/// Hands that can do everything but remove.
struct Holding;

impl Hands for Holding {
    fn write(&self, path: &Path, fill: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
        Real.write(path, fill)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        Real.rename(from, to)
    }

    fn remove(&self, _: &Path) -> io::Result<()> {
        Err(io::ErrorKind::PermissionDenied.into())
    }
}

#[tokio::test]
async fn a_segment_that_cannot_be_removed_is_the_first_to_go_next_time_and_leaves_no_hole() {
    let dir = tempfile::tempdir().unwrap();
    let rig = three_months(dir.path()).await;
    let age = Age { now: after(90), until: after(15) };
    assert!(rig.audit.archive_by(age, &rig.key, Arc::new(Holding)).await.is_err());
    assert!(segment::path(dir.path(), 1).exists() && rig.audit.index().first() == 1);
    let gone = rig.keep(after(90), 75).await.unwrap();
    assert!(gone[0].segment == 1 && gone.len() > 1, "{gone:?}");
    assert_eq!(verify(dir.path()).unwrap().archived.seq, gone.last().unwrap().last_seq);
    assert!(verify_all(dir.path()).unwrap().archived.seq == 0);
}

#[tokio::test]
async fn on_a_full_disk_everything_stays_where_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let rig = three_months(dir.path()).await;
    let full = rig.audit.archive_by(Age { now: after(90), until: after(15) }, &rig.key, Arc::new(Full)).await;
    assert!(matches!(full, Err(AuditError::Io { .. })), "{full:?}");
    assert_eq!(std::fs::read_dir(archive::place(dir.path())).unwrap().count(), 0, "half an archive helps nobody");
    assert_eq!((verify(dir.path()).unwrap().records, verify(dir.path()).unwrap().archived.seq), (180, 0));
    assert!(!rig.keep(after(90), 75).await.unwrap().is_empty(), "and it is done when there is room");
}
