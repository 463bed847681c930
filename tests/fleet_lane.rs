//! Lanes against a simulated router: what reaches it, and what happens when it changes, dies and comes back.

use crate::fleet_rig::{Rig, fresh, quick};
use futures_util::future::join_all;
use routeros_mcp::base::fault::Kind;
use routeros_mcp::base::tier::Environment;
use routeros_mcp::fleet::{Config, Pins, Read, Settings, Status};
use routeros_mcp::routeros::MenuPath;
use routeros_mcp::sim::faults::{Fault, Line, Rule};
use routeros_mcp::sim::profiles::Profile;
use std::time::Duration;

#[tokio::test]
async fn many_equal_reads_cost_one_request_and_a_cached_one_none() {
    let rig = Rig::new(Profile::HomeAp).await;
    let device = rig.add("edge").await.unwrap();
    rig.sim.forget_requests();
    // Slow enough that all are there before the first answer.
    rig.sim.faults().inject(Rule::once(Fault::Latency(Duration::from_millis(50))).on("/ip/address"));
    let reads = (0..30).map(|_| {
        let lane = rig.fleet.lane(&device);
        async move { lane.read(Read { max_age: Duration::from_secs(5), ..fresh("/ip/address") }).await.unwrap() }
    });
    let answers = join_all(reads).await;
    assert!(!answers[0].rows.is_empty());
    assert_eq!(rig.sim.faults().requests_to("/ip/address"), 1);
    let later = rig.fleet.lane(&device).read(Read { max_age: Duration::from_secs(5), ..fresh("/ip/address") }).await.unwrap();
    assert!(later.cached && later.requests == 0);
    assert_eq!(rig.sim.faults().requests_to("/ip/address"), 1);
    let count = rig.fleet.lane(&device).count(fresh("/ip/address")).await.unwrap();
    assert_eq!(count.count as usize, later.rows.len());
}

#[tokio::test]
async fn no_more_than_two_requests_are_in_flight_and_none_is_ever_aborted() {
    let rig = Rig::new(Profile::HomeAp).await;
    let device = rig.add("edge").await.unwrap();
    rig.sim.faults().inject(Rule::always(Fault::Latency(Duration::from_millis(20))));
    let paths = ["/ip/address", "/ip/route", "/ip/service", "/interface", "/log", "/system/resource"];
    let lane = rig.fleet.lane(&device);
    let callers = paths.map(|path| {
        let read = lane.read(fresh(path));
        // Half of the callers lose patience while their request is under way.
        let patience = if path.len() % 2 == 0 { Duration::from_millis(5) } else { Duration::from_secs(9) };
        tokio::time::timeout(patience, read)
    });
    join_all(callers).await;
    rig.fleet.close().await;
    assert!(rig.sim.faults().in_flight().most() <= 2, "{} at once", rig.sim.faults().in_flight().most());
    assert_eq!(rig.sim.faults().aborted(), 0);
}

#[tokio::test]
async fn another_certificate_is_sent_nothing_until_a_person_pins_it() {
    let rig = Rig::new(Profile::HomeAp).await;
    let device = rig.add("edge").await.unwrap();
    rig.sim.change_certificate().unwrap();
    rig.sim.cut_connections();
    rig.sim.forget_requests();
    let lane = rig.fleet.lane(&device);
    let mut last = lane.read(fresh("/ip/address")).await.unwrap_err();
    // The cut connection may be noticed by the first request only.
    if last.kind == Kind::Unreachable {
        last = lane.read(fresh("/ip/address")).await.unwrap_err();
    }
    assert_eq!(last.kind, Kind::Untrusted, "{}", last.said);
    assert_eq!(rig.fleet.get(&device.id).unwrap().status, Status::Quarantined);
    assert_eq!(rig.sim.requests().len(), 0, "the handshake ended it");

    let seen = rig.fleet.check_connectivity(&device.id).await.unwrap();
    assert!(!seen.reachable && seen.ssh.ok, "{seen:?}");
    assert!(seen.advice[0].contains("device pin edge"), "{seen:?}");
    rig.sent_no_credential();
    let old = Pins { tls: device.pins.tls, ssh: None };
    assert_eq!(rig.fleet.pin(&device.id, old).await.unwrap_err().kind, Kind::Untrusted, "not what was expected");
    assert_eq!(rig.fleet.get(&device.id).unwrap().status, Status::Quarantined);
    rig.sent_no_credential();

    let pinned = rig.fleet.pin(&device.id, Pins { tls: Some(rig.sim.fingerprint()), ssh: None }).await.unwrap();
    assert_eq!((pinned.status, pinned.pins.tls), (Status::Reachable, Some(rig.sim.fingerprint())));
    assert_eq!(pinned.pins.ssh, device.pins.ssh);
    assert!(lane.read(fresh("/ip/address")).await.is_ok());
}

