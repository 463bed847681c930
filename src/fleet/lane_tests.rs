//! What a lane promises, against a router that is a script: no sockets, and time moves by hand.

mod rig;

use crate::base::events::Bus;
use crate::base::fault::Kind;
use crate::base::ids::DeviceId;
use crate::base::tier::Environment;
use crate::fleet::device::Status;
use crate::fleet::lane::Read;
use crate::fleet::registry::{Fleet, Parts};
use crate::fleet::slot::{IDLE_MAX, WAITING_MAX};
use crate::fleet::{Changes, Config};
use crate::routeros::fault::{Denial, Stage};
use crate::routeros::{MenuPath, Query, RouterError};
use futures_util::future::{FutureExt, join_all};
use rig::{Rig, Script, adopt, kind, menu, once, refused};
use std::sync::atomic::Ordering;
use std::time::Duration;

#[tokio::test]
async fn equal_reads_at_once_cost_one_request_and_different_ones_their_own() {
    let rig = Rig::new(Script::new([], true), once()).await;
    let lane = rig.lane();
    let equal = (0..20).map(|_| lane.read(menu("/ip/address")));
    let other = std::iter::once(lane.read(menu("/ip/route")));
    let (answers, ()) = tokio::join!(join_all(equal.chain(other)), async {
        rig.script.reached(2).await;
        rig.script.let_go(2);
    });
    assert_eq!(rig.script.asked(), 2);
    let paid: u32 = answers.iter().map(|answer| answer.as_ref().unwrap().requests).sum();
    assert_eq!(paid, 2, "each request is on one caller's bill");
}

#[tokio::test]
async fn a_young_answer_costs_nothing_and_says_its_age() {
    let rig = Rig::new(Script::new([], false), once()).await;
    let read = Read { max_age: Duration::from_secs(5), ..menu("/ip/address") };
    let first = rig.lane().read(read.clone()).await.unwrap();
    rig.advance(4);
    let second = rig.lane().read(read.clone()).await.unwrap();
    assert_eq!((second.cached, second.age_ms, second.requests, second.read_at), (true, 4_000, 0, first.read_at));
    rig.advance(2);
    let third = rig.lane().read(read.clone()).await.unwrap();
    assert_eq!((third.cached, third.requests, rig.script.asked()), (false, 1, 2));
    assert!(!rig.lane().read(menu("/ip/address")).await.unwrap().cached, "who wants it fresh gets it fresh");
    rig.lane().forget();
    assert!(!rig.lane().read(read).await.unwrap().cached, "after a change nothing old is given out");
}

#[tokio::test]
async fn a_read_from_before_a_change_is_not_given_to_one_after_it() {
    let rig = Rig::new(Script::new([], true), once()).await;
    let lane = rig.lane();
    let read = || Read { max_age: Duration::from_secs(60), ..menu("/ip/address") };
    let before = lane.read(read());
    let after = async {
        rig.script.reached(1).await;
        lane.forget();
        let (answer, ()) = tokio::join!(lane.read(read()), async {
            rig.script.reached(2).await;
            rig.script.let_go(2);
        });
        answer
    };
    let (before, after) = tokio::join!(before, after);
    assert_eq!((before.unwrap().requests, after.unwrap().requests), (1, 1));
}

#[tokio::test]
async fn never_more_in_flight_than_configured_and_the_queue_has_an_end() {
    let rig = Rig::new(Script::new([], true), Config { max_concurrent_per_device: 2, requests_per_second: 1_000, ..once() }).await;
    let lane = rig.lane();
    let asked = WAITING_MAX + 10;
    let reads = (0..asked).map(|n| {
        let query = Query::new().eq("name", format!("n{n}"));
        lane.read(Read { query, ..menu("/interface") })
    });
    let ((), answers) = tokio::join!(
        async {
            rig.script.reached(2).await;
            rig.script.let_go(asked);
        },
        join_all(reads)
    );
    assert_eq!(rig.script.most.load(Ordering::SeqCst), 2);
    let busy = answers.iter().filter(|answer| kind(answer) == Some(Kind::Busy)).count();
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count() + busy, asked);
    assert!((8..=10).contains(&busy), "{busy} were refused");
}

