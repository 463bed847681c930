//! Schemas of tests' own: from one to the next.

mod crash;

use super::engine::Changes;
use super::migrate::{self, Hands, Real, Row, Step};
use super::*;
use std::path::PathBuf;

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