#[tokio::test]
async fn another_ssh_host_key_quarantines_too() {
    let mut rig = Rig::new(Profile::HomeAp).await;
    let device = rig.add("edge").await.unwrap();
    assert!(rig.fleet.check_connectivity(&device.id).await.unwrap().advice.is_empty());
    rig.ssh = rig.ssh.change_key(2).await;
    let seen = rig.fleet.check_connectivity(&device.id).await.unwrap();
    assert_eq!((seen.ssh.ok, seen.ssh.kind), (false, Some(Kind::Untrusted)), "{seen:?}");
    assert_eq!(rig.fleet.lane(&device).read(fresh("/log")).await.unwrap_err().kind, Kind::Untrusted);
    let pinned = rig.fleet.pin(&device.id, Pins::default()).await.unwrap();
    assert_eq!((pinned.status, pinned.pins.ssh.as_ref()), (Status::Reachable, Some(&rig.ssh.fingerprint)));
}

#[tokio::test]
async fn a_dead_router_is_left_alone_and_found_again() {
    let mut rig = Rig::new(Profile::HomeAp).await;
    let device = rig.add("edge").await.unwrap();
    rig.ssh.stop().await;
    let lane = rig.fleet.lane(&device);
    for line in [Line::HalfOpen, Line::Refuse] {
        rig.sim.faults().set_line(line);
        rig.sim.cut_connections();
        for _ in 0..3 {
            assert_eq!(lane.read(fresh("/log")).await.unwrap_err().kind, Kind::Unreachable, "{line:?}");
        }
        let rested = lane.read(fresh("/log")).await.unwrap_err();
        assert!(rested.hint.as_deref().unwrap().contains("next try"), "{line:?}: {rested:?}");
        let seen = rig.fleet.get(&device.id).unwrap();
        assert_eq!(seen.status, Status::Unreachable);
        let checked = rig.fleet.check_connectivity(&device.id).await.unwrap();
        assert!(!checked.rest.ok && checked.rest.error.is_some() && !checked.advice.is_empty(), "{checked:?}");
        rig.sim.faults().set_line(Line::Open);
        rig.hand.advance(Duration::from_secs(30));
        assert!(lane.read(fresh("/log")).await.is_ok(), "{line:?}: back");
        assert_eq!(rig.fleet.get(&device.id).unwrap().status, Status::Reachable);
    }
}

#[tokio::test]
async fn a_person_who_looks_does_not_wait_for_the_breaker() {
    let mut rig = Rig::new(Profile::HomeAp).await;
    let device = rig.add("edge").await.unwrap();
    rig.ssh.stop().await;
    let lane = rig.fleet.lane(&device);
    rig.sim.faults().set_line(Line::Refuse);
    rig.sim.cut_connections();
    for _ in 0..3 {
        let _ = lane.read(fresh("/log")).await;
    }
    rig.sim.faults().set_line(Line::Open);
    assert!(lane.read(fresh("/log")).await.is_err(), "it is open, and time stands");
    assert!(rig.fleet.check_connectivity(&device.id).await.unwrap().reachable);
    assert!(lane.read(fresh("/log")).await.is_ok());
}

