//! Who gets which secret, and that nobody else does.

use super::*;
use crate::base::fault::{Fault, Kind};
use crate::base::tier::Environment;
use crate::store::Options;
use tempfile::TempDir;

fn vault() -> (Vault, TempDir) {
    // Not the system's temporary directory: that may be in RAM, where no secret is kept.
    let dir = tempfile::tempdir_in(concat!(env!("CARGO_MANIFEST_DIR"), "/target")).unwrap();
    let (clock, _) = Clock::by_hand(Wall(1_790_000_000_000));
    (Vault::new(Store::open(Options::at(dir.path().join("s.redb"))).unwrap(), Seal::new(&[7; 32]), clock), dir)
}

fn bound(menus: &[&str], devices: &[&str]) -> Binding {
    Binding {
        menus: menus.iter().map(|menu| (*menu).to_owned()).collect(),
        devices: devices.iter().map(|selector| selector.parse().unwrap()).collect(),
    }
}

fn edge<'a>(tags: &'a [(String, String)]) -> Traits<'a> {
    Traits { id: "dev_1", name: "edge-7", environment: Environment::Lab, tags }
}

fn about() -> Use {
    Use { device: "edge-7".into(), menu: "/ppp/secret".into(), attribute: "password".into() }
}

#[tokio::test]
async fn an_entry_is_for_its_menus_and_devices_alone() {
    let (vault, _dir) = vault();
    let tags = [("site".to_owned(), "north".to_owned())];
    let secret = Secret::new("radius-7f3a");
    for (menus, devices, menu, refused) in [
        (&["/radius"][..], &["all"][..], "/radius", None),
        (&["/radius"], &["edge-7"], "/radius", None),
        (&["/radius"], &["dev_1"], "/radius", None),
        (&["/radius"], &["tag:site=north"], "/radius", None),
        (&["/radius"], &["env:lab"], "/radius", None),
        (&["/radius"], &["core-1", "edge-7"], "/radius", None),
        (&["/interface/wifi"], &["all"], "/interface/wifi/security", None),
        (&["/ppp/secret", "/radius"], &["all"], "/radius", None),
        (&["/radius"], &["all"], "/ppp/secret", Some("not for /ppp/secret")),
        (&["/radius"], &["all"], "/radius2", Some("not for /radius2")),
        (&["/interface/wifi/security"], &["all"], "/interface/wifi", Some("not for /interface/wifi")),
        (&["/radius"], &["edge"], "/radius", Some("not for device")),
        (&["/radius"], &["tag:site=south"], "/radius", Some("not for device")),
        (&["/radius"], &["env:prod"], "/radius", Some("not for device")),
    ] {
        vault.set("nas", &secret, bound(menus, devices), "anna").await.unwrap();
        let taken = vault.take("NAS", menu, &edge(&tags));
        assert_eq!(vault.check("nas", menu, &edge(&tags)).is_ok(), taken.is_ok());
        match (taken, refused) {
            (Ok(taken), None) => assert_eq!(taken, secret),
            (Err(error), Some(why)) => {
                let fault = Fault::from(error);
                assert!(fault.said.contains(why) && !fault.said.contains(secret.expose()), "{fault}");
                assert_eq!(fault.kind, Kind::Denied);
            }
            (taken, _) => panic!("{menus:?} {devices:?} on {menu}: {taken:?}"),
        }
    }
    assert_eq!(vault.list().unwrap().len(), 1, "set again, it is still one");
    vault.remove("Nas").await.unwrap();
    for name in ["nas", "no such name", ""] {
        assert_eq!(Fault::from(vault.take(name, "/radius", &edge(&tags)).unwrap_err()).kind, Kind::NotFound, "{name}");
    }
    assert!(vault.remove("nas").await.is_err());
}

#[tokio::test]
async fn a_record_rebound_behind_the_vaults_back_does_not_open() {
    let (vault, _dir) = vault();
    vault.set("nas", &Secret::new("radius-7f3a"), bound(&["/radius"], &["edge-8"]), "anna").await.unwrap();
    let entry = vault.entry("nas").unwrap();
    let wider = Entry { binding: bound(&["/radius"], &["all"]), ..entry.clone() };
    vault.entries().put("nas", &wider, Durability::Now).await.unwrap();
    assert!(matches!(vault.take("nas", "/radius", &edge(&[])), Err(VaultError::Store(StoreError::Damaged { .. }))));
    vault.entries().put("other", &Entry { binding: bound(&["/radius"], &["edge-7"]), ..entry }, Durability::Now).await.unwrap();
    assert!(vault.take("other", "/radius", &edge(&[])).is_err(), "nor under another name");
}

