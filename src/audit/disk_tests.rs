//! The trail on a disk that refuses, tears what it writes, and comes back; and how often it is flushed.

use super::record::tests::sample;
use super::tests::{clock, options, small};
use super::*;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Instant;

/// A segment file on a disk that can be told to fail, and counts.
#[derive(Clone, Default)]
struct Faulty(Arc<State>);

#[derive(Default)]
struct State {
    failing: AtomicBool,
    /// Writes half of what it is given, then fails.
    tearing: AtomicBool,
    syncs: AtomicU64,
    bytes: AtomicU64,
}

struct OnFaulty(Faulty, Box<dyn Medium>);

impl Faulty {
    fn open(&self) -> Open {
        let faulty = self.clone();
        Box::new(move |path| {
            faulty.check()?;
            Ok(Box::new(OnFaulty(faulty.clone(), medium::file(path)?)))
        })
    }

    fn check(&self) -> io::Result<()> {
        if self.0.failing.load(SeqCst) { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }
}

impl Medium for OnFaulty {
    fn write_at(&mut self, bytes: &[u8], at: u64) -> io::Result<()> {
        if self.0.0.tearing.load(SeqCst) {
            self.1.write_at(&bytes[..bytes.len() / 2], at)?;
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.0.check()?;
        self.0.0.bytes.fetch_add(bytes.len() as u64, SeqCst);
        self.1.write_at(bytes, at)
    }

    fn cut(&mut self, len: u64) -> io::Result<()> {
        self.0.check()?;
        self.1.cut(len)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.0.check()?;
        self.0.0.syncs.fetch_add(1, SeqCst);
        Ok(())
    }
}

#[tokio::test]
async fn what_cannot_be_written_is_refused_and_leaves_nothing() {
    for tearing in [false, true] {
        let (dir, disk) = (tempfile::tempdir().unwrap(), Faulty::default());
        let meter = Meter::default();
        let audit = Audit::open_on(dir.path(), clock(), Options { meter: meter.clone(), ..small() }, disk.open()).unwrap();
        for n in 1..=10 {
            let durability = if n == 10 { Durability::Soon } else { Durability::Now };
            assert_eq!(audit.append(sample(n), durability).await.unwrap(), n);
        }
        let switch = if tearing { &disk.0.tearing } else { &disk.0.failing };
        switch.store(true, SeqCst);
        for durability in [Durability::Now, Durability::Soon, Durability::Now] {
            let refused = audit.append(sample(99), durability).await;
            assert!(matches!(&refused, Err(AuditError::Io { .. })), "{refused:?}");
            assert_eq!(audit.recent(&Filter::default(), None, 1).unwrap()[0].seq, 10, "reads go on");
        }
        assert!(audit.is_failing());
        let counted = meter.page(&Default::default());
        assert!(counted.contains("audit_records_total{outcome=\"unwritten\"} 3\n"), "{counted}");
        switch.store(false, SeqCst);
        for n in 12..=40 {
            assert_eq!(audit.append(sample(n), Durability::Now).await.unwrap(), n, "heals by itself");
        }
        assert!(!audit.is_failing());
        audit.close().await.unwrap();
        assert_eq!(verify(dir.path()).unwrap().records, 40);
        let audit = Audit::open(dir.path(), clock(), small()).unwrap();
        let mut all = audit.recent(&Filter::default(), None, 100).unwrap();
        let gap = all.remove(all.iter().position(|stored| stored.seq == 11).unwrap());
        assert_eq!((gap.record.tool.as_str(), gap.record.arguments.as_str()), ("trail.gap", r#"{"lost":3}"#), "it says what is missing");
        assert!(all.iter().all(|stored| stored.record == sample(stored.seq)), "and nothing refused is in it");
    }
}

#[tokio::test]
async fn a_trail_nobody_writes_to_finds_out_by_itself_that_the_disk_is_well() {
    let (dir, disk) = (tempfile::tempdir().unwrap(), Faulty::default());
    let audit = Audit::open_on(dir.path(), clock(), small(), disk.open()).unwrap();
    audit.append(sample(1), Durability::Now).await.unwrap();
    disk.0.failing.store(true, SeqCst);
    audit.append(sample(2), Durability::Now).await.unwrap_err();
    assert!(audit.is_failing());
    disk.0.failing.store(false, SeqCst);
    let deadline = Instant::now() + Duration::from_secs(20);
    while audit.is_failing() {
        assert!(Instant::now() < deadline, "it never looks again");
        tokio::task::yield_now().await;
    }
    assert_eq!(audit.recent(&Filter::default(), None, 1).unwrap()[0].record.tool, "trail.gap");
    audit.close().await.unwrap();
    assert_eq!(verify(dir.path()).unwrap().records, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_concurrent_writers_share_flushes_and_few_bytes() {
    let (dir, disk) = (tempfile::tempdir().unwrap(), Faulty::default());
    let audit = Audit::open_on(dir.path(), clock(), options(), disk.open()).unwrap();
    let started = Instant::now();
    let mut seqs: Vec<u64> = futures_util::future::join_all((0..100).map(|n| audit.append(sample(n), Durability::Now)))
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    let (syncs, bytes) = (disk.0.syncs.load(SeqCst), disk.0.bytes.load(SeqCst));
    println!("100 concurrent records: {syncs} flushes, {} bytes a record, {:?}", bytes / 100, started.elapsed());
    assert!(syncs <= 20, "{syncs}");
    assert!(bytes / 100 <= 1000);
    seqs.sort_unstable();
    assert_eq!(seqs, (1..=100).collect::<Vec<_>>());
}

#[tokio::test]
async fn records_that_may_wait_are_flushed_by_the_hundred_and_by_the_clock() {
    let (dir, disk) = (tempfile::tempdir().unwrap(), Faulty::default());
    let audit = Audit::open_on(dir.path(), clock(), options(), disk.open()).unwrap();
    audit.append(sample(0), Durability::Now).await.unwrap();
    let syncs = disk.0.syncs.load(SeqCst);
    for n in 0..99 {
        audit.append(sample(n), Durability::Soon).await.unwrap();
    }
    assert_eq!(disk.0.syncs.load(SeqCst), syncs);
    audit.append(sample(99), Durability::Soon).await.unwrap();
    assert_eq!(disk.0.syncs.load(SeqCst), syncs + 1);
    audit.close().await.unwrap();

    let quick = Options { flush_interval: Duration::from_millis(20), ..options() };
    let audit = Audit::open_on(dir.path(), clock(), quick, disk.open()).unwrap();
    let syncs = disk.0.syncs.load(SeqCst);
    audit.append(sample(1), Durability::Soon).await.unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    while disk.0.syncs.load(SeqCst) == syncs {
        assert!(Instant::now() < deadline, "never flushed");
        tokio::task::yield_now().await;
    }
}
