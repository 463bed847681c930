//! The store as callers see it, on files and on disks with faults.

use super::*;
use ::redb::StorageBackend;
use ::redb::backends::InMemoryBackend;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::SeqCst};
use std::time::Instant;

/// Long enough that nothing is flushed by the clock during a test.
const NEVER: Duration = Duration::from_secs(3600);

fn options(dir: &Path) -> Options {
    Options { volatile_ok: true, flush_interval: NEVER, ..Options::at(dir.join("s.redb")) }
}

fn put(key: &str, value: &str) -> Batch {
    Batch::new().put("t", key, value.into())
}

fn value(store: &Store, key: &str) -> Option<String> {
    store.get("t", key).unwrap().map(|v| String::from_utf8(v).unwrap())
}

#[tokio::test]
async fn keeps_what_was_committed_and_forgets_what_was_deleted() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(options(dir.path())).unwrap();
    store.commit(put("a", "1").put("t", "b", b"2".to_vec()), Durability::Now).await.unwrap();
    store.commit(Batch::new().delete("t", "a").delete("t", "never"), Durability::Now).await.unwrap();
    store.close().await.unwrap();
    let store = Store::open(options(dir.path())).unwrap();
    assert_eq!((value(&store, "a"), value(&store, "b")), (None, Some("2".into())));
    assert_eq!(store.get("no such table", "a").unwrap(), None);
}

#[tokio::test]
async fn a_second_store_on_the_same_file_is_held_until_the_first_closes() {
    let dir = tempfile::tempdir().unwrap();
    let first = Store::open(options(dir.path())).unwrap();
    first.commit(put("a", "1"), Durability::Now).await.unwrap();
    assert!(matches!(Store::open(options(dir.path())), Err(StoreError::Held { .. })));
    let clone = first.clone();
    first.close().await.unwrap();
    let second = Store::open(options(dir.path())).unwrap();
    assert_eq!(value(&second, "a"), Some("1".into()));
    assert!(matches!(clone.get("t", "a"), Err(StoreError::Closed)));
    assert!(matches!(clone.commit(put("a", "2"), Durability::Now).await, Err(StoreError::Closed)));
}

#[tokio::test]
async fn dropping_the_last_handle_flushes_and_lets_go() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(options(dir.path())).unwrap();
    store.commit(put("a", "waits"), Durability::Soon).await.unwrap();
    drop(store);
    assert_eq!(value(&Store::open(options(dir.path())).unwrap(), "a"), Some("waits".into()));
}

#[tokio::test]
async fn a_failed_expectation_fails_its_own_batch_alone_and_all_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(options(dir.path())).unwrap();
    store.commit(put("a", "1"), Durability::Now).await.unwrap();
    let wrong = put("b", "2").expect("t", "a", Some(b"0".to_vec())).put("t", "a", b"9".to_vec());
    let right = put("c", "3").expect("t", "a", Some(b"1".to_vec())).expect("t", "new", None);
    let (wrong, right) = tokio::join!(store.commit(wrong, Durability::Now), store.commit(right, Durability::Now));
    assert!(matches!(wrong, Err(StoreError::Expectation { table: "t", ref key }) if key == "a"));
    right.unwrap();
    let all = store.scan("t", Bound::Unbounded, 10).unwrap();
    assert_eq!(all, [("a".into(), b"1".to_vec()), ("c".into(), b"3".to_vec())]);
}

#[tokio::test]
async fn of_many_who_expect_the_same_state_one_wins() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(options(dir.path())).unwrap();
    for durability in [Durability::Now, Durability::Soon] {
        let key = format!("{durability:?}");
        let take = |n: u32| store.commit(put(&key, &n.to_string()).expect("t", key.as_str(), None), durability);
        let results = futures_util::future::join_all((0..50).map(take)).await;
        assert_eq!(results.iter().filter(|r| r.is_ok()).count(), 1, "{durability:?}");
    }
}

