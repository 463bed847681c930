//! Schemas of tests' own: from one to the next, and cut off at every step on the way.

use super::engine::Changes;
use super::migrate::{self, Hands, Real, Row, Step};
use super::*;
use ::redb::StorageBackend;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

/// Schema 2: every `old` row stands in `new`, under its key spelt backwards.
const MOVE: Step = Step { about: "rows are in `new`, by their keys backwards", tables: &["old"], row: moved };

fn moved(row: &Row<'_>, out: &mut Changes) -> Result<(), String> {
    if row.value == b"rotten" {
        return Err("it is rotten".into());
    }
    out.insert((row.table, row.key.to_owned()), None);
    out.insert(("new", row.key.chars().rev().collect()), Some(row.value.to_vec()));
    Ok(())
}

/// Schema 3: values have a version.
const VERSION: Step = Step { about: "values have a version", tables: &["new"], row: versioned };

fn versioned(row: &Row<'_>, out: &mut Changes) -> Result<(), String> {
    out.insert((row.table, row.key.to_owned()), Some([b"1:", row.value].concat()));
    Ok(())
}

const NONE: &[Step] = &[];
const TWO: &[Step] = &[MOVE];
const THREE: &[Step] = &[MOVE, VERSION];

struct Site {
    _dir: tempfile::TempDir,
    options: Options,
}

impl Site {
    fn new() -> Site {
        let dir = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let options = Options { volatile_ok: true, cache_mb: 1, ..Options::at(dir.path().join("s.redb")) };
        Site { _dir: dir, options }
    }

    fn open(&self, steps: &[Step]) -> Result<Store, StoreError> {
        self.open_with(steps, &Real)
    }

    fn open_with(&self, steps: &[Step], hands: &dyn Hands) -> Result<Store, StoreError> {
        Store::open_by(self.options.clone(), &plain, steps, hands)
    }

    /// Of schema 1, with so many rows.
    async fn filled(rows: usize) -> Site {
        let site = Site::new();
        let store = site.open(NONE).unwrap();
        for from in (0..rows).step_by(1000) {
            let batch = (from..rows.min(from + 1000)).fold(Batch::new(), |batch, n| batch.put("old", key(n), value(n)));
            store.commit(batch, Durability::Now).await.unwrap();
        }
        store.commit(Batch::new().put("stays", "one", b"as it is".to_vec()), Durability::Now).await.unwrap();
        store.close().await.unwrap();
        site
    }

    fn aside(&self, schema: u32) -> PathBuf {
        migrate::kept(&self.options.path, schema)
    }

    fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.options.path.parent().unwrap()).unwrap();
        let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

fn key(n: usize) -> String {
    format!("row-{n:06}")
}

fn value(n: usize) -> Vec<u8> {
    format!("{n} {}", "x".repeat(n % 200)).into_bytes()
}

/// Every row, wherever a schema has it.
fn holds(store: &Store, schema: u32, rows: usize, which: &str) {
    assert_eq!(store.get("stays", "one").unwrap().as_deref(), Some(&b"as it is"[..]), "{which}");
    let counts = |name: &str| store.tables().unwrap().iter().find(|(table, _)| table == name).map_or(0, |(_, rows)| *rows as usize);
    let (old, new) = (counts("old"), counts("new"));
    assert_eq!((old, new), if schema == 1 { (rows, 0) } else { (0, rows) }, "{which}");
    for n in (0..rows).step_by((rows / 50).max(1)) {
        let backwards: String = key(n).chars().rev().collect();
        let (found, wanted) = match schema {
            1 => (store.get("old", &key(n)).unwrap(), value(n)),
            2 => (store.get("new", &backwards).unwrap(), value(n)),
            _ => (store.get("new", &backwards).unwrap(), [b"1:", value(n).as_slice()].concat()),
        };
        assert_eq!(found, Some(wanted), "{which}: row {n}");
    }
}

