//! An update from end to end, but for the processes: each `life` is a start of the appliance with some version.

use crate::access::person::{Actor, Identity};
use crate::access::switches::Switches;
use crate::base::clock::Wall;
use crate::base::events::Bus;
use crate::base::fault::Kind;
use crate::host::outgoing::Outgoing;
use crate::store::{Options, Store, Table};
use crate::update::bundle::{MANIFEST, SIGNATURE};
use crate::update::flow_rig::*;
use crate::update::install::Way;
use crate::update::record::How;
use crate::update::samples::*;
use crate::update::snapshot::Snapshots;
use crate::update::swap::Layout;
use crate::update::{Parts, Settings, Source, Updates, Word};
use serde_json::json;
use std::fs;
use std::time::Duration;

#[tokio::test]
async fn a_version_that_proves_itself_is_kept_and_its_snapshot_goes() {
    let place = Place::new();
    let life = place.live().await;
    life.put("before").await;
    assert_eq!(life.stage(&good()).await.unwrap(), "1.1.0");
    assert_eq!(life.updates.status().unwrap().word(place.clock.wall()), "awaiting_confirmation");
    life.updates.apply(word("1.1.0")).await.unwrap();
    life.end().await;
    let life = place.live().await;
    assert_eq!(life.updates.status().unwrap().word(place.clock.wall()), "probation");
    life.put("after").await;
    life.updates.commit().await.unwrap();
    let status = life.updates.status().unwrap();
    assert_eq!((status.word(place.clock.wall()), status.state.last.clone().unwrap().how), ("idle", How::Kept));
    assert!(!status.loses && status.back.unwrap().from == "1.0.0");
    assert!(life.updates.news().unwrap().is_some());
    life.updates.told().await.unwrap();
    assert!(life.updates.news().unwrap().is_none(), "told once");
    // Going back later loses nothing: the version before reads this store.
    life.updates.roll_back("anna").await.unwrap();
    life.end().await;
    let life = place.live().await;
    assert_eq!((life.said().as_str(), place.site.layout.current().as_deref()), ("after", Some("1.0.0")));
    assert_eq!(life.updates.status().unwrap().state.last.unwrap().how, How::RolledBack);
    assert_eq!(life.updates.roll_back("anna").await.unwrap_err().kind, Kind::Conflict, "one step, not two");
}

#[tokio::test]
async fn a_version_that_never_stands_is_back_with_the_store_of_before() {
    let place = Place::new();
    let life = place.live().await;
    life.put("before").await;
    life.stage(&good()).await.unwrap();
    life.updates.apply(word("1.1.0")).await.unwrap();
    life.end().await;
    for start in 1..=2 {
        let life = place.live().await;
        assert_eq!(place.site.layout.current().as_deref(), Some("1.1.0"), "start {start}");
        life.put("what a bad version wrote").await;
        life.end().await;
    }
    let life = place.live().await;
    assert_eq!((life.said().as_str(), place.site.layout.current().as_deref()), ("before", Some("1.0.0")));
    let last = life.updates.status().unwrap().state.last.unwrap();
    assert_eq!((last.how, last.of.by.as_str()), (How::RolledBack, "anna"));
    let epoch = crate::store::Epoch::open(life.store.clone(), &place.epoch()).unwrap();
    assert!(epoch.is_older(), "whoever opens it learns that it is older");
    let aside = Snapshots::beside(&place.store()).set_aside(&last.of.id);
    let newer = Store::open(Options { volatile_ok: true, ..Options::at(aside) }).unwrap();
    assert_eq!(newer.get("test", "said").unwrap().unwrap(), b"what a bad version wrote", "nothing is thrown away");
}

#[tokio::test]
async fn sessions_that_end_in_order_are_no_failed_tries_and_their_time_adds_up() {
    let place = Place::new();
    let life = place.live().await;
    life.stage(&good()).await.unwrap();
    life.updates.apply(word("1.1.0")).await.unwrap();
    life.end().await;
    for session in 1..=6_u64 {
        let life = place.live().await;
        assert_eq!(place.site.layout.current().as_deref(), Some("1.1.0"), "session {session}");
        place.hand.advance(Duration::from_secs(20));
        assert_eq!(life.updates.stood(), Duration::from_secs(20 * session));
        life.updates.end_in_order();
        life.end().await;
    }
    // Those that do not are.
    for _ in 0..2 {
        place.live().await.end().await;
    }
    place.live().await.end().await;
    assert_eq!(place.site.layout.current().as_deref(), Some("1.0.0"));
}

