//! A change of the master key, whole and cut off, and what is left without it.

use super::*;
use crate::store::{Options, Record, Table};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

const OLD: [u8; 32] = [7; 32];
const NEW: [u8; 32] = [8; 32];

#[derive(Serialize, Deserialize)]
struct Login {
    before: String,
    first: Vec<u8>,
    second: Option<Vec<u8>>,
    after: u64,
}

impl Record for Login {
    const TABLE: &'static str = "login";
    const VERSION: u8 = 1;
}

const FIELDS: [Field; 3] = [
    Field { purpose: "a", table: "login", field: Name::Is("first"), about: "logins", row_stays: false },
    Field { purpose: "b", table: "login", field: Name::Is("second"), about: "logins", row_stays: false },
    Field { purpose: "c", table: "raw", field: Name::In(named), about: "keys", row_stays: true },
];

fn named(row: &[u8]) -> Option<String> {
    (!row.is_empty()).then(|| "it".to_owned())
}

fn place<'a>(purpose: &'static str, table: &'a str, key: &'a str, field: &'a str) -> Place<'a> {
    Place { purpose, table, key, field }
}

struct Rig {
    dir: TempDir,
    store: Store,
    seal: Seal,
}

async fn rig() -> Rig {
    let dir = tempfile::tempdir_in(concat!(env!("CARGO_MANIFEST_DIR"), "/target")).unwrap();
    let (store, seal) = (Store::open(Options::at(dir.path().join("s.redb"))).unwrap(), Seal::new(&OLD));
    seal::check_canary(&store, &seal).await.unwrap();
    let logins = Table::<Login>::new(store.clone());
    for row in 0..150 {
        let key = format!("r{row:03}");
        // Of every length that a length of its own has one, two and three digits for.
        let first = seal.seal(place("a", "login", &key, "first"), &vec![b'x'; row * 120]);
        let second = (row % 2 == 0).then(|| seal.seal(place("b", "login", &key, "second"), b"hunter2"));
        let login = Login { before: key.clone(), first, second, after: row as u64 };
        logins.put(&key, &login, Durability::Soon).await.unwrap();
    }
    let raw = Batch::new().put("raw", "one", seal.seal(place("c", "raw", "one", "it"), b"key"));
    store.commit(raw, Durability::Now).await.unwrap();
    seal::write_master(&dir.path().join("master.key"), &OLD).unwrap();
    Rig { dir, store, seal }
}

impl Rig {
    fn key_file(&self) -> PathBuf {
        self.dir.path().join("master.key")
    }

    /// Every value opens under this key alone.
    fn opens(&self, master: &[u8; 32]) -> bool {
        let seal = Seal::new(master);
        let all = Table::<Login>::new(self.store.clone()).all().unwrap();
        assert_eq!(all.len(), 150);
        let raw = self.store.get("raw", "one").unwrap().unwrap();
        seal.open(place("c", "raw", "one", "it"), &raw).is_ok()
            && all.iter().enumerate().all(|(row, (key, login))| {
                let second = login.second.as_ref().is_none_or(|value| seal.open(place("b", "login", key, "second"), value).is_ok());
                let first = seal.open(place("a", "login", key, "first"), &login.first).is_ok_and(|plain| plain.len() == row * 120);
                first && second && login.after == row as u64 && login.before == *key
            })
    }
}

#[tokio::test]
async fn everything_is_sealed_anew_and_the_new_key_takes_the_old_ones_place() {
    let rig = rig().await;
    let also = rig.seal.clone();
    let sealed = rotate(&rig.store, &rig.seal, &FIELDS, &rig.key_file(), Some(NEW.into()), false).await.unwrap();
    assert_eq!(sealed, 150 + 75 + 1 + 1);
    assert!(rig.opens(&NEW));
    assert_eq!(also.key_id(), Seal::new(&NEW).key_id(), "whoever holds a clone seals under it too");
    assert_eq!(*seal::load_or_create_master(&rig.key_file()).unwrap(), NEW);
    assert!(!next_file(&rig.key_file()).exists());
    seal::check_canary(&rig.store, &Seal::new(&NEW)).await.unwrap();
}