#[tokio::test]
async fn three_failures_open_the_breaker_and_one_try_closes_it_for_all_who_wait() {
    let rig = Rig::new(Script::new([refused(), refused(), refused()], false), once()).await;
    let lane = rig.lane();
    for asked in 1..=3 {
        assert_eq!(kind(&lane.read(menu("/log")).await), Some(Kind::Unreachable));
        assert_eq!(rig.script.asked(), asked, "configured to try once");
    }
    assert_eq!(rig.status(), Status::Unreachable);
    let rested = lane.read(menu("/log")).await.unwrap_err();
    assert_eq!((rested.kind, rig.script.asked()), (Kind::Unreachable, 3), "not asked while it is open");
    assert!(rested.said.contains("connection refused"), "{}", rested.said);
    rig.advance(2);
    let together = ["/log", "/ip/route", "/ip/address"].map(|path| lane.read(menu(path)));
    assert!(join_all(together).await.iter().all(Result::is_ok));
    assert_eq!((rig.script.asked(), rig.status()), (6, Status::Reachable));
}

#[tokio::test]
async fn a_routers_no_is_an_answer() {
    let no = || RouterError::Rejected { status: 400, detail: "unknown parameter x".into() };
    let denied = || RouterError::Denied { at: "r".into(), denial: Denial::Policy };
    let rig = Rig::new(Script::new([no(), no(), no(), no(), denied(), denied(), denied()], false), Config::default()).await;
    for expected in [Kind::Rejected; 4].into_iter().chain([Kind::RouterDenied; 3]) {
        assert_eq!(kind(&rig.lane().read(menu("/log")).await), Some(expected));
    }
    assert_eq!(rig.script.asked(), 7, "none was repeated, none was refused by the breaker");
    assert_eq!(rig.status(), Status::Reachable);
    assert!(rig.fleet.get(&rig.device.id).unwrap().last_error.is_some());
}

#[tokio::test]
async fn a_lost_connection_is_tried_again_and_a_lost_answer_is_not() {
    let config = || Config { retry_backoff_seconds: 0.0, ..Config::default() };
    let rig = Rig::new(Script::new([refused(), refused()], false), config()).await;
    let answer = rig.lane().read(menu("/log")).await.unwrap();
    assert_eq!((answer.requests, rig.script.asked()), (3, 3));

    let silence = RouterError::Timeout { at: "r".into(), after: Duration::from_secs(10), stage: Stage::Answer };
    let rig = Rig::new(Script::new([silence], false), config()).await;
    assert_eq!(kind(&rig.lane().read(menu("/log")).await), Some(Kind::Unreachable));
    assert_eq!(rig.script.asked(), 1, "the router may still be at it");

    let rig = Rig::new(Script::new([refused()], false), config()).await;
    let ping = rig.lane().run(MenuPath::parse("/tool").unwrap(), "ping", &[("count", "1")], Duration::from_secs(5)).await;
    assert_eq!((kind(&ping), rig.script.asked()), (Some(Kind::Unreachable), 1), "a command is never repeated");
}

#[tokio::test]
async fn a_dead_router_is_not_tried_thrice_by_every_caller() {
    let rig = Rig::new(Script::new((0..9).map(|_| refused()), false), Config { retry_backoff_seconds: 0.0, ..Config::default() }).await;
    let _ = rig.lane().read(menu("/log")).await;
    assert_eq!(rig.script.asked(), 3);
    rig.advance(2);
    let _ = rig.lane().read(menu("/log")).await;
    assert_eq!(rig.script.asked(), 4, "one try finds out");
}

