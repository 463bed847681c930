//! Backups made, opened, restored; and refused when they are not what was made.

use super::create::{Scratch, create};
use super::*;
use crate::base::clock::{Clock, Wall};
use crate::base::secret::Secret;
use crate::host::metrics::Meter;
use crate::store::{Batch, Durability, Epoch, Field, Name, Options, Place, Seal, Store, reseal, seal};
use age::secrecy::ExposeSecret;
use age::x25519::Identity;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const NOW: Wall = Wall(1_790_000_000_000);
const MASTER: [u8; 32] = [7; 32];
const SEALED: Place<'static> = Place { purpose: "test", table: "login", key: "edge", field: "password" };

/// A box with a state directory of its own.
struct Rig {
    dir: TempDir,
    store: Store,
    parts: Parts,
    identity: Identity,
}

fn dir() -> TempDir {
    tempfile::tempdir_in(concat!(env!("CARGO_MANIFEST_DIR"), "/target")).unwrap()
}

fn fields() -> Vec<Field> {
    vec![Field { purpose: "test", table: "login", field: Name::Is("password"), about: "logins", row_stays: false }]
}

async fn rig() -> Rig {
    let dir = dir();
    let store = Store::open(Options::at(dir.path().join("routeros-mcp.redb"))).unwrap();
    let seal = Arc::new(Seal::new(&MASTER));
    seal::check_canary(&store, &seal).await.unwrap();
    let mut batch = Batch::new().put("login", "edge", seal.seal(SEALED, b"hunter2"));
    for row in 0..500 {
        batch = batch.put("device", format!("dev-{row:03}"), format!("router {row}").into_bytes());
    }
    store.commit(batch, Durability::Soon).await.unwrap();
    let parts = Parts {
        store: store.clone(),
        seal,
        clock: Clock::by_hand(NOW).0,
        meter: Meter::off(),
        audit_dir: dir.path().join("audit"),
        environment: "lab".into(),
        config: "mcp.http_port = 8443\n".into(),
        left_out: vec!["oidc.client_secret".into()],
    };
    Rig { dir, store, parts, identity: Identity::generate() }
}

impl Rig {
    fn lock(&self) -> Lock {
        Lock::Recipients(vec![self.identity.to_public().to_string()])
    }

    fn opener(&self) -> Opener {
        Opener::Identities(Secret::new(format!("# mine\n{}\n", self.identity.to_string().expose_secret())))
    }

    async fn made(&self, with_key: bool) -> std::path::PathBuf {
        let to = self.dir.path().join("b.age");
        create(&self.parts, self.lock(), with_key.then(|| self.parts.seal.written()), &to).await.unwrap();
        to
    }
}

fn target(dir: &Path, key: Option<[u8; 32]>) -> Target {
    Target {
        state: dir.to_owned(),
        store: dir.join("routeros-mcp.redb"),
        epoch: dir.join("epoch"),
        key_file: dir.join("master.key"),
        configured: key.map(Into::into),
        sealed: fields(),
    }
}

fn rows(store: &Store) -> Vec<(String, Vec<u8>)> {
    store.scan("device", std::ops::Bound::Unbounded, 1000).unwrap()
}

#[tokio::test]
async fn what_was_backed_up_is_what_a_fresh_box_has_and_it_knows_that_it_is_older() {
    let (rig, fresh) = (rig().await, dir());
    let file = rig.made(false).await;
    rig.store.commit(Batch::new().put("device", "dev-000", b"later".to_vec()), Durability::Now).await.unwrap();
    let manifest = verify(&file, &rig.opener(), fresh.path()).await.unwrap();
    assert_eq!(manifest.tables["device"], 500);
    let target = target(fresh.path(), Some(MASTER));
    let done = restore(&file, &rig.opener(), &target, false, NOW).await.unwrap();
    assert_eq!((done.before, done.with_master_key), (None, false));
    assert_eq!(done.missing, ["setting oidc.client_secret"]);
    assert_eq!(std::fs::read_to_string(done.config).unwrap(), "mcp.http_port = 8443\n");
    let store = Store::open(Options::at(&target.store)).unwrap();
    let mut wanted = rows(&rig.store);
    wanted[0].1 = b"router 0".to_vec();
    assert_eq!(rows(&store), wanted);
    let sealed = store.get("login", "edge").unwrap().unwrap();
    assert_eq!(&**Seal::new(&MASTER).open(SEALED, &sealed).unwrap(), b"hunter2");
    assert!(Epoch::open(store, &target.epoch).unwrap().is_older());
    let left: Vec<_> = std::fs::read_dir(fresh.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().starts_with('.')), "nothing lies about: {left:?}");
}