#[tokio::test]
async fn an_older_store_is_brought_up_to_date_step_by_step_and_the_one_of_before_is_kept() {
    for (steps, schema) in [(TWO, 2), (THREE, 3)] {
        let site = Site::filled(500).await;
        for _ in 0..2 {
            let store = site.open(steps).unwrap();
            holds(&store, schema, 500, "after");
            store.close().await.unwrap();
        }
        assert_eq!(site.files(), ["s.redb", "s.redb.schema-1"]);
        let before = Store::open_by(Options { path: site.aside(1), ..site.options.clone() }, &plain, NONE, &Real).unwrap();
        holds(&before, 1, 500, "kept");
        before.close().await.unwrap();
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&site.options.path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    // From any schema between, too.
    let site = Site::filled(100).await;
    site.open(TWO).unwrap().close().await.unwrap();
    let store = site.open(THREE).unwrap();
    holds(&store, 3, 100, "2 to 3");
    store.close().await.unwrap();
    assert_eq!(site.files(), ["s.redb", "s.redb.schema-2"], "the last one can be gone back on");
    migrate::forget_below(&site.options.path, 3).unwrap();
    assert_eq!(site.files(), ["s.redb"], "once nobody goes back any more");
}

#[tokio::test]
async fn a_store_behind_a_link_stays_where_it_is_and_whose_it_is() {
    let site = Site::filled(10).await;
    let (link, place) = (site.options.path.clone(), site.options.path.with_file_name("elsewhere.redb"));
    std::fs::rename(&link, &place).unwrap();
    std::os::unix::fs::symlink(&place, &link).unwrap();
    use std::os::unix::fs::MetadataExt;
    // Only root can tell: with it, a store of somebody else's.
    let owner = if rustix::process::geteuid().is_root() { 4_711 } else { std::fs::metadata(&place).unwrap().uid() };
    std::os::unix::fs::chown(&place, Some(owner), None).unwrap();
    site.open(TWO).unwrap().close().await.unwrap();
    assert!(link.is_symlink() && std::fs::metadata(&place).unwrap().uid() == owner);
    assert_eq!(site.files(), ["elsewhere.redb", "elsewhere.redb.schema-1", "s.redb"]);
    let store = site.open(TWO).unwrap();
    holds(&store, 2, 10, "behind a link");
    store.close().await.unwrap();
    migrate::forget_below(&link, 2).unwrap();
    assert_eq!(site.files(), ["elsewhere.redb", "s.redb"]);
}

#[tokio::test]
async fn the_version_before_refuses_it_and_says_the_way_out() {
    let site = Site::filled(10).await;
    site.open(TWO).unwrap().close().await.unwrap();
    let refused = crate::base::fault::Fault::from(site.open(NONE).unwrap_err());
    assert_eq!(refused.kind, crate::base::fault::Kind::Config);
    for part in ["schema 2", env!("CARGO_PKG_VERSION"), "reads up to 1", "s.redb.schema-1"] {
        assert!(refused.said.contains(part), "no `{part}` in {}", refused.said);
    }
    let hint = refused.hint.unwrap();
    for part in ["newer build", "update rollback", "backup restore"] {
        assert!(hint.contains(part), "no `{part}` in {hint}");
    }
    // The kept file is such a way out.
    std::fs::rename(site.aside(1), &site.options.path).unwrap();
    let store = site.open(NONE).unwrap();
    holds(&store, 1, 10, "put back");
    store.close().await.unwrap();
}

#[tokio::test]
async fn a_record_that_cannot_be_carried_over_is_named_and_the_store_is_as_it_was() {
    let site = Site::filled(300).await;
    let store = site.open(NONE).unwrap();
    store.commit(Batch::new().put("old", "row-000150b", b"rotten".to_vec()), Durability::Now).await.unwrap();
    store.close().await.unwrap();
    for _ in 0..2 {
        let failed = site.open(THREE).unwrap_err();
        assert!(matches!(&failed, StoreError::Step { to: 2, table: "old", key, .. } if key == "row-000150b"), "{failed}");
        assert!(failed.to_string().contains("it is rotten") && failed.to_string().contains("as it was"), "{failed}");
        assert_eq!(site.files(), ["s.redb"]);
    }
    let store = site.open(NONE).unwrap();
    assert_eq!(store.get("old", "row-000150b").unwrap().unwrap(), b"rotten", "the version before goes on with it");
    store.commit(Batch::new().delete("old", "row-000150b"), Durability::Now).await.unwrap();
    store.close().await.unwrap();
    let store = site.open(THREE).unwrap();
    holds(&store, 3, 300, "mended");
    store.close().await.unwrap();
}

#[tokio::test]
async fn a_store_of_100_000_records_is_brought_up_to_date_within_bounded_memory_and_tells_how_far_it_is() {
    const ROWS: usize = 100_000;
    let site = Site::filled(ROWS).await;
    let before = peak_kb();
    assert_eq!(site.options.progress.words(), None);
    let began = std::time::Instant::now();
    let store = site.open(TWO).unwrap();
    let (took, grown) = (began.elapsed(), peak_kb().saturating_sub(before));
    println!("{ROWS} records in {took:?}, {grown} kB more at the peak");
    holds(&store, 2, ROWS, "after");
    store.close().await.unwrap();
    assert!(grown < 24_000, "{grown} kB");
    assert_eq!(site.options.progress.done(), ROWS as u64);
    assert_eq!(site.options.progress.words().unwrap(), "bringing the store to schema 2: 100000 of about 100002 rows");
}

/// The most memory this process ever had.
fn peak_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Hands that are cut off before the n-th thing they do, be it a write to the copy. What was not flushed may be lost.
struct Cut {
    left: Arc<AtomicUsize>,
    loses: bool,
}

impl Cut {
    fn after(n: usize, loses: bool) -> Cut {
        Cut { left: Arc::new(AtomicUsize::new(n)), loses }
    }
}

fn step(left: &AtomicUsize) -> io::Result<()> {
    let done = left.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1));
    done.map(drop).map_err(|_| io::Error::other("power cut"))
}

