//! Stores of every schema that ever shipped open for good.
//!
//! `tests/data/store/vN.redb` was written by the first build with schema N. `BLESS=1` writes the one of today's schema
//! if it is missing, and never touches another: they are what people have on their disks.

use crate::sources;
use routeros_mcp::store::seal::check_canary;
use routeros_mcp::store::{Batch, Durability, Options, Place, Record, SCHEMA, Seal, Store, Table};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Largest file kept in the repository.
const LARGEST_BYTES: u64 = 200_000;
const MASTER: [u8; 32] = [42; 32];
const PLACE: Place<'static> = Place { purpose: "upgrade test", table: "upgrade-test", key: "sealed", field: "secret" };

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Sample {
    name: String,
    port: u16,
    tags: Vec<(String, String)>,
    seen: Option<i64>,
}

impl Record for Sample {
    const TABLE: &'static str = "upgrade-test";
    const VERSION: u8 = 1;
}

fn sample() -> Sample {
    Sample { name: "edge-7".into(), port: 443, tags: vec![("site".into(), "north".into())], seen: Some(-1) }
}

#[tokio::test]
async fn every_schema_that_shipped_still_opens() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/store");
    let newest = file(&dir, SCHEMA);
    if std::env::var_os("BLESS").is_some() && !newest.exists() {
        bless(&newest).await;
    }
    for schema in 1..=SCHEMA {
        let kept = file(&dir, schema);
        let size = std::fs::metadata(&kept).unwrap_or_else(|e| panic!("{}: {e}; BLESS=1 makes it", kept.display())).len();
        assert!(size < LARGEST_BYTES, "{}: {size} bytes", kept.display());
        opens(&kept).await;
    }
}

fn file(dir: &Path, schema: u32) -> PathBuf {
    dir.join(format!("v{schema}.redb"))
}

fn open(path: &Path) -> Store {
    Store::open(Options { volatile_ok: true, ..Options::at(path) }).unwrap()
}

async fn bless(path: &Path) {
    let (store, seal) = (open(path), Seal::new(&MASTER));
    check_canary(&store, &seal).await.unwrap();
    let table = Table::<Sample>::new(store.clone());
    let batch = table.put_into(Batch::new(), "one", &sample());
    store.commit(batch.put("raw", PLACE.key, seal.seal(PLACE, b"planted")), Durability::Now).await.unwrap();
    store.close().await.unwrap();
}

/// On a copy: opening may bring it up to date.
async fn opens(kept: &Path) {
    let dir = tempfile::tempdir().unwrap();
    let copy = dir.path().join("s.redb");
    std::fs::copy(kept, &copy).unwrap();
    for _ in 0..2 {
        let (store, seal) = (open(&copy), Seal::new(&MASTER));
        check_canary(&store, &seal).await.unwrap();
        assert_eq!(Table::<Sample>::new(store.clone()).all().unwrap(), [("one".to_owned(), sample())], "{}", kept.display());
        let sealed = store.get("raw", PLACE.key).unwrap().unwrap();
        assert_eq!(**seal.open(PLACE, &sealed).unwrap(), *b"planted");
        store.close().await.unwrap();
    }
}

/// `store::golden` compares each record type with what is kept; here, that no type is forgotten.
#[test]
fn the_shape_of_every_record_type_is_kept() {
    let (mut types, mut unkept) = (0, Vec::new());
    for (file, text) in sources::below("src") {
        // Shapes of tests are nobody's data.
        if file.ends_with("golden.rs") || file.to_string_lossy().ends_with("tests.rs") {
            continue;
        }
        let product = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
        for (at, _) in product.match_indices("Record for ") {
            let name: String = product[at + 11..].chars().take_while(|c| c.is_alphanumeric()).collect();
            types += 1;
            let lists = product.match_indices("store::golden!(").filter_map(|(at, _)| product[at..].split(')').next());
            let is_kept = lists.flat_map(|list| list[15..].split(';').next().unwrap_or_default().split(',')).any(|one| one.trim() == name);
            if !is_kept {
                unkept.push(format!("{}: {name}", file.display()));
            }
        }
    }
    assert!(types >= 30, "{types} record types");
    assert!(unkept.is_empty(), "say `#[cfg(test)] crate::store::golden!(…);` beside them: {unkept:#?}");
}
