//! SSH beside REST: when a device's reads go that way, and when they must not.

use crate::fleet_rig::{Rig, fresh};
use crate::ssh_router::{Proof, Reply, SshRouter};
use routeros_mcp::base::fault::Kind;
use routeros_mcp::fleet::{Changes, NewCredential, Password, Pins, Place, Status, Via};
use routeros_mcp::routeros::MenuPath;
use routeros_mcp::routeros::ssh::Key;
use routeros_mcp::sim::faults::{Fault, Line, Rule};
use routeros_mcp::sim::profiles::Profile;
use russh::keys::PrivateKey;
use russh::keys::ssh_key::{LineEnding, private::Ed25519Keypair};
use std::time::Duration;

const EXPORT: &str = "# 2026-08-02 01:44:02 by RouterOS 7.20.5\n/ip address add address=192.0.2.1/24 interface=ether1";

/// A console that answers the reads of these tests.
fn speaks(ssh: &SshRouter) {
    ssh.answers(|line| match line {
        ":put [/system/resource/get version]" => Reply::from("7.20.5 (stable)"),
        "/export terse" => Reply::from(EXPORT),
        line if line.contains("[/ip/address/print") => Reply::from(r#"[{".id":"*1","address":"192.0.2.1/24","interface":"ether1"}]"#),
        line if line.contains("[/system/identity/print") => Reply::from(r#"{"name":"edge"}"#),
        line if line.contains("[/tool/ping") => Reply::from(r#"[{"seq":"0"}]"#),
        line if line.contains("[/interface/wireless/") => Reply::from("bad command name wireless (line 1 column 44)"),
        _ => Reply::from("failure: not scripted"),
    });
}

async fn rig() -> (Rig, std::sync::Arc<routeros_mcp::fleet::Device>) {
    let rig = Rig::new(Profile::HomeAp).await;
    speaks(&rig.ssh);
    let device = rig.add("edge").await.unwrap();
    assert!(device.facts.can.ssh, "{:?}", device.facts.unanswered);
    (rig, device)
}

#[tokio::test]
async fn reads_go_over_ssh_while_rest_is_down_and_back_when_it_is_up() {
    let (rig, device) = rig().await;
    let lane = rig.fleet.lane(&device);
    assert_eq!(lane.read(fresh("/ip/address")).await.unwrap().via, Via::Rest);
    for line in [Line::Refuse, Line::PlainOnTls] {
        rig.sim.faults().set_line(line);
        rig.sim.cut_connections();
        let answer = lane.read(fresh("/ip/address")).await.unwrap();
        assert_eq!((answer.via, answer.rows.len(), answer.rows[0].get("address")), (Via::Ssh, 1, Some("192.0.2.1/24")), "{line:?}");
        let seen = rig.fleet.get(&device.id).unwrap();
        assert_eq!(seen.status, Status::Reachable);
        assert!(seen.last_error.as_deref().unwrap().contains("over SSH meanwhile"), "{:?}", seen.last_error);

        let count = lane.count(fresh("/ip/address")).await;
        assert!(count.is_err(), "the scripted console cannot count: {count:?}");
        let ping =
            lane.run(MenuPath::parse("/tool").unwrap(), "ping", &[("address", "192.0.2.9"), ("count", "1")], Duration::from_secs(5)).await;
        assert_eq!(ping.unwrap().via, Via::Ssh);
        let absent = lane.read(fresh("/interface/wireless")).await.unwrap_err();
        assert_eq!(absent.kind, Kind::NotFound, "{}", absent.said);
        assert!(rig.fleet.get(&device.id).unwrap().last_error.is_some(), "REST is still down");

        rig.sim.faults().set_line(Line::Open);
        assert_eq!(lane.read(fresh("/ip/address")).await.unwrap().via, Via::Ssh, "{line:?}: REST is left alone for a moment");
        rig.hand.advance(Duration::from_secs(30));
        assert_eq!(lane.read(fresh("/ip/address")).await.unwrap().via, Via::Rest, "{line:?}");
        assert_eq!(rig.fleet.get(&device.id).unwrap().last_error, None);
        rig.ssh.is_left_alone().await;
    }
}

#[tokio::test]
async fn rest_that_was_given_up_a_moment_ago_is_tried_once_more_before_a_change_is_refused() {
    let (rig, device) = rig().await;
    let lane = rig.fleet.lane(&device);
    rig.sim.faults().set_line(Line::Refuse);
    rig.sim.cut_connections();
    assert_eq!(lane.read(fresh("/ip/address")).await.unwrap().via, Via::Ssh);
    let refused = lane.takes_changes().await.unwrap_err();
    assert!(refused.kind == Kind::Unreachable && refused.said.contains("changes are made over REST"), "{}", refused.said);
    // No second passes: a router that undid what kept us out is to be changed at once.
    rig.sim.faults().set_line(Line::Open);
    lane.takes_changes().await.unwrap();
    assert_eq!(lane.read(fresh("/ip/address")).await.unwrap().via, Via::Rest);
}

#[tokio::test]
async fn a_router_that_says_no_over_rest_is_not_asked_over_ssh() {
    let (rig, device) = rig().await;
    let lane = rig.fleet.lane(&device);
    let before = rig.ssh.connections();
    assert_eq!(lane.read(fresh("/interface/wireless")).await.unwrap_err().kind, Kind::NotFound);
    rig.sim.faults().inject(Rule::once(Fault::Hang).on("/ip/address"));
    assert_eq!(lane.read(fresh("/ip/address")).await.unwrap_err().kind, Kind::Unreachable, "silence: it may still be at it");
    rig.sim.faults().inject(Rule::once(Fault::GarbageJson).on("/ip/address"));
    assert!(lane.read(fresh("/ip/address")).await.is_err());
    rig.sim.change_certificate().unwrap();
    rig.sim.cut_connections();
    rig.hand.advance(Duration::from_secs(30));
    let fault = lane.read(fresh("/ip/address")).await.unwrap_err();
    assert_eq!(fault.kind, Kind::Untrusted, "{}", fault.said);
    assert_eq!(rig.ssh.connections(), before, "nobody came by the side door");
    assert_eq!(rig.fleet.get(&device.id).unwrap().status, Status::Quarantined);
}

#[tokio::test]
async fn both_down_is_told_as_rest_tells_it_and_ssh_alone_hinders_nobody() {
    let (mut rig, device) = rig().await;
    rig.ssh.stop().await;
    let lane = rig.fleet.lane(&device);
    assert_eq!(lane.read(fresh("/ip/address")).await.unwrap().via, Via::Rest);
    // An export goes the other way then, whatever the simulated router makes of it.
    match lane.export(Duration::ZERO).await {
        Ok(printed) => assert_eq!(printed.via, Via::Rest),
        Err(fault) => assert_ne!(fault.kind, Kind::Unreachable, "{}", fault.said),
    }
    rig.sim.faults().set_line(Line::Refuse);
    rig.sim.cut_connections();
    let fault = lane.read(fresh("/ip/address")).await.unwrap_err();
    assert_eq!(fault.kind, Kind::Unreachable);
    assert!(fault.said.contains(&rig.sim.https_port().to_string()), "{}", fault.said);
    assert_eq!(rig.fleet.get(&device.id).unwrap().status, Status::Unreachable);
}

#[tokio::test]
async fn another_host_key_quarantines_in_the_middle_of_a_fallback() {
    let (mut rig, device) = rig().await;
    rig.ssh = rig.ssh.change_key(3).await;
    let tries = rig.ssh.tries();
    rig.sim.faults().set_line(Line::Refuse);
    rig.sim.cut_connections();
    let fault = rig.fleet.lane(&device).read(fresh("/ip/address")).await.unwrap_err();
    assert_eq!(fault.kind, Kind::Untrusted, "{}", fault.said);
    assert_eq!((rig.fleet.get(&device.id).unwrap().status, rig.ssh.tries()), (Status::Quarantined, tries));
}

#[tokio::test]
async fn a_login_that_ssh_refuses_is_not_tried_again_and_again() {
    let (rig, device) = rig().await;
    rig.ssh.lets_in(Proof::Nobody);
    let tries = rig.ssh.tries();
    rig.sim.faults().set_line(Line::Refuse);
    rig.sim.cut_connections();
    for _ in 0..5 {
        assert_eq!(rig.fleet.lane(&device).read(fresh("/ip/address")).await.unwrap_err().kind, Kind::Unreachable);
        rig.hand.advance(Duration::from_secs(40));
    }
    assert_eq!(rig.ssh.tries() - tries, 1, "each is an alarm in the router's log");
}

#[tokio::test]
async fn exports_come_over_ssh_and_leave_no_connection_behind() {
    let (rig, device) = rig().await;
    let printed = rig.fleet.lane(&device).export(Duration::ZERO).await.unwrap();
    assert_eq!((printed.via, &*printed.text), (Via::Ssh, &*format!("{EXPORT}\n")));
    rig.ssh.is_left_alone().await;
    assert_eq!(rig.fleet.get(&device.id).unwrap().last_error, None);
}

#[tokio::test]
async fn a_plain_device_is_exported_over_ssh() {
    let rig = Rig::new(Profile::HomeAp).await;
    speaks(&rig.ssh);
    let mut new = rig.new_device("plain");
    new.place = Place { rest_port: rig.sim.http_port(), plain_http: true, ..rig.place() };
    let device = rig.fleet.enroll(new, rig.login(), Pins::default()).await.unwrap();
    assert_eq!(rig.fleet.lane(&device).export(Duration::ZERO).await.unwrap().via, Via::Ssh);
}

#[tokio::test]
async fn a_password_that_ssh_refuses_is_no_hindrance_and_is_told() {
    let rig = Rig::new(Profile::HomeAp).await;
    rig.ssh.lets_in(Proof::Nobody);
    let device = rig.add("edge").await.unwrap();
    assert!(!device.facts.can.ssh);
    assert!(device.facts.unanswered.iter().any(|line| line.starts_with("ssh: ")), "{:?}", device.facts.unanswered);
    rig.ssh.lets_in(Proof::Password(rig.sim.credentials().mcp.password.expose().to_owned()));
    assert!(rig.fleet.probe(&device.id).await.unwrap().facts.can.ssh, "probed again");
}

fn key() -> (String, String) {
    let text = PrivateKey::from(Ed25519Keypair::from_seed(&[5; 32])).to_openssh(LineEnding::LF).unwrap();
    let fingerprint = Key::parse(&text).unwrap().fingerprint();
    (text.to_string(), fingerprint)
}

#[tokio::test]
async fn a_key_must_work_before_a_device_is_stored_with_it() {
    let rig = Rig::new(Profile::HomeAp).await;
    let dir = tempfile::tempdir().unwrap();
    let (text, fingerprint) = key();
    let file = dir.path().join("id_ed25519");
    let login = NewCredential { password: Password::Given(rig.sim.credentials().mcp.password), ssh_key_file: Some(file.clone()) };
    let enroll = || rig.fleet.enroll(rig.new_device("edge"), login.clone(), Pins::default());

    assert_eq!(enroll().await.unwrap_err().kind, Kind::Unauthenticated, "no such file");
    std::fs::write(&file, "ssh-ed25519 AAAA").unwrap();
    let fault = enroll().await.unwrap_err();
    assert_eq!(fault.kind, Kind::BadInput);
    assert!(fault.said.contains("public key"), "{}", fault.said);
    std::fs::write(&file, &text).unwrap();
    let fault = enroll().await.unwrap_err();
    assert_eq!(fault.kind, Kind::RouterDenied, "{}", fault.said);
    assert!(fault.hint.unwrap().contains("ssh-keys"));
    assert!(rig.fleet.list().is_empty());

    rig.ssh.lets_in(Proof::Key(fingerprint));
    let device = enroll().await.unwrap();
    assert!(device.facts.can.ssh);
    // The key in use: reads by it while REST is down, and REST goes on without it.
    speaks(&rig.ssh);
    rig.sim.faults().set_line(Line::Refuse);
    rig.sim.cut_connections();
    assert_eq!(rig.fleet.lane(&device).read(fresh("/ip/address")).await.unwrap().via, Via::Ssh);
    rig.sim.faults().set_line(Line::Open);
    std::fs::remove_file(&file).unwrap();
    let tags = Changes { tags: Some(vec![]), ..Changes::default() };
    let device = rig.fleet.update(&device.id, tags).await.unwrap();
    assert_eq!(rig.fleet.lane(&device).read(fresh("/ip/address")).await.unwrap().via, Via::Rest);
}

#[tokio::test]
async fn another_port_is_compared_with_the_pin_and_connected_to() {
    let (rig, device) = rig().await;
    let stranger = SshRouter::start(7).await;
    let moved = Changes { ssh_port: Some(stranger.port), ..Changes::default() };
    assert_eq!(rig.fleet.update(&device.id, moved).await.unwrap_err().kind, Kind::Untrusted);
    assert_eq!((stranger.tries(), rig.fleet.get(&device.id).unwrap().ssh_port), (0, rig.ssh.port));

    let twin = SshRouter::start(1).await;
    twin.lets_in(Proof::Password(rig.sim.credentials().mcp.password.expose().to_owned()));
    speaks(&twin);
    let moved = Changes { ssh_port: Some(twin.port), ..Changes::default() };
    let device = rig.fleet.update(&device.id, moved).await.unwrap();
    assert!(device.facts.can.ssh);
    rig.sim.faults().set_line(Line::Refuse);
    rig.sim.cut_connections();
    let before = rig.ssh.connections();
    assert_eq!(rig.fleet.lane(&device).read(fresh("/ip/address")).await.unwrap().via, Via::Ssh);
    assert!(twin.connections() > 1 && rig.ssh.connections() == before);
}

#[tokio::test]
async fn a_look_at_both_ways_logs_in_and_advises() {
    let (rig, device) = rig().await;
    let check = || rig.fleet.check_connectivity(&device.id);
    let good = check().await.unwrap();
    assert!(good.reachable && good.rest.ok && good.ssh.ok && good.advice.is_empty(), "{good:?}");

    rig.ssh.lets_in(Proof::Nobody);
    let refused = check().await.unwrap();
    assert!(refused.reachable && refused.rest.ok && !refused.ssh.ok, "{refused:?}");
    assert_eq!(refused.ssh.kind, Some(Kind::RouterDenied));
    assert!(refused.advice[0].contains("optional") && refused.advice[1].contains("policy ssh"), "{:?}", refused.advice);

    rig.ssh.lets_in(Proof::Password(rig.sim.credentials().mcp.password.expose().to_owned()));
    rig.sim.faults().set_line(Line::Refuse);
    rig.sim.cut_connections();
    let half = check().await.unwrap();
    assert!(half.reachable && !half.rest.ok && half.ssh.ok, "{half:?}");
    assert!(half.advice.iter().any(|line| line.contains("until REST is back")), "{:?}", half.advice);
    rig.sim.faults().set_line(Line::Open);
    assert!(check().await.unwrap().rest.ok, "a person who looks does not wait for REST's pause");
}