#[tokio::test]
async fn another_copy_of_the_program_settles_nothing_and_takes_no_way_back_away() {
    let place = Place::new();
    let life = place.live().await;
    life.stage(&good()).await.unwrap();
    life.updates.apply(word("1.1.0")).await.unwrap();
    life.end().await;
    let life = place.live().await;
    let id = life.updates.status().unwrap().state.confirmed.unwrap().id;
    let elsewhere = place.state.path().join("elsewhere");
    let lone = Layout { root: elsewhere.join("notes"), copy: Some(elsewhere.join("routeros-mcp")) };
    for way in [Way::Own(lone), Way::Unit(Layout::at_root(elsewhere.join("versions")))] {
        let settings = Settings { way, here: here(), ..life.updates.settings().clone() };
        let (clock, outgoing) = (place.clock.clone(), Outgoing::new(false));
        let parts = Parts { store: life.store.clone(), clock, meter: Default::default(), bus: Bus::default(), outgoing, settings };
        let copy = Updates::open(parts);
        copy.settle().await.unwrap();
        assert_eq!(copy.status().unwrap().state.confirmed.unwrap().id, id);
        assert!(Snapshots::beside(&place.store()).has(&id), "the way back");
    }
    life.updates.commit().await.unwrap();
    assert_eq!(life.updates.status().unwrap().state.last.unwrap().how, How::Kept);
}

#[tokio::test]
async fn a_version_that_is_not_well_takes_itself_back_with_the_store_of_before() {
    let place = Place::new();
    let life = place.live().await;
    life.put("before").await;
    life.stage(&good()).await.unwrap();
    life.updates.apply(word("1.1.0")).await.unwrap();
    life.end().await;
    let life = place.live().await;
    life.put("after").await;
    let read_only = |set: &mut crate::access::switches::Set| {
        set.read_only = true;
        Ok(())
    };
    let anna = Actor { identity: Identity::of_user("anna"), person: None, name: "anna".into() };
    Switches::open(&life.store).unwrap().set(&life.store, anna, NOW, "something is odd", read_only).await.unwrap();
    life.updates.take_back("its listener does not answer").await.unwrap();
    life.end().await;
    let life = place.live().await;
    assert_eq!(life.said(), "before");
    assert!(Switches::open(&life.store).unwrap().now().read_only, "what was switched off since stays off");
    let last = life.updates.status().unwrap().state.last.unwrap();
    assert!(last.how == How::RolledBack && last.why.unwrap().contains("its listener does not answer"));
}

#[tokio::test]
async fn going_back_over_a_change_of_the_store_puts_the_store_of_before_in_place() {
    let place = Place::new();
    let (life, _) = kept_in_another_shape(&place).await;
    life.put("after").await;
    assert!(life.updates.status().unwrap().loses);
    assert!(life.updates.roll_back("anna").await.unwrap().1, "it says so");
    life.end().await;
    assert_eq!(place.live().await.said(), "before");
}

#[tokio::test]
async fn nothing_is_switched_without_the_version_that_lies_ready_being_typed_in_time() {
    let place = Place::new();
    let life = place.live().await;
    let refused = async |word: Word, why: &str| {
        let fault = life.updates.apply(word).await.unwrap_err();
        assert!(fault.kind == Kind::Conflict && fault.said.contains(why), "{fault}");
        assert!(place.site.layout.pending().is_none() && place.site.layout.current().as_deref() == Some("1.0.0"));
    };
    refused(word("1.1.0"), "no version lies ready").await;
    life.stage(&good()).await.unwrap();
    refused(word("1.1.1"), "another was typed").await;
    refused(word(""), "another was typed").await;
    for digest in ["", "1234567", &"0".repeat(64)] {
        refused(Word { digest: Some(digest.into()), ..word("1.1.0") }, "not what was looked at").await;
    }
    place.hand.advance(Duration::from_secs(24 * 3_600));
    refused(word("1.1.0"), "more than a day").await;
    // A clock that goes back makes nothing younger.
    place.hand.step_wall(Wall(0));
    refused(word("1.1.0"), "more than a day").await;
}