#[tokio::test]
async fn what_was_here_is_kept_beside_and_a_refusal_changes_nothing() {
    let (rig, other) = (rig().await, rig().await);
    let file = rig.made(false).await;
    other.store.commit(Batch::new().put("device", "mine", b"mine".to_vec()), Durability::Now).await.unwrap();
    other.store.clone().close().await.unwrap();
    let target = target(other.dir.path(), Some([8; 32]));
    let before = std::fs::read(&target.store).unwrap();
    let refused = restore(&file, &rig.opener(), &target, false, NOW).await.unwrap_err();
    assert!(matches!(refused, BackupError::OtherKey { .. }), "{refused}");
    assert!(matches!(restore(&file, &other.opener(), &target, true, NOW).await, Err(BackupError::Shut)));
    assert!(std::fs::read(&target.store).unwrap() == before);
    let done = restore(&file, &rig.opener(), &target, true, NOW).await.unwrap();
    assert_eq!(done.missing, ["setting oidc.client_secret", "logins: 1"]);
    // Not byte for byte: it was opened, for what was switched off in it.
    let kept = Store::open(Options::at(done.before.unwrap().join("routeros-mcp.redb"))).unwrap();
    assert_eq!(kept.get("device", "mine").unwrap().as_deref(), Some(&b"mine"[..]));
    let store = Store::open(Options::at(&target.store)).unwrap();
    assert_eq!((rows(&store).len(), store.get("login", "edge").unwrap()), (500, None));
    assert!(!seal::is_sealed(&store).unwrap(), "another key may seal it now");
}

#[tokio::test]
async fn with_the_master_key_inside_the_backup_alone_gives_everything_back() {
    let (rig, fresh) = (rig().await, dir());
    let file = rig.made(true).await;
    let target = target(fresh.path(), None);
    let done = restore(&file, &rig.opener(), &target, false, NOW).await.unwrap();
    assert!(done.with_master_key && done.manifest.has_master_key());
    assert_eq!(*seal::load_or_create_master(&target.key_file).unwrap(), MASTER);
}