impl Hands for Cut {
    fn open(&self, copy: &Path) -> Result<Box<dyn Disk>, StoreError> {
        Ok(Box::new(CutFile { file: FileDisk::open(copy)?.without_flushing(), left: self.left.clone() }))
    }

    fn flush(&self, copy: &Path) -> io::Result<()> {
        step(&self.left)?;
        Real.flush(copy)
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        step(&self.left)?;
        Real.link(from, to)?;
        let cut = step(&self.left);
        if cut.is_err() && self.loses {
            std::fs::remove_file(to)?;
        }
        cut
    }

    fn replace(&self, from: &Path, to: &Path) -> io::Result<()> {
        step(&self.left)?;
        let kept = self.loses.then(|| std::fs::read(to)).transpose()?;
        Real.replace(from, to)?;
        let cut = step(&self.left);
        if let (Err(_), Some(kept)) = (&cut, kept) {
            // The directory still has the old name for the old file.
            std::fs::remove_file(to)?;
            std::fs::write(to, kept)?;
        }
        cut
    }
}

struct CutFile {
    file: FileDisk,
    left: Arc<AtomicUsize>,
}

impl Disk for CutFile {
    fn open(&self) -> io::Result<Box<dyn StorageBackend>> {
        Ok(Box::new(CutBackend { inner: Disk::open(&self.file)?, left: self.left.clone() }))
    }

    fn release(&self) {
        self.file.release();
    }
}

#[derive(Debug)]
struct CutBackend {
    inner: Box<dyn StorageBackend>,
    left: Arc<AtomicUsize>,
}

impl StorageBackend for CutBackend {
    fn len(&self) -> io::Result<u64> {
        self.inner.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.inner.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        step(&self.left)?;
        self.inner.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        step(&self.left)?;
        self.inner.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        step(&self.left)?;
        self.inner.write(offset, data)
    }
}

#[tokio::test]
async fn a_power_cut_at_any_write_leaves_the_old_store_or_the_new_one_and_the_next_start_goes_on() {
    const ROWS: usize = 150;
    let (mut cuts, mut done, mut old) = (0, false, 0);
    while !done {
        for loses in [false, true] {
            let site = Site::filled(ROWS).await;
            let which = format!("cut {cuts}, loses {loses}");
            match site.open_with(THREE, &Cut::after(cuts, loses)) {
                Ok(store) => {
                    done = true;
                    store.close().await.unwrap();
                }
                Err(StoreError::Io { .. }) => {}
                Err(other) => panic!("{which}: {other}"),
            }
            // Half a copy, as a cut without a chance to clean up leaves it, does not disturb the next start.
            std::fs::write(site.options.path.with_extension("redb.migrating"), &b"half a copy"[..cuts % 11]).unwrap();
            match site.open(NONE) {
                Ok(store) => {
                    holds(&store, 1, ROWS, &which);
                    store.close().await.unwrap();
                    old += 1;
                }
                Err(StoreError::Newer { found: 3, .. }) => {}
                Err(other) => panic!("{which}: neither old nor new: {other}"),
            }
            let store = site.open(THREE).unwrap_or_else(|e| panic!("{which}: {e}"));
            holds(&store, 3, ROWS, &which);
            store.close().await.unwrap();
        }
        cuts += 1;
    }
    println!("{cuts} cuts, {old} left the old store, the others the new one, 0 lost");
    assert!(cuts > 60 && old > 100, "{cuts} cuts, {old} old ones");
}