#[tokio::test]
async fn a_test_tries_once_while_the_breaker_is_open_and_finds_another_certificate() {
    let mut rig = Rig::new(Profile::HomeAp).await;
    let device = rig.add("edge").await.unwrap();
    rig.ssh.stop().await;
    let lane = rig.fleet.lane(&device);
    rig.sim.faults().set_line(Line::Refuse);
    rig.sim.cut_connections();
    for _ in 0..3 {
        let _ = lane.read(fresh("/log")).await;
    }
    for _ in 0..2 {
        let fault = rig.fleet.probe(&device.id).await.unwrap_err();
        assert!(fault.kind == Kind::Unreachable && !fault.said.contains("lately"), "it was tried: {fault:?}");
        let rested = lane.read(fresh("/log")).await.unwrap_err();
        assert!(rested.said.contains("did not answer lately"), "and left alone again: {rested:?}");
    }
    rig.sim.change_certificate().unwrap();
    rig.sim.faults().set_line(Line::Open);
    assert_eq!(rig.fleet.probe(&device.id).await.unwrap_err().kind, Kind::Untrusted);
    assert_eq!(rig.fleet.get(&device.id).unwrap().status, Status::Quarantined);
}

#[tokio::test]
async fn a_hanging_answer_and_garbage_are_told_in_bounded_time() {
    let rig = Rig::new(Profile::HomeAp).await;
    let device = rig.add("edge").await.unwrap();
    let lane = rig.fleet.lane(&device);
    for fault in [Fault::GarbageJson, Fault::CutJson, Fault::Hang] {
        rig.sim.faults().inject(Rule::once(fault).on("/ip/address"));
        let said = lane.read(fresh("/ip/address")).await.unwrap_err();
        assert_eq!(said.kind, Kind::Unreachable, "{fault:?}: {}", said.said);
        assert!(said.said.starts_with("device \"edge\": "), "{}", said.said);
    }
}

#[tokio::test]
async fn a_menu_the_router_lacks_is_a_plain_no() {
    let rig = Rig::new(Profile::Chr).await;
    let device = rig.add("chr").await.unwrap();
    let lane = rig.fleet.lane(&device);
    for _ in 0..5 {
        assert_eq!(lane.read(fresh("/interface/wireless")).await.unwrap_err().kind, Kind::NotFound);
    }
    assert!(lane.read(fresh("/ip/address")).await.is_ok(), "the breaker heard nothing of it");
}

#[tokio::test]
async fn a_lost_connection_is_tried_again() {
    let settings =
        Settings { routeros: Config { retry_attempts: 3, retry_backoff_seconds: 0.0, ..quick() }, ..Settings::new(Environment::Lab) };
    let rig = Rig::with(Profile::HomeAp, settings).await;
    let device = rig.add("edge").await.unwrap();
    rig.sim.faults().inject(Rule::once(Fault::CloseBefore).on("/ip/address"));
    let answer = rig.fleet.lane(&device).read(fresh("/ip/address")).await.unwrap();
    assert!(!answer.rows.is_empty());
}

#[tokio::test]
async fn a_poll_is_one_request_and_a_probe_a_dozen_at_most() {
    let rig = Rig::new(Profile::Office).await;
    let device = rig.add("office").await.unwrap();
    rig.sim.forget_requests();
    let sample = rig.fleet.poll(&device.id).await.unwrap();
    assert_eq!(rig.sim.requests().len(), 1);
    assert!(sample.cpu_load.is_some() && sample.memory_total > sample.memory_free && sample.uptime_seconds.is_some(), "{sample:?}");
    assert!(!sample.version_changed);
    rig.sim.forget_requests();
    let probed = rig.fleet.probe(&device.id).await.unwrap();
    assert!(rig.sim.requests().len() <= 12, "{}", rig.sim.requests().len());
    assert_eq!(probed.facts, device.facts);
}

#[tokio::test]
async fn commands_that_only_look_are_run_and_others_refused() {
    let rig = Rig::new(Profile::HomeAp).await;
    let device = rig.add("edge").await.unwrap();
    let lane = rig.fleet.lane(&device);
    let path = || MenuPath::parse("/system").unwrap();
    rig.sim.forget_requests();
    assert_eq!(lane.run(path(), "reboot", &[], Duration::from_secs(5)).await.unwrap_err().kind, Kind::BadInput);
    assert_eq!(rig.sim.requests().len(), 0);
    let print = lane.run(MenuPath::parse("/system/resource").unwrap(), "print", &[], Duration::from_secs(5)).await.unwrap();
    assert_eq!(print.rows.len(), 1);
}