#[tokio::test]
async fn a_power_cut_between_key_and_store_of_a_restore_leaves_what_opens() {
    const OTHER: [u8; 32] = [9; 32];
    let (rig, here) = (rig().await, dir());
    let file = rig.made(true).await;
    let target = target(here.path(), None);
    for cut in [true, false] {
        let store = Store::open(Options::at(&target.store)).unwrap();
        let own = Seal::new(&OTHER);
        seal::check_canary(&store, &own).await.unwrap();
        store.commit(Batch::new().put("login", "edge", own.seal(SEALED, b"mine")), Durability::Now).await.unwrap();
        store.close().await.unwrap();
        let (before, key) = (std::fs::read(&target.store).unwrap(), data_encoding::BASE64.encode(&OTHER));
        std::fs::write(&target.key_file, key).unwrap();
        std::fs::set_permissions(&target.key_file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        restore(&file, &rig.opener(), &target, false, NOW).await.unwrap();
        if cut {
            std::fs::write(&target.store, &before).unwrap();
        }
        let store = Store::open(Options::at(&target.store)).unwrap();
        let key = seal::load_or_create_master(&target.key_file).unwrap();
        let seal = reseal::resume(&store, key, &fields(), &target.key_file, false).await.unwrap();
        seal::check_canary(&store, &seal).await.unwrap();
        let sealed = store.get("login", "edge").unwrap().unwrap();
        assert_eq!(&**seal.open(SEALED, &sealed).unwrap(), if cut { &b"mine"[..] } else { b"hunter2" });
        assert_eq!(*seal::load_or_create_master(&target.key_file).unwrap(), MASTER);
        store.close().await.unwrap();
        std::fs::remove_file(&target.store).unwrap();
    }
}

#[tokio::test]
async fn no_backup_is_made_while_the_master_key_is_changed() {
    let rig = rig().await;
    let (key_file, to) = (rig.dir.path().join("master.key"), rig.dir.path().join("b.age"));
    let (store, seal) = (rig.store.clone(), rig.parts.seal.clone());
    let fields = fields();
    let changing = reseal::rotate(&store, &seal, &fields, &key_file, None, false);
    let deadline = Instant::now() + Duration::from_secs(20);
    let (changed, refused) = tokio::join!(changing, async {
        while !rig.parts.seal.is_changing() {
            assert!(Instant::now() < deadline, "the key is never seen to change");
            tokio::task::yield_now().await;
        }
        create(&rig.parts, rig.lock(), None, &to).await
    });
    changed.unwrap();
    assert!(matches!(refused, Err(BackupError::Changing)), "{refused:?}");
    create(&rig.parts, rig.lock(), None, &to).await.unwrap();
}

#[tokio::test]
async fn a_passphrase_opens_what_was_made_with_it_and_no_other_does() {
    let rig = rig().await;
    let (lock, to) = (Lock::Passphrase(Secret::new("correct horse battery")), rig.dir.path().join("p.age"));
    create(&rig.parts, lock, None, &to).await.unwrap();
    verify(&to, &Opener::Passphrase(Secret::new("correct horse battery")), rig.dir.path()).await.unwrap();
    for wrong in [Opener::Passphrase(Secret::new("correct horse battery!")), rig.opener()] {
        assert!(matches!(verify(&to, &wrong, rig.dir.path()).await, Err(BackupError::Shut)), "{wrong:?}");
    }
    let short = Lock::Passphrase(Secret::new("short"));
    assert!(matches!(create(&rig.parts, short, None, &rig.dir.path().join("s.age")).await, Err(BackupError::Key(_))));
    assert!(matches!(
        create(&rig.parts, Lock::Recipients(Vec::new()), None, &rig.dir.path().join("n.age")).await,
        Err(BackupError::Nobody)
    ));
    assert!(matches!(create(&rig.parts, rig.lock(), None, &to).await, Err(BackupError::Exists(_))));
}

#[tokio::test]
async fn a_backup_with_one_bit_turned_or_a_piece_missing_is_refused() {
    let rig = rig().await;
    let whole = std::fs::read(rig.made(true).await).unwrap();
    let bad = rig.dir.path().join("bad.age");
    let mut cases = 0;
    let places = (0..whole.len()).filter(|at| *at < 100 || at % (whole.len() / 60) == 0 || whole.len() - at < 20);
    for at in places {
        let mut turned = whole.clone();
        turned[at] ^= 1 << (at % 8);
        for bytes in [&turned, &whole[..at].to_vec()] {
            std::fs::write(&bad, bytes).unwrap();
            assert!(verify(&bad, &rig.opener(), rig.dir.path()).await.is_err(), "byte {at} of {}", whole.len());
            cases += 1;
        }
    }
    println!("{cases} damaged backups refused");
    assert!(cases >= 250, "{cases}");
}

/// A tar file of these entries, shut for the rig.
fn forged(rig: &Rig, entries: &[(&str, &[u8], tar::EntryType)], to: &Path) {
    let mut shut = rig.lock().shut(std::fs::File::create(to).unwrap()).unwrap();
    let mut builder = tar::Builder::new(&mut shut);
    for (name, bytes, kind) in entries {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o600);
        header.set_entry_type(*kind);
        // As whoever means harm writes it: the library would refuse such names.
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        if *kind == tar::EntryType::Symlink {
            header.set_link_name("/etc/passwd").unwrap();
        }
        header.set_cksum();
        builder.append(&header, *bytes).unwrap();
    }
    builder.into_inner().unwrap();
    shut.finish().unwrap();
}