/// A copy of which something was not flushed must not have its name: this is what `flush` is for.
#[tokio::test]
async fn the_copy_is_on_the_disk_before_it_has_its_name() {
    #[derive(Default)]
    struct Watch(Mutex<Vec<&'static str>>);
    impl Hands for Watch {
        fn flush(&self, copy: &Path) -> io::Result<()> {
            self.0.lock().unwrap().push("flush");
            Real.flush(copy)
        }
        fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
            self.0.lock().unwrap().push("link");
            Real.link(from, to)
        }
        fn replace(&self, from: &Path, to: &Path) -> io::Result<()> {
            self.0.lock().unwrap().push("replace");
            Real.replace(from, to)
        }
    }
    let (site, watch) = (Site::filled(10).await, Watch::default());
    site.open_with(TWO, &watch).unwrap().close().await.unwrap();
    assert_eq!(*watch.0.lock().unwrap(), ["flush", "link", "replace"]);
}

#[tokio::test]
async fn on_a_full_disk_the_old_store_stays_and_nothing_is_left_beside() {
    struct Full;
    impl Hands for Full {
        fn flush(&self, _: &Path) -> io::Result<()> {
            Err(io::ErrorKind::StorageFull.into())
        }
    }
    let site = Site::filled(10).await;
    let full = crate::base::fault::Fault::from(site.open_with(TWO, &Full).unwrap_err());
    assert!(full.hint.unwrap().contains("free some space"));
    assert_eq!(site.files(), ["s.redb"]);
    let store = site.open(NONE).unwrap();
    holds(&store, 1, 10, "after");
    store.close().await.unwrap();
}

#[tokio::test]
async fn while_one_process_brings_it_up_to_date_another_is_held_off() {
    struct Try<'a>(&'a Site);
    impl Hands for Try<'_> {
        fn replace(&self, from: &Path, to: &Path) -> io::Result<()> {
            assert!(matches!(self.0.open(TWO), Err(StoreError::Held { .. })));
            Real.replace(from, to)
        }
    }
    let site = Site::filled(10).await;
    site.open_with(TWO, &Try(&site)).unwrap().close().await.unwrap();
}

const CHILD: &str = "RMCP_MIGRATE_CHILD";

#[tokio::test]
#[ignore = "what the test below starts and kills; no test by itself"]
async fn child_that_migrates() {
    let path = std::env::var_os(CHILD).unwrap();
    let options = Options { volatile_ok: true, cache_mb: 1, ..Options::at(PathBuf::from(path)) };
    Store::open_by(options, &plain, THREE, &Real).unwrap().close().await.unwrap();
}

#[tokio::test]
async fn a_process_killed_in_the_middle_of_it_leaves_a_store_that_the_next_one_brings_up_to_date() {
    const ROWS: usize = 10_000;
    const KILLS: u64 = 6;
    let (template, mut chance) = (Site::filled(ROWS).await, power_tests::Chance(20_261_127));
    let (mut killed, mut old) = (0, 0);
    for round in 0..KILLS {
        let site = Site::new();
        std::fs::copy(&template.options.path, &site.options.path).unwrap();
        let mut child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "store::migrate_tests::child_that_migrates"])
            .env(CHILD, &site.options.path)
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        // Somewhere between the first byte of the copy and the end.
        let copy = site.options.path.with_extension("redb.migrating");
        let until = chance.below(3 * std::fs::metadata(&template.options.path).unwrap().len());
        let is_far = || std::fs::metadata(&copy).is_ok_and(|meta| meta.len() >= until);
        let deadline = std::time::Instant::now() + Duration::from_secs(60);
        let mut ended = None;
        while !is_far() && ended.is_none() {
            assert!(std::time::Instant::now() < deadline, "round {round}: neither far nor done");
            ended = child.try_wait().unwrap();
            std::thread::yield_now();
        }
        child.kill().unwrap();
        killed += u32::from(!child.wait().unwrap().success());
        match site.open(NONE) {
            Ok(store) => {
                holds(&store, 1, ROWS, &format!("round {round}"));
                store.close().await.unwrap();
                old += 1;
            }
            Err(StoreError::Newer { found: 3, .. }) => {}
            Err(other) => panic!("round {round}: {other}"),
        }
        let store = site.open(THREE).unwrap();
        holds(&store, 3, ROWS, &format!("round {round}"));
        store.close().await.unwrap();
        assert_eq!(site.files(), ["s.redb", "s.redb.schema-1"]);
    }
    println!("{killed} of {KILLS} were killed, {old} left the old store");
    assert!(killed > 0 && old > 0, "{killed} killed, {old} old");
}