#[tokio::test]
async fn names_values_and_bindings_have_rules() {
    let (vault, _dir) = vault();
    let long = "x".repeat(64);
    let all = || bound(&["/radius"], &["all"]);
    for (name, value, binding, why) in [
        ("", "v", all(), "the name"),
        ("a b", "v", all(), "the name"),
        (long.as_str(), "v", all(), "the name"),
        ("a", "", all(), "is empty"),
        ("a", "v", bound(&[], &["all"]), "no menu"),
        ("a", "v", bound(&["/radius"], &[]), "no device"),
        ("a", "v", bound(&["/radius\n"], &["all"]), "control"),
        ("a", &"v".repeat(VALUE_MAX + 1), all(), "longer"),
        ("a", "v", bound(&["/radius"; BOUND_MAX + 1], &["all"]), "more than"),
    ] {
        let fault = Fault::from(vault.set(name, &Secret::new(value), binding, "anna").await.unwrap_err());
        assert_eq!(fault.kind, Kind::BadInput);
        assert!(fault.said.contains(why), "{fault}");
    }
    assert!(vault.list().unwrap().is_empty());
}

#[tokio::test]
async fn a_made_secret_stays_the_same_until_it_was_seen_once() {
    let (vault, _dir) = vault();
    let made = vault.make("plan-1/dev_1/0/password", about()).await.unwrap();
    assert_eq!(vault.make("plan-1/dev_1/0/password", about()).await.unwrap(), made, "as after a crash");
    assert_ne!(vault.make("plan-1/dev_2/0/password", about()).await.unwrap(), made);
    let key = "plan-1/dev_1/0/password";
    assert!(matches!(vault.reveal(key, "anna").await, Err(VaultError::NotOffered)));
    vault.offer(key).await.unwrap();
    let (one, other) = tokio::join!(vault.reveal(key, "anna"), vault.reveal(key, "bert"));
    let shown: Vec<Secret> = [one, other].into_iter().filter_map(Result::ok).map(|(_, secret)| secret).collect();
    assert_eq!(shown, [made], "one of two who look at once");
    let again = Fault::from(vault.reveal(key, "anna").await.unwrap_err());
    assert_eq!(again.kind, Kind::Conflict);
    assert!(again.said.contains("shown once already"), "{again}");
    assert!(matches!(vault.make(key, about()).await, Err(VaultError::Seen { .. })), "a change begun anew needs another key");
    vault.discard("plan-1/dev_2/0/password").await.unwrap();
    let left = vault.made_of("").unwrap();
    assert_eq!(left.iter().map(|(key, made)| (key.as_str(), made.seen.is_some())).collect::<Vec<_>>(), [(key, true)]);
    assert!(matches!(vault.reveal("plan-9", "anna").await, Err(VaultError::NotMade)));
}

#[tokio::test]
async fn no_secret_stands_in_the_file_in_the_clear() {
    let (vault, dir) = vault();
    let given = Secret::new("given-canary-40b1");
    vault.set("nas", &given, bound(&["/radius"], &["all"]), "anna").await.unwrap();
    let made = vault.make("plan-1", about()).await.unwrap();
    assert!(!format!("{:?} {:?}", vault.list().unwrap(), vault.made_of("").unwrap()).contains(given.expose()));
    vault.store.clone().close().await.unwrap();
    let bytes = std::fs::read(dir.path().join("s.redb")).unwrap();
    for secret in [given, made] {
        assert!(!bytes.windows(secret.expose().len()).any(|window| window == secret.expose().as_bytes()));
    }
}

#[tokio::test]
async fn a_store_in_ram_takes_no_secret() {
    let (vault, _dir) = vault();
    if std::path::Path::new("/dev/shm").is_dir() {
        let dir = tempfile::tempdir_in("/dev/shm").unwrap();
        let store = Store::open(Options { volatile_ok: true, ..Options::at(dir.path().join("s.redb")) }).unwrap();
        let ram = Vault { store, ..vault.clone() };
        let set = ram.set("nas", &Secret::new("v"), bound(&["/radius"], &["all"]), "anna").await;
        assert!(matches!(set, Err(VaultError::Volatile)), "{set:?}");
        assert!(matches!(ram.make("plan-1", about()).await, Err(VaultError::Volatile)));
    } else {
        println!("no /dev/shm here: a store in RAM is not tried");
    }
}

#[test]
fn made_secrets_use_every_letter_alike_and_none_that_is_mistaken() {
    let mut seen = std::collections::BTreeMap::new();
    for _ in 0..2_000 {
        let secret = generate();
        assert_eq!(secret.expose().len(), MADE_CHARS);
        secret.expose().bytes().for_each(|byte| *seen.entry(byte).or_insert(0_u32) += 1);
    }
    assert_eq!(seen.len(), ALPHABET.len(), "every letter comes");
    for mistaken in b"0O1lIo" {
        assert!(!seen.contains_key(mistaken));
    }
    // 857 of each on average, give or take 29: a letter drawn twice as often would stand out by far.
    assert!(seen.values().all(|count| (600..1_200).contains(count)), "{seen:?}");
}