#[tokio::test]
async fn records_that_may_wait_are_seen_at_once_and_in_scans() {
    let disk = FaultDisk::default();
    let store = Store::on(Box::new(disk.clone()), false, &options(Path::new("/")), 0).unwrap();
    store.commit(put("b", "old").put("t", "c", b"old".to_vec()).put("t", "d", b"old".to_vec()), Durability::Now).await.unwrap();
    let synced = disk.syncs();
    store.commit(put("a", "new").put("t", "c", b"new".to_vec()).delete("t", "b"), Durability::Soon).await.unwrap();
    assert_eq!(disk.syncs(), synced, "nothing was flushed");
    let rows = |from, limit| -> Vec<String> {
        store.scan("t", from, limit).unwrap().into_iter().map(|(k, v)| k + ":" + str::from_utf8(&v).unwrap()).collect()
    };
    assert_eq!(rows(Bound::Unbounded, 9), ["a:new", "c:new", "d:old"]);
    assert_eq!(rows(Bound::Excluded("a"), 1), ["c:new"]);
    assert_eq!(rows(Bound::Included("d"), 9), ["d:old"]);
    let stale = store.commit(put("x", "1").expect("t", "b", Some(b"old".to_vec())), Durability::Now).await;
    assert!(matches!(stale, Err(StoreError::Expectation { .. })), "expectations see what waits");
    // Whatever is committed now takes along what waits.
    store.commit(put("z", "1"), Durability::Now).await.unwrap();
    drop(store);
    let store = Store::on(Box::new(disk), false, &options(Path::new("/")), 0).unwrap();
    assert_eq!(value(&store, "a"), Some("new".into()));
}

#[tokio::test]
async fn a_hundred_waiting_records_are_flushed_without_being_asked() {
    let disk = FaultDisk::default();
    let store = Store::on(Box::new(disk.clone()), false, &options(Path::new("/")), 0).unwrap();
    let synced = disk.syncs();
    for n in 0..99 {
        store.commit(put(&format!("{n:03}"), "x"), Durability::Soon).await.unwrap();
    }
    assert_eq!(disk.syncs(), synced);
    store.commit(put("099", "x"), Durability::Soon).await.unwrap();
    assert!(disk.syncs() > synced);
}