#[tokio::test]
async fn one_update_at_a_time() {
    let place = Place::new();
    let life = place.live().await;
    life.stage(&good()).await.unwrap();
    let (one, two) = tokio::join!(life.updates.apply(word("1.1.0")), life.updates.apply(word("1.1.0")));
    assert_eq!([one.is_ok(), two.is_ok()].iter().filter(|done| **done).count(), 1);
    assert_eq!(life.stage(&good()).await.unwrap_err().kind, Kind::Conflict);
}

#[tokio::test]
async fn a_release_is_found_and_fetched_and_what_goes_wrong_on_the_way_is_remembered() {
    let (artifact, manifest) = release();
    let bytes = serde_json::to_vec(&manifest).unwrap();
    let signature = sign(&bytes, "daily");
    let name = "routeros-mcp-1.1.0.tar.gz";
    let mut place = Place::new();
    let files = |artifact: Vec<u8>| vec![(MANIFEST, bytes.clone()), (SIGNATURE, signature.clone()), (name, artifact)];

    place.url = Some(serve(files(artifact.clone())));
    let life = place.live().await;
    assert_eq!(life.updates.check().await.unwrap().unwrap().version, "1.1.0");
    assert_eq!(life.updates.status().unwrap().word(NOW), "available");
    assert_eq!(life.updates.stage(Source::Endpoint).await.unwrap().offer.version, "1.1.0");
    life.end().await;

    let mut longer = artifact.clone();
    longer.extend_from_slice(b"more");
    let mut other = artifact.clone();
    other[100] ^= 1;
    let mut lies = files(artifact.clone());
    lies[0].1[40] ^= 1;
    for (what, files) in [
        ("a longer file", files(longer)),
        ("another file", files(other)),
        ("a short file", files(artifact[..1_000].to_vec())),
        ("no file", files(artifact.clone())[..2].to_vec()),
        ("another manifest", lies),
        ("no signature", files(artifact.clone())[..1].to_vec()),
        ("nothing", Vec::new()),
    ] {
        place.url = Some(serve(files));
        let life = place.live().await;
        assert!(life.updates.stage(Source::Endpoint).await.is_err(), "{what}");
        assert!(life.updates.status().unwrap().state.staged.is_none(), "{what}");
        assert!(!life.updates.settings().dir.join("staged").exists(), "{what}: nothing is left");
        life.end().await;
    }
    let life = place.live().await;
    assert!(life.updates.check().await.is_err());
    assert!(life.updates.status().unwrap().state.looked.unwrap().failed.is_some());
}

#[tokio::test]
async fn a_bundle_that_fails_its_trial_is_not_staged() {
    let place = Place::new();
    let life = place.live().await;
    for (seq, (what, text)) in (50..).zip([
        ("says another version", "#!/bin/sh\necho '{\"version\":\"9.9.9\"}'\n"),
        ("does not start on copies", "#!/bin/sh\n[ $1 = version ] && echo '{\"version\":\"1.1.0\"}' && exit\nexit 1\n"),
        ("is for another machine", "\u{7f}ELF\u{2}\u{1}\u{1}"),
    ]) {
        let artifact = tarball(text.as_bytes());
        let mut manifest = manifest(&artifact, text.len());
        manifest["seq"] = json!(seq);
        let fault = life.stage(&bundle(&manifest, &artifact)).await.unwrap_err();
        assert!(
            fault.kind == Kind::Rejected && (fault.said.contains("tried on copies") || fault.said.contains("does not say")),
            "{what}: {fault}"
        );
        assert!(!life.updates.settings().dir.join("staged").exists());
    }
    let uploads = fs::read_dir(life.updates.upload_dir()).map(Iterator::count).unwrap_or(0);
    assert_eq!(uploads, 0, "uploads are not kept");
}