#[tokio::test]
async fn two_changes_at_once_are_one_change_and_a_refusal() {
    let rig = rig().await;
    let key_file = rig.key_file();
    let change = || rotate(&rig.store, &rig.seal, &FIELDS, &key_file, None, false);
    let (one, other) = tokio::join!(change(), change());
    assert!(one.is_ok() && matches!(other, Err(StoreError::KeyFile { .. })), "{one:?} {other:?}");
    let key = seal::load_or_create_master(&key_file).unwrap();
    assert!(rig.opens(&key));
}

#[tokio::test]
async fn a_change_that_was_cut_off_anywhere_is_ended_by_the_next_start() {
    for step in 0..4 {
        let rig = rig().await;
        seal::write_master(&next_file(&rig.key_file()), &NEW).unwrap();
        rig.seal.change(&NEW);
        if step >= 1 {
            let bytes = rig.store.get("login", "r007").unwrap().unwrap();
            row_anew(&rig.store, &rig.seal, &FIELDS, "login", "r007", bytes).await.unwrap();
        }
        if step >= 2 {
            table_anew(&rig.store, &rig.seal, &FIELDS, "login").await.unwrap();
        }
        if step >= 3 {
            table_anew(&rig.store, &rig.seal, &FIELDS, "raw").await.unwrap();
            table_anew(&rig.store, &rig.seal, &[CANARY], CANARY.table).await.unwrap();
        }
        let seal = resume(&rig.store, OLD.into(), &FIELDS, &rig.key_file(), false).await.unwrap();
        assert_eq!(seal.key_id(), Seal::new(&NEW).key_id(), "step {step}");
        assert!(rig.opens(&NEW) && !next_file(&rig.key_file()).exists(), "step {step}");
        seal::check_canary(&rig.store, &seal).await.unwrap();
    }
}

#[tokio::test]
async fn a_key_of_the_configuration_is_left_to_whoever_configures_it() {
    let rig = rig().await;
    rotate(&rig.store, &rig.seal, &FIELDS, &rig.key_file(), Some(NEW.into()), true).await.unwrap();
    assert_eq!(*seal::load_or_create_master(&rig.key_file()).unwrap(), OLD, "not ours to change");
    let again = rotate(&rig.store, &rig.seal, &FIELDS, &rig.key_file(), None, true).await;
    assert!(matches!(again, Err(StoreError::KeyFile { .. })), "{again:?}");
    let seal = resume(&rig.store, OLD.into(), &FIELDS, &rig.key_file(), true).await.unwrap();
    seal::check_canary(&rig.store, &seal).await.unwrap();
    assert!(next_file(&rig.key_file()).exists(), "still needed");
    let seal = resume(&rig.store, NEW.into(), &FIELDS, &rig.key_file(), true).await.unwrap();
    seal::check_canary(&rig.store, &seal).await.unwrap();
    assert!(!next_file(&rig.key_file()).exists());
}

#[tokio::test]
async fn a_value_that_opens_under_no_key_stops_the_change_and_both_keys_stay() {
    let rig = rig().await;
    let moved = rig.seal.seal(place("c", "raw", "elsewhere", "it"), b"key");
    rig.store.commit(Batch::new().put("raw", "zwo", moved), Durability::Now).await.unwrap();
    let refused = rotate(&rig.store, &rig.seal, &FIELDS, &rig.key_file(), Some(NEW.into()), false).await;
    assert!(matches!(refused, Err(StoreError::Damaged { .. })), "{refused:?}");
    assert_eq!(*seal::load_or_create_master(&rig.key_file()).unwrap(), OLD);
    assert!(next_file(&rig.key_file()).exists());
    let one = rig.store.get("login", "r000").unwrap().unwrap();
    assert!(anew(&rig.seal, &FIELDS, "login", "r000", &one).is_ok(), "what was not reached still opens");
}

#[tokio::test]
async fn what_nobody_can_open_is_forgotten_by_name_and_number() {
    let rig = rig().await;
    let lost = forget(&rig.store, &FIELDS).await.unwrap();
    assert_eq!(lost, [("logins", 150), ("keys", 1)]);
    assert!(rig.store.get("raw", "one").unwrap().is_some(), "this row is of use without it");
    assert_eq!(rig.store.get("login", "r001").unwrap(), None);
    assert!(!seal::is_sealed(&rig.store).unwrap());
}