#[tokio::test]
async fn waiting_records_are_flushed_when_the_interval_has_passed() {
    let disk = FaultDisk::default();
    let soon = Options { flush_interval: Duration::from_millis(20), ..options(Path::new("/")) };
    let store = Store::on(Box::new(disk.clone()), false, &soon, 0).unwrap();
    let synced = disk.syncs();
    store.commit(put("a", "x"), Durability::Soon).await.unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    while disk.syncs() == synced {
        assert!(Instant::now() < deadline, "never flushed");
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_concurrent_writers_share_flushes() {
    let disk = FaultDisk::default();
    let store = Store::on(Box::new(disk.clone()), false, &options(Path::new("/")), 0).unwrap();
    let synced = disk.syncs();
    let (keys, started) = ((0..100).map(|n| format!("{n}")).collect::<Vec<_>>(), Instant::now());
    let results = futures_util::future::join_all(keys.iter().map(|key| store.commit(put(key, "x"), Durability::Now))).await;
    assert!(results.iter().all(Result::is_ok));
    let flushes = disk.syncs() - synced;
    assert!(flushes <= 20, "{flushes} flushes for 100 commits");
    println!("100 concurrent commits: {flushes} flushes, {:?}", started.elapsed());
}

#[tokio::test]
async fn one_durable_record_costs_at_most_10_ms_beyond_the_flush() {
    let store = Store::on(Box::new(FaultDisk::default()), false, &options(Path::new("/")), 0).unwrap();
    let mut times = Vec::new();
    for n in 0..50 {
        let started = Instant::now();
        store.commit(put(&n.to_string(), "x"), Durability::Now).await.unwrap();
        times.push(started.elapsed());
    }
    times.sort();
    println!("one durable record on a disk that flushes in no time: median {:?}, worst {:?}", times[25], times[49]);
    assert!(times[25] <= Duration::from_millis(10), "{:?}", times[25]);
}

#[tokio::test]
async fn after_a_disk_error_reads_go_on_commits_fail_and_it_heals_by_itself() {
    for kind in [io::ErrorKind::StorageFull, io::ErrorKind::Other] {
        let disk = FaultDisk::default();
        let store = Store::on(Box::new(disk.clone()), false, &options(Path::new("/")), 0).unwrap();
        store.commit(put("a", "1"), Durability::Now).await.unwrap();
        store.commit(put("w", "waits"), Durability::Soon).await.unwrap();
        disk.fail_after(0, kind);
        for durability in [Durability::Now, Durability::Soon, Durability::Now] {
            // Nothing may wait for a disk that is known to fail.
            let refused = store.commit(put("a", "2").put("t", "b", b"2".to_vec()), durability).await;
            assert!(matches!(refused, Err(StoreError::Io { .. })), "{durability:?}: {refused:?}");
            assert_eq!((value(&store, "a"), value(&store, "b")), (Some("1".into()), None), "nothing half-stored");
            assert_eq!(value(&store, "w"), Some("waits".into()));
        }
        disk.heal();
        store.commit(put("a", "3"), Durability::Now).await.unwrap();
        store.close().await.unwrap();
        let store = Store::on(Box::new(disk), false, &options(Path::new("/")), 0).unwrap();
        assert_eq!((value(&store, "a"), value(&store, "w")), (Some("3".into()), Some("waits".into())));
    }
}

/// As SQLite tests it: an error at the n-th operation, for every n.
#[tokio::test]
async fn an_error_at_any_operation_loses_nothing_acknowledged() {
    let mut failed = 0;
    for n in 0..60 {
        let disk = FaultDisk::default();
        let store = Store::on(Box::new(disk.clone()), false, &options(Path::new("/")), 0).unwrap();
        disk.fail_once_after(n);
        let mut acknowledged = None;
        for round in 0..6 {
            let text = "x".repeat(3000) + &round.to_string();
            match store.commit(put("a", &text).put("u", "a", text.clone().into()), Durability::Now).await {
                Ok(()) => acknowledged = Some(text),
                Err(StoreError::Io { .. }) => failed += 1,
                Err(other) => panic!("operation {n}: {other:?}"),
            }
            let (t, u) = (store.get("t", "a").unwrap(), store.get("u", "a").unwrap());
            assert_eq!(t, u, "operation {n}: all or nothing");
            assert_eq!(t, acknowledged.clone().map(String::into_bytes), "operation {n}");
        }
        store.close().await.unwrap();
        let store = Store::on(Box::new(disk), false, &options(Path::new("/")), 0).unwrap();
        assert_eq!(value(&store, "a"), acknowledged, "operation {n}");
    }
    assert_eq!(failed, 0, "a single error is mended by reopening");
}

#[tokio::test]
async fn a_newer_schema_is_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(options(dir.path())).unwrap();
    let newer = migrate::Meta { schema: migrate::SCHEMA + 1, written_by: "99.0.0".into() };
    Table::new(store.clone()).put(migrate::KEY, &newer, Durability::Now).await.unwrap();
    store.close().await.unwrap();
    for _ in 0..2 {
        let refused = Store::open(options(dir.path())).unwrap_err();
        assert!(matches!(refused, StoreError::Newer { found, known, .. } if found == known + 1));
    }
}

#[test]
fn a_file_that_is_no_store_is_an_error_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    for junk in [vec![7; 3], b"#!/bin/sh\n".repeat(2000), vec![0xff; 1 << 20]] {
        std::fs::write(dir.path().join("s.redb"), &junk).unwrap();
        let error = Store::open(options(dir.path())).unwrap_err();
        assert!(matches!(error, StoreError::Damaged { .. } | StoreError::Io { .. }), "{error:?}");
        assert!(std::fs::read(dir.path().join("s.redb")).unwrap() == junk);
    }
}

/// A panic would abort the appliance at every start, without a word about why.
#[tokio::test]
async fn damage_anywhere_in_the_file_is_an_error_or_harmless_and_never_a_panic() {
    let home = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let path = home.path().join("s.redb");
    let store = Store::open(options(home.path())).unwrap();
    for n in 0..20 {
        store.commit(put(&format!("{n:02}"), &"x".repeat(500)), Durability::Now).await.unwrap();
    }
    store.close().await.unwrap();
    let good = std::fs::read(&path).unwrap();
    let (mut chance, mut refused) = (power_tests::Chance(20_261_125), 0);
    for round in 0..300 {
        let (mut bad, at) = (good.clone(), chance.below(good.len() as u64) as usize);
        match round % 3 {
            0 => bad[at] ^= 1 << chance.below(8),
            1 => bad[at / 512 * 512..][..512].fill(0),
            _ => bad.truncate(at),
        }
        std::fs::write(&path, bad).unwrap();
        match Store::open(options(home.path())) {
            Ok(store) => assert_eq!(store.scan("t", Bound::Unbounded, 100).unwrap().len(), 20, "round {round}: rows lost in silence"),
            Err(StoreError::Damaged { .. } | StoreError::Io { .. }) => refused += 1,
            Err(other) => panic!("round {round}: {other:?}"),
        }
    }
    assert!(refused > 100, "{refused}");
}