#[tokio::test]
async fn a_snapshot_is_not_put_back_under_a_process_that_has_the_store() {
    let place = Place::new();
    let life = place.live().await;
    life.stage(&good()).await.unwrap();
    life.updates.apply(word("1.1.0")).await.unwrap();
    life.end().await;
    let life = place.live().await;
    life.updates.take_back("a test").await.unwrap();
    let error = Snapshots::beside(&place.store()).put_back(&place.site.layout, &place.store(), &place.epoch()).await.unwrap_err();
    assert!(error.to_string().contains("in use") || matches!(error, crate::update::UpdateError::Store(_)), "{error}");
    life.put("still ours").await;
}

#[tokio::test]
async fn whoever_is_updated_by_others_is_told_the_command_and_fetches_nothing() {
    let place = Place::new();
    let life = place.live().await;
    let settings = Settings {
        way: Way::Managed { by: "dpkg".into(), command: "apt-get install --only-upgrade routeros-mcp".into() },
        ..life.updates.settings().clone()
    };
    let parts = Parts {
        store: life.store.clone(),
        clock: place.clock.clone(),
        meter: Default::default(),
        bus: Bus::default(),
        outgoing: Outgoing::new(false),
        settings,
    };
    let updates = Updates::open(parts);
    for fault in [
        updates.stage(Source::Endpoint).await.unwrap_err(),
        updates.apply(word("1.1.0")).await.unwrap_err(),
        updates.roll_back("anna").await.unwrap_err(),
    ] {
        assert!(fault.kind == Kind::Conflict && fault.hint.as_deref().unwrap_or_default().contains("apt-get install"), "{fault}");
    }
    assert!(updates.upload().is_err());
    let kept = Table::<crate::update::record::State>::new(life.store.clone()).get("state").unwrap();
    assert!(kept.is_none_or(|state| state.staged.is_none()));
}

#[tokio::test]
async fn a_switch_goes_on_to_its_end_when_nobody_waits_for_it_any_more() {
    let place = Place::new();
    let life = place.live().await;
    life.stage(&good()).await.unwrap();
    let mut asked = Box::pin(life.updates.apply(word("1.1.0")));
    // Begun, and left.
    assert!(futures_util::poll!(&mut asked).is_pending());
    drop(asked);
    life.updates.restart().cancelled().await;
    assert_eq!(place.site.layout.current().as_deref(), Some("1.1.0"));
    assert_eq!(life.updates.status().unwrap().state.confirmed.unwrap().by, "anna");
}

#[tokio::test]
async fn an_update_that_does_not_happen_leaves_the_way_back_of_the_one_before() {
    let place = Place::new();
    let (life, mut manifest) = kept_in_another_shape(&place).await;
    // The next one is changed on the disk after it was staged.
    let program = program("1.2.0");
    let artifact = gz(&program);
    manifest["version"] = json!("1.2.0");
    manifest["seq"] = json!(42);
    manifest["artifacts"][0] = json!({"target": TARGET, "kind": "bin", "url": "routeros-mcp-1.1.0.tar.gz", "size": artifact.len(),
                                      "unpacked_size": program.len(), "sha256": sha256(&artifact)});
    assert_eq!(life.stage(&bundle(&manifest, &artifact)).await.unwrap(), "1.2.0");
    let staged = life.updates.status().unwrap().state.staged.unwrap();
    fs::write(life.updates.settings().dir.join("staged").join(&staged.id).join("artifact"), "another").unwrap();
    assert!(life.updates.apply(word("1.2.0")).await.is_err());
    assert!(life.updates.roll_back("anna").await.unwrap().1, "the store of before is still there");
    life.end().await;
    assert_eq!(place.live().await.said(), "before");
}

#[tokio::test]
async fn copies_of_store_and_key_that_a_dead_process_left_are_gone_after_the_next_start() {
    let place = Place::new();
    place.live().await.end().await;
    let trial = place.state.path().join("update/staged/00bb/trial");
    fs::create_dir_all(&trial).unwrap();
    fs::write(trial.join("master.key"), "a secret").unwrap();
    let _life = place.live().await;
    assert!(!place.state.path().join("update/staged").exists());
}