#[tokio::test]
async fn a_caller_who_leaves_does_not_abort_a_request_under_way() {
    let rig = Rig::new(Script::new([], true), once()).await;
    let lane = rig.lane();
    let read = Read { max_age: Duration::from_secs(60), ..menu("/log") };
    tokio::select! {
        _ = lane.read(read.clone()) => panic!("the gate is closed"),
        () = rig.script.reached(1) => {}
    }
    rig.script.let_go(1);
    rig.fleet.shared.tracker.close();
    rig.fleet.shared.tracker.wait().await;
    assert!(lane.read(read).await.unwrap().cached, "it landed in the cache");
}

#[tokio::test]
async fn a_caller_who_leaves_while_waiting_for_a_turn_costs_the_router_nothing() {
    let rig = Rig::new(Script::new([], true), Config { max_concurrent_per_device: 1, ..once() }).await;
    let lane = rig.lane();
    let first = lane.read(menu("/log"));
    let scene = async {
        rig.script.reached(1).await;
        let mut waiting = Box::pin(lane.read(menu("/ip/route")));
        assert!(waiting.as_mut().now_or_never().is_none());
        drop(waiting);
        rig.script.let_go(2);
    };
    let (first, ()) = tokio::join!(first, scene);
    assert!(first.is_ok());
    rig.fleet.shared.tracker.close();
    rig.fleet.shared.tracker.wait().await;
    assert_eq!(rig.script.asked(), 1);
}

#[tokio::test]
async fn another_certificate_quarantines_the_device_for_good() {
    let other = RouterError::Pin { at: "r:443".into(), expected: [5; 32], presented: [6; 32] };
    let rig = Rig::new(Script::new([other], false), Config::default()).await;
    assert_eq!(kind(&rig.lane().read(menu("/log")).await), Some(Kind::Untrusted));
    assert_eq!(rig.status(), Status::Quarantined);
    rig.advance(3_600);
    let later = rig.lane().read(menu("/log")).await.unwrap_err();
    assert_eq!((later.kind, rig.script.asked()), (Kind::Untrusted, 1), "nothing more was sent");
    assert!(later.hint.unwrap().contains("device pin edge"));
    // An edit does not end it, nor does a restart.
    let changes = Changes { name: Some("edge-2".into()), ..Default::default() };
    assert_eq!(rig.fleet.update(&rig.device.id, changes).await.unwrap().status, Status::Quarantined);
    let shared = &rig.fleet.shared;
    let parts = Parts {
        store: shared.store.clone(),
        seal: shared.seal.clone(),
        clock: shared.clock.clone(),
        bus: Bus::default(),
        settings: shared.settings.clone(),
    };
    let again = Fleet::open_with(parts, shared.connect.clone()).unwrap();
    assert_eq!(again.find("EDGE-2").unwrap().status, Status::Quarantined);
}

#[tokio::test]
async fn a_device_of_another_environment_and_a_retired_one_are_never_asked() {
    let rig = Rig::new(Script::new([], false), once()).await;
    let foreign = adopt(&rig.fleet, "foreign", Environment::Prod).await;
    assert_eq!(kind(&rig.fleet.lane(&foreign).read(menu("/log")).await), Some(Kind::Denied));
    let retired = rig.fleet.decommission(&rig.device.id).await.unwrap();
    assert_eq!(retired.status, Status::Decommissioned);
    assert_eq!(kind(&rig.fleet.lane(&retired).read(menu("/log")).await), Some(Kind::Conflict));
    assert_eq!(rig.script.asked(), 0);
    assert_eq!(rig.fleet.find("edge").unwrap().status, Status::Decommissioned, "its record is kept");
    assert!(rig.fleet.shared.credential(&retired).is_err(), "its login is not");
}