#[test]
fn refuses_a_file_system_in_ram_unless_allowed() {
    let Ok(dir) = tempfile::tempdir_in("/dev/shm") else { return eprintln!("skipped: no /dev/shm here") };
    let path = dir.path().join("s.redb");
    if !matches!(disk::ground(&path), Ok(Ground::Volatile(_))) {
        return eprintln!("skipped: /dev/shm is no tmpfs here");
    }
    assert!(matches!(Store::open(Options::at(&path)), Err(StoreError::Volatile { file_system: "tmpfs", .. })));
    assert!(!path.exists(), "nothing was made");
    let store = Store::open(Options { volatile_ok: true, ..Options::at(&path) }).unwrap();
    assert!(store.is_volatile());
}

#[test]
fn a_making_that_was_cut_short_is_begun_again() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("s.redb.part"), [0; 5000]).unwrap();
    std::fs::write(dir.path().join("s.redb"), []).unwrap();
    drop(Store::open(options(dir.path())).unwrap());
    let names: Vec<_> = std::fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names, ["s.redb"]);
    drop(Store::open(options(dir.path())).unwrap());
}

#[test]
fn a_store_being_made_by_another_is_held() {
    let dir = tempfile::tempdir().unwrap();
    let _other = FileDisk::open(&dir.path().join("s.redb.part")).unwrap();
    assert!(matches!(Store::open(options(dir.path())), Err(StoreError::Held { path }) if path.ends_with("s.redb")));
}

#[test]
fn the_store_file_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let _store = Store::open(options(dir.path())).unwrap();
    assert_eq!(std::fs::metadata(dir.path().join("s.redb")).unwrap().permissions().mode() & 0o777, 0o600);
}

/// A disk in memory that can be told to fail.
#[derive(Debug, Clone, Default)]
pub(super) struct FaultDisk(Arc<Faults>);

#[derive(Debug)]
struct Faults {
    memory: InMemoryBackend,
    /// Writing operations left before errors begin.
    left: AtomicI64,
    once: std::sync::atomic::AtomicBool,
    kind: Mutex<io::ErrorKind>,
    syncs: AtomicU64,
}

impl Default for Faults {
    fn default() -> Self {
        let memory = InMemoryBackend::new();
        Faults { memory, left: AtomicI64::new(i64::MAX), once: false.into(), kind: Mutex::new(io::ErrorKind::Other), syncs: 0.into() }
    }
}

impl FaultDisk {
    fn syncs(&self) -> u64 {
        self.0.syncs.load(SeqCst)
    }

    fn fail_after(&self, operations: i64, kind: io::ErrorKind) {
        *self.0.kind.lock().unwrap() = kind;
        self.0.once.store(false, SeqCst);
        self.0.left.store(operations, SeqCst);
    }

    fn fail_once_after(&self, operations: i64) {
        self.0.once.store(true, SeqCst);
        self.0.left.store(operations, SeqCst);
    }

    fn heal(&self) {
        self.0.left.store(i64::MAX, SeqCst);
    }

    fn writes(&self) -> io::Result<()> {
        let left = self.0.left.fetch_sub(1, SeqCst);
        if left > 0 || (left < 0 && self.0.once.load(SeqCst)) { Ok(()) } else { Err(io::Error::from(*self.0.kind.lock().unwrap())) }
    }
}

impl Disk for FaultDisk {
    fn open(&self) -> io::Result<Box<dyn StorageBackend>> {
        Ok(Box::new(self.clone()))
    }

    fn release(&self) {}
}

impl StorageBackend for FaultDisk {
    fn len(&self) -> io::Result<u64> {
        self.0.memory.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.memory.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.writes()?;
        self.0.memory.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.writes()?;
        self.0.syncs.fetch_add(1, SeqCst);
        self.0.memory.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.writes()?;
        self.0.memory.write(offset, data)
    }
}