#[tokio::test]
async fn what_a_stranger_packed_reaches_no_file_but_those_of_a_backup() {
    use tar::EntryType::{Regular, Symlink};
    let rig = rig().await;
    let file = rig.made(false).await;
    let good = verify(&file, &rig.opener(), rig.dir.path()).await.unwrap();
    let text = |change: &dyn Fn(&mut Manifest)| {
        let mut manifest = good.clone();
        change(&mut manifest);
        serde_json::to_vec(&manifest).unwrap()
    };
    let plain = text(&|_| {});
    let bad = rig.dir.path().join("forged.age");
    for (what, first, second) in [
        ("no manifest", Some(("store.redb", &b"x"[..], Regular)), None),
        ("manifest alone", None, None),
        ("another store", None, Some(("store.redb", &b"x"[..], Regular))),
        ("a link", None, Some(("store.redb", &b""[..], Symlink))),
        ("a way out", None, Some(("../../store.redb", &b"x"[..], Regular))),
    ] {
        let first = first.unwrap_or(("manifest.json", &plain, Regular));
        let entries: Vec<_> = std::iter::once(first).chain(second).collect();
        forged(&rig, &entries, &bad);
        let said = verify(&bad, &rig.opener(), rig.dir.path()).await.unwrap_err();
        assert!(matches!(said, BackupError::Damaged(_)), "{what}: {said}");
    }
    for (what, bytes, is_newer) in [
        ("a later format", text(&|manifest| manifest.format = FORMAT + 1), true),
        ("a later store", text(&|manifest| manifest.store_schema += 1), true),
        ("another program", text(&|manifest| manifest.product = "x".into()), false),
        ("other entries", text(&|manifest| manifest.parts[0].name = "../x".into()), false),
        ("no JSON", b"{".to_vec(), false),
    ] {
        forged(&rig, &[("manifest.json", &bytes, Regular)], &bad);
        let said = verify(&bad, &rig.opener(), rig.dir.path()).await.unwrap_err();
        assert_eq!(matches!(said, BackupError::Newer { .. }), is_newer, "{what}: {said}");
        assert!(matches!(said, BackupError::Newer { .. } | BackupError::Damaged(_)), "{what}: {said}");
    }
}

#[test]
fn what_was_cut_off_is_removed_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let ours = |what: &str| Scratch::in_dir(dir.path(), what).path().to_owned();
    let (opened, store, late) = (ours("opened"), ours("store"), ours("backup"));
    let mut worked_in = Scratch::in_dir(dir.path(), "opened");
    worked_in.make_dir().unwrap();
    for place in [&opened, &dir.path().join("before-restore-3"), &dir.path().join(".backup-of-mine")] {
        std::fs::create_dir(place).unwrap();
        std::fs::write(place.join("master.key"), "x").unwrap();
    }
    let hidden = dir.path().join(".restore-0123456789ABCDEF");
    for place in [&late, &store, &ours("restore"), &hidden, &dir.path().join("master.key")] {
        std::fs::write(place, "x").unwrap();
    }
    let hour = Duration::from_secs(3_600);
    // The clock went back since.
    let written = std::fs::metadata(&late).unwrap().modified().unwrap();
    std::fs::File::open(&late).unwrap().set_modified(written + 2 * hour).unwrap();
    let left = || {
        let mut left: Vec<String> =
            std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        left.sort();
        left
    };
    sweep(dir.path(), hour);
    // Killed a moment ago: the system let go of its directory, whose age tells nothing.
    assert!(!opened.exists() && worked_in.path().exists());
    assert_eq!(left().len(), 7, "somebody may work on the others");
    drop(worked_in);
    sweep(dir.path(), Duration::ZERO);
    assert_eq!(left(), [".backup-of-mine", ".restore-0123456789ABCDEF", "before-restore-3", "master.key"]);
}

#[tokio::test]
async fn scheduled_backups_are_kept_by_number_and_nothing_else_is_touched() {
    let rig = rig().await;
    let (clock, hand) = Clock::by_hand(NOW);
    let settings = Settings { dir: rig.dir.path().join("backups"), keep: 2, recipients: vec![rig.identity.to_public().to_string()] };
    let backups = Backups::new(Parts { clock, ..rig.parts }, settings.clone());
    assert_eq!(backups.list().unwrap(), []);
    std::fs::create_dir(&settings.dir).unwrap();
    std::fs::write(settings.dir.join("mine.age"), "x").unwrap();
    let (mine, _) = backups.create(None, false).await.unwrap();
    for _ in 0..4 {
        backups.scheduled().await.unwrap();
        hand.advance(Duration::from_secs(60));
    }
    let names: Vec<String> = backups.list().unwrap().into_iter().map(|kept| kept.name).collect();
    assert_eq!((names.len(), &names[2]), (3, &mine.name), "a person's own is left alone: {names:?}");
    assert!(names[0] > names[1] && settings.dir.join("mine.age").exists());
    assert_eq!(backups.last().unwrap().failed, None);
    for bad in ["mine.age", "../b.age", "routeros-mcp-x/../../b.age", ""] {
        assert!(matches!(backups.path(bad), Err(BackupError::Unknown(_))), "{bad}");
    }
}