#[tokio::test]
async fn a_busy_router_is_asked_one_by_one() {
    let rig = Rig::new(Script::new([], true), once()).await;
    let lane = rig.lane();
    lane.slot.cpu_load(90);
    assert_eq!(lane.pace_factor(), 2);
    let reads = ["/log", "/ip/route", "/ip/address"].map(|path| lane.read(menu(path)));
    let (answers, ()) = tokio::join!(join_all(reads), async {
        rig.script.let_go(3);
    });
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(rig.script.most.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn an_idle_connection_is_let_go_and_made_anew() {
    let rig = Rig::new(Script::new([], false), once()).await;
    rig.lane().read(menu("/log")).await.unwrap();
    rig.lane().read(menu("/log")).await.unwrap();
    assert_eq!(rig.script.dialled.load(Ordering::SeqCst), 1);
    rig.hand.advance(IDLE_MAX);
    assert!(!rig.lane().slot.is_connected());
    rig.lane().read(menu("/log")).await.unwrap();
    assert_eq!(rig.script.dialled.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_poll_is_one_request_and_steady_health_is_not_stored_again() {
    let rig = Rig::new(Script::new([], false), once()).await;
    let mut health = rig.fleet.shared.bus.listen();
    let sample = rig.fleet.poll(&rig.device.id).await.unwrap();
    assert_eq!((sample.cpu_load, sample.version_changed, rig.script.asked()), (Some(9), true, 1));
    rig.fleet.close().await;
    let stored = |rig: &Rig| rig.fleet.shared.store.get("device_status", rig.device.id.as_str()).unwrap();
    let first = stored(&rig);
    assert!(health.try_recv().is_ok(), "unknown to reachable is news");

    let rig = Rig::new(Script::new([], false), once()).await;
    for seconds in [0, 10, 100] {
        rig.advance(seconds);
        rig.fleet.poll(&rig.device.id).await.unwrap();
    }
    let seen = rig.fleet.get(&rig.device.id).unwrap().last_seen;
    assert_eq!(seen, Some(rig.fleet.shared.clock.wall()), "memory is up to date");
    rig.fleet.shared.tracker.close();
    rig.fleet.shared.tracker.wait().await;
    assert_eq!(stored(&rig), first, "the store heard of the first look only");
}

#[tokio::test]
async fn a_status_that_is_due_takes_those_of_all_others_along() {
    /// What the store has of a device once all that is under way is over.
    async fn stored(rig: &Rig, id: &DeviceId) -> Option<Vec<u8>> {
        rig.fleet.shared.tracker.close();
        rig.fleet.shared.tracker.wait().await;
        rig.fleet.shared.store.get("device_status", id.as_str()).unwrap()
    }
    let rig = Rig::new(Script::new([], false), once()).await;
    let other = adopt(&rig.fleet, "ap", Environment::Lab).await;
    for id in [&rig.device.id, &other.id] {
        rig.fleet.poll(id).await.unwrap();
    }
    let first = stored(&rig, &other.id).await;
    assert!(first.is_some(), "unknown to reachable is stored at once");
    rig.advance(800);
    rig.fleet.poll(&other.id).await.unwrap();
    assert_eq!(stored(&rig, &other.id).await, first, "not due by itself");
    rig.advance(100);
    rig.fleet.poll(&rig.device.id).await.unwrap();
    assert_ne!(stored(&rig, &other.id).await, first, "but when another one is");
}

#[tokio::test]
async fn idle_devices_cost_no_task_and_are_found_by_name() {
    let rig = Rig::new(Script::new([], false), once()).await;
    for n in 0..50 {
        adopt(&rig.fleet, &format!("ap-{n}"), Environment::Lab).await;
    }
    assert_eq!(rig.fleet.len(), 51);
    assert_eq!(rig.fleet.shared.tracker.len(), 0, "no task");
    assert_eq!(rig.fleet.find("AP-7").unwrap().name, "ap-7");
    let missing = rig.fleet.find("ap_7").unwrap_err();
    assert_eq!((missing.kind, missing.said.as_str()), (Kind::NotFound, "no device \"ap_7\""));
    assert!(missing.hint.unwrap().contains("\"ap-7\""));
    let hidden = rig.fleet.find_among("ap-7", |device| device.name == "edge").unwrap_err();
    assert!(!hidden.hint.unwrap().contains("ap-"), "names of others do not leak");
}
