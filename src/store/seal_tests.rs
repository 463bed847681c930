//! Sealed values, the key file and the canary.

use super::seal::{check_canary, load_or_create_master, parse_master};
use super::*;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

const AT: Place<'static> = Place { purpose: "device credential", table: "device", key: "dev_1", field: "password" };

#[test]
fn opens_only_in_its_own_place_and_for_its_own_purpose() {
    let seal = Seal::new(&[1; 32]);
    let sealed = seal.seal(AT, b"hunter2");
    assert_eq!(**seal.open(AT, &sealed).unwrap(), *b"hunter2");
    assert_eq!(seal.open_text(AT, &sealed).unwrap().expose(), "hunter2");
    assert!(matches!(seal.open_text(AT, &seal.seal(AT, &[0xff])), Err(StoreError::Damaged { .. })));
    for elsewhere in [
        Place { purpose: "token", ..AT },
        Place { table: "devic", ..AT },
        Place { key: "dev_2", ..AT },
        Place { field: "user", ..AT },
        Place { table: "devicedev_1", key: "", ..AT },
    ] {
        assert!(matches!(seal.open(elsewhere, &sealed), Err(StoreError::Damaged { .. })), "{elsewhere:?}");
    }
}

#[test]
fn any_changed_byte_is_an_error_and_equal_secrets_look_different() {
    let seal = Seal::new(&[1; 32]);
    let sealed = seal.seal(AT, b"hunter2");
    assert_ne!(sealed, seal.seal(AT, b"hunter2"));
    assert!(!sealed.windows(7).any(|w| w == b"hunter2"));
    for at in 0..sealed.len() {
        let mut bad = sealed.clone();
        bad[at] ^= 1;
        assert!(seal.open(AT, &bad).is_err(), "byte {at}");
        assert!(seal.open(AT, &sealed[..at]).is_err(), "cut at {at}");
    }
}

#[test]
fn another_master_key_is_told_from_damage() {
    let sealed = Seal::new(&[1; 32]).seal(AT, b"hunter2");
    let other = Seal::new(&[2; 32]);
    assert!(matches!(other.open(AT, &sealed), Err(StoreError::WrongKey)));
    assert_eq!(format!("{other:?}"), format!("Seal(key {})", other.key_id()));
}

#[test]
fn the_master_key_is_made_once_and_for_its_owner_only() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("master.key");
    let made = load_or_create_master(&path).unwrap();
    assert_eq!(*load_or_create_master(&path).unwrap(), *made);
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(parse_master(&std::fs::read_to_string(&path).unwrap()), Some(made));
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is left beside it");
}

#[test]
fn a_bad_key_file_is_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("master.key");
    let good = data_encoding::BASE64.encode(&[7; 32]);
    for (content, mode) in [(good.as_bytes(), 0o644), (b"short".as_slice(), 0o600), (b"", 0o600), (&[0xff; 40], 0o600)] {
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        assert!(matches!(load_or_create_master(&path), Err(StoreError::KeyFile { .. })), "{content:?} {mode:o}");
        assert_eq!(std::fs::read(&path).unwrap(), content);
    }
    let fault = crate::base::fault::Fault::from(load_or_create_master(&path).unwrap_err());
    assert_eq!(fault.kind, crate::base::fault::Kind::Storage);
    assert!(load_or_create_master(Path::new("/nonexistent/master.key")).unwrap_err().is_io());
}

#[tokio::test]
async fn the_canary_tells_whether_the_key_belongs_to_the_store() {
    let dir = tempfile::tempdir().unwrap();
    let open = || Store::open(Options { volatile_ok: true, ..Options::at(dir.path().join("s.redb")) }).unwrap();
    let store = open();
    check_canary(&store, &Seal::new(&[1; 32])).await.unwrap();
    store.close().await.unwrap();
    let store = open();
    check_canary(&store, &Seal::new(&[1; 32])).await.unwrap();
    assert!(matches!(check_canary(&store, &Seal::new(&[2; 32])).await, Err(StoreError::WrongKey)));
}
