//! Updates where the versions are root's: the service asks, root's unit looks again and answers, or does not.

use crate::base::fault::Kind;
use crate::update::flow_rig::*;
use crate::update::record::How;
use crate::update::root::{self, REQUEST};
use crate::update::samples::*;
use std::fs;

/// Root's unit, for one request; without `answers` it dies over it.
fn root_unit(place: &Place, answers: bool) -> std::thread::JoinHandle<()> {
    let (layout, update) = (place.site.layout.clone(), place.state.path().join("update"));
    std::thread::spawn(move || {
        while !update.join(REQUEST).exists() {
            std::thread::yield_now();
        }
        if answers {
            let _ = root::answer(&layout, &update, || Ok((keys(), here())));
        } else {
            fs::remove_file(update.join(REQUEST)).unwrap();
        }
    })
}

#[tokio::test]
async fn root_is_asked_and_what_it_did_or_refused_is_what_is_told() {
    let place = Place { by_root: true, ..Place::new() };
    let life = place.live().await;
    life.stage(&good()).await.unwrap();
    let staged = life.updates.status().unwrap().state.staged.unwrap();
    // Changed after it was verified: root looks again.
    fs::write(life.updates.settings().dir.join("staged").join(&staged.id).join("artifact"), "another").unwrap();
    let root = root_unit(&place, true);
    let fault = life.updates.apply(word("1.1.0")).await.unwrap_err();
    assert!(fault.kind == Kind::Rejected && fault.said.contains("bytes, and should have"), "{fault}");
    root.join().unwrap();
    assert!(life.updates.status().unwrap().state.confirmed.is_none() && place.site.layout.pending().is_none());

    life.stage(&good()).await.unwrap();
    let root = root_unit(&place, true);
    life.updates.apply(word("1.1.0")).await.unwrap();
    root.join().unwrap();
    life.end().await;
    let life = place.live().await;
    let root = root_unit(&place, true);
    life.updates.commit().await.unwrap();
    root.join().unwrap();
    assert_eq!(life.updates.status().unwrap().state.last.unwrap().how, How::Kept);
}

#[tokio::test]
async fn what_a_power_cut_left_of_roots_work_is_over_at_the_next_start_and_root_at_work_is_not() {
    let place = Place { by_root: true, ..Place::new() };
    let life = place.live().await;
    life.stage(&good()).await.unwrap();
    let root = root_unit(&place, false);
    life.updates.apply(word("1.1.0")).await.unwrap_err();
    root.join().unwrap();
    let at = |name: &str| place.site.layout.root.join(name);
    fs::create_dir_all(at("incoming")).unwrap();
    let busy = fs::File::create(at("busy")).unwrap();
    busy.lock().unwrap();
    life.end().await;
    let life = place.live().await;
    assert_eq!(life.updates.status().unwrap().word(NOW), "switching");
    life.end().await;
    // The lock is gone with whoever held it, the directory is not.
    drop(busy);
    let life = place.live().await;
    let status = life.updates.status().unwrap();
    assert_eq!((status.word(NOW), status.state.last.unwrap().how), ("available", How::Failed));
    assert_eq!(life.stage(&good()).await.unwrap(), "1.1.0");
}

#[tokio::test]
async fn root_that_does_not_listen_changes_nothing_and_root_that_does_not_answer_leaves_it_unknown() {
    let place = Place { by_root: true, ..Place::new() };
    let life = place.live().await;
    life.stage(&good()).await.unwrap();
    let fault = life.updates.apply(word("1.1.0")).await.unwrap_err();
    assert!(fault.kind == Kind::Conflict && fault.hint.unwrap().contains("routeros-mcp-update.path"));
    assert!(life.updates.status().unwrap().state.confirmed.is_none() && !place.state.path().join("update").join(REQUEST).exists());

    let root = root_unit(&place, false);
    let fault = life.updates.apply(word("1.1.0")).await.unwrap_err();
    root.join().unwrap();
    assert_eq!(fault.kind, Kind::UnknownOutcome, "{fault}");
    assert!(life.updates.status().unwrap().state.confirmed.is_some(), "neither done nor refused");
    // Nothing came of it: found out at the next look.
    life.updates.settle().await.unwrap();
    assert_eq!(life.updates.status().unwrap().state.last.unwrap().how, How::Failed);
}
