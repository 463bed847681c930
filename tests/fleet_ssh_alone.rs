//! Routers without REST: taken in over SSH alone, read that way, and REST trusted only when a person says so.

use crate::cli_rig::{Rig as Machine, router, says, words};
use crate::fleet_rig::{Rig, fresh, quick};
use routeros_mcp::base::fault::Kind;
use routeros_mcp::base::secret::Secret;
use routeros_mcp::base::tier::Environment;
use routeros_mcp::fleet::{
    Changes, Config, Device, NewCredential, NewDevice, Password, Pins, Place, Settings, Status, VerifyTls, Via, Wifi,
};
use routeros_mcp::routeros::pin::format_fingerprint;
use routeros_mcp::routeros::ssh::Key;
use routeros_mcp::sim::faults::Line;
use routeros_mcp::sim::profiles::{Profile, Version};
use routeros_mcp::sim::{Options, Sim};
use russh::keys::PrivateKey;
use russh::keys::ssh_key::{LineEnding, private::Ed25519Keypair};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;

/// A rig whose router has no REST; SSH is the simulated router's own.
async fn rig() -> Rig {
    let rig = Rig::with(Profile::HomeAp, Settings { routeros: patient(), ..Settings::new(Environment::Lab) }).await;
    rest(&rig.sim, Line::Refuse).await;
    rig
}

/// Changes how REST's port behaves, and waits until it does.
async fn rest(sim: &Sim, line: Line) {
    sim.faults().set_rest_line(line);
    while TcpStream::connect(("127.0.0.1", sim.https_port())).await.is_ok() == (line == Line::Refuse) {
        tokio::task::yield_now().await;
    }
    // The connection just made was perhaps taken by who listened before.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

/// A debug build takes its time to shake hands over SSH.
fn patient() -> Config {
    Config { rest_timeout_seconds: 20, connect_timeout_seconds: 5, ..quick() }
}

fn place(rig: &Rig) -> Place {
    Place { ssh_port: rig.sim.ssh_port(), ..rig.place() }
}

fn new_device(rig: &Rig) -> NewDevice {
    NewDevice { place: place(rig), ..rig.new_device("edge") }
}

async fn added(rig: &Rig) -> Arc<Device> {
    rig.fleet.enroll(new_device(rig), rig.login(), Pins::default()).await.unwrap()
}

/// Logins and commands seen over SSH.
fn heard(rig: &Rig) -> usize {
    rig.sim.commands().len()
}

#[tokio::test]
async fn a_router_without_rest_is_added_and_read_over_ssh_alone() {
    let rig = rig().await;
    let shown = rig.fleet.present(&place(&rig)).await.unwrap();
    assert!(shown.tls.is_none() && shown.rest_error.as_deref().unwrap().contains("refused"), "{shown:?}");
    assert_eq!(shown.ssh.unwrap().fingerprint, rig.sim.host_key());
    assert_eq!(heard(&rig), 0, "looked at without a login");

    let device = added(&rig).await;
    assert_eq!(device.pins, Pins { tls: None, ssh: Some(rig.sim.host_key()) });
    assert_eq!((device.status, device.facts.identity.as_deref(), device.facts.can.wifi), (Status::Reachable, Some("edge"), Wifi::Wifi));
    assert!(device.facts.can.ssh && device.facts.can.execute && !device.facts.can.schedule, "{:?}", device.facts.can);
    assert!(device.facts.serial.is_some() && !device.facts.packages.is_empty() && device.facts.policies.is_some());
    assert!(device.facts.unanswered.is_empty(), "{:?}", device.facts.unanswered);

    let answer = rig.fleet.lane(&device).read(fresh("/ip/address")).await.unwrap();
    assert!(answer.via == Via::Ssh && !answer.rows.is_empty());
    assert_eq!(rig.fleet.get(&device.id).unwrap().last_error, None, "that is how it is meant");
    assert!(rig.fleet.poll(&device.id).await.unwrap().uptime_seconds.is_some());
    assert!(rig.sim.requests().is_empty());
}

#[tokio::test]
async fn rest_that_comes_up_later_gets_nothing_until_a_person_pins_it() {
    let rig = rig().await;
    let device = added(&rig).await;
    let before = rig.fleet.check_connectivity(&device.id).await.unwrap();
    assert!(before.reachable && before.ssh.ok && !before.rest.ok && before.rest.kind == Some(Kind::Unreachable), "{before:?}");
    assert!(before.advice.iter().any(|line| line.contains("until REST is back")), "{:?}", before.advice);
    assert!(rig.fleet.probe(&device.id).await.unwrap().facts.unanswered.iter().any(|line| line.starts_with("rest: ")));

    rest(&rig.sim, Line::Open).await;
    rig.hand.advance(Duration::from_secs(60));
    let seen = rig.fleet.check_connectivity(&device.id).await.unwrap();
    assert!(seen.reachable && !seen.rest.ok && seen.rest.kind == Some(Kind::Untrusted), "{seen:?}");
    let shown = format_fingerprint(&rig.sim.fingerprint());
    assert!(seen.rest.error.as_deref().unwrap().contains(&shown), "{seen:?}");
    assert!(seen.advice.iter().any(|line| line.contains(&format!("--tls-fingerprint {shown}"))), "{:?}", seen.advice);
    let tested = rig.fleet.probe(&device.id).await.unwrap();
    assert!(
        tested.facts.can.ssh && tested.facts.unanswered.iter().any(|line| line.contains("not pinned")),
        "{:?}",
        tested.facts.unanswered
    );
    assert_eq!(rig.fleet.lane(&device).read(fresh("/ip/address")).await.unwrap().via, Via::Ssh);
    rig.sent_no_credential();

    let stranger = Pins { tls: Some([9; 32]), ssh: None };
    assert_eq!(rig.fleet.pin(&device.id, stranger).await.unwrap_err().kind, Kind::Untrusted);
    let pinned = rig.fleet.pin(&device.id, Pins { tls: Some(rig.sim.fingerprint()), ssh: None }).await.unwrap();
    assert_eq!(pinned.pins, Pins { tls: Some(rig.sim.fingerprint()), ssh: Some(rig.sim.host_key()) });
    assert_eq!(rig.fleet.lane(&pinned).read(fresh("/ip/address")).await.unwrap().via, Via::Rest);
    assert!(rig.fleet.check_connectivity(&device.id).await.unwrap().rest.ok);
    assert!(rig.fleet.probe(&device.id).await.unwrap().facts.unanswered.is_empty());
}

#[tokio::test]
async fn another_host_key_or_certificate_than_the_expected_one_gets_no_login() {
    let rig = rig().await;
    let other = Some(crate::ssh_router::SshRouter::start(9).await.fingerprint);
    let fault = rig.fleet.enroll(new_device(&rig), rig.login(), Pins { tls: None, ssh: other }).await.unwrap_err();
    assert_eq!(fault.kind, Kind::Untrusted, "{}", fault.said);
    let fault = rig.fleet.enroll(new_device(&rig), rig.login(), Pins { tls: Some([9; 32]), ssh: None }).await.unwrap_err();
    assert_eq!(fault.kind, Kind::Unreachable, "a certificate was expected: {}", fault.said);
    rig.holds_nothing();
    assert_eq!(heard(&rig), 0);
    let device = added(&rig).await;
    rig.sim.change_host_key();
    rig.hand.advance(Duration::from_secs(60));
    let before = heard(&rig);
    assert!(!rig.fleet.check_connectivity(&device.id).await.unwrap().reachable);
    assert_eq!((rig.fleet.get(&device.id).unwrap().status, heard(&rig)), (Status::Quarantined, before));
    assert_eq!(rig.fleet.lane(&device).read(fresh("/ip/address")).await.unwrap_err().kind, Kind::Untrusted);
    let pinned = rig.fleet.pin(&device.id, Pins { tls: None, ssh: Some(rig.sim.host_key()) }).await.unwrap();
    assert_eq!((pinned.status, pinned.pins.tls), (Status::Reachable, None));
}

#[tokio::test]
async fn a_wrong_password_and_a_service_that_says_nothing_store_nothing() {
    let rig = rig().await;
    let wrong = NewCredential::password(Secret::new("not-it"));
    let fault = rig.fleet.enroll(new_device(&rig), wrong, Pins::default()).await.unwrap_err();
    assert_eq!(fault.kind, Kind::RouterDenied, "{}", fault.said);
    assert!(!format!("{fault:?}").contains("not-it"));
    // Somebody takes the connection and says nothing, or speaks something else: ill, not off.
    for line in [Line::HalfOpen, Line::PlainOnTls] {
        rest(&rig.sim, line).await;
        let fault = rig.fleet.enroll(new_device(&rig), rig.login(), Pins::default()).await.unwrap_err();
        assert_eq!(fault.kind, Kind::Unreachable, "{line:?}: {}", fault.said);
    }
    assert_eq!(heard(&rig), 0);
    rig.holds_nothing();
}

#[tokio::test]
async fn what_nobody_saw_is_not_pinned_when_rest_comes_up_in_between() {
    let rig = rig().await;
    rest(&rig.sim, Line::Open).await;
    let new = NewDevice { ssh_only: true, ..new_device(&rig) };
    let device = rig.fleet.enroll(new, rig.login(), Pins { tls: None, ssh: Some(rig.sim.host_key()) }).await.unwrap();
    assert_eq!(device.pins.tls, None);
    rig.sent_no_credential();
}

#[tokio::test]
async fn rest_that_is_switched_off_in_the_web_server_is_no_way_in_and_hides_none() {
    let settings = Settings { routeros: patient(), ..Settings::new(Environment::Lab) };
    let mut rig = Rig::with(Profile::HomeAp, settings).await;
    rig.sim = Sim::start(Options { version: Some(Version::V7_23), ..Options::new(Profile::HomeAp, "edge") }).await.unwrap();
    let switch = |to: &str| rig.sim.world().put_single("/ip/service/webserver", "rest-secure", to);
    switch("false");
    let shown = rig.fleet.present(&place(&rig)).await.unwrap();
    assert!(shown.tls.is_some() && shown.rest_error.is_some(), "{shown:?}");
    let device = added(&rig).await;
    assert_eq!(device.pins.tls, None, "a page that says no does not prove a router");
    assert_eq!(rig.fleet.lane(&device).read(fresh("/ip/address")).await.unwrap().via, Via::Ssh);
    rig.sent_no_credential();

    // One that was pinned while REST was on reads over SSH while it is off, and comes back by itself.
    switch("true");
    let pinned = rig.fleet.pin(&device.id, Pins::default()).await.unwrap();
    assert_eq!(rig.fleet.lane(&pinned).read(fresh("/ip/address")).await.unwrap().via, Via::Rest);
    switch("false");
    assert_eq!(rig.fleet.lane(&pinned).read(fresh("/ip/address")).await.unwrap().via, Via::Ssh);
    assert!(rig.fleet.get(&device.id).unwrap().last_error.as_deref().unwrap().contains("over SSH meanwhile"));
    let seen = rig.fleet.check_connectivity(&device.id).await.unwrap();
    assert!(seen.reachable && !seen.rest.ok, "{seen:?}");
    switch("true");
    rig.hand.advance(Duration::from_secs(60));
    assert_eq!(rig.fleet.lane(&pinned).read(fresh("/ip/address")).await.unwrap().via, Via::Rest);
    assert_eq!(rig.fleet.get(&device.id).unwrap().last_error, None);
}

#[tokio::test]
async fn a_key_alone_is_a_login_until_a_password_joins_it() {
    let rig = rig().await;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("id_ed25519");
    let private = PrivateKey::from(Ed25519Keypair::from_seed(&[5; 32]));
    std::fs::write(&file, private.to_openssh(LineEnding::LF).unwrap()).unwrap();
    assert!(Key::parse(&std::fs::read_to_string(&file).unwrap()).is_ok());
    let key = NewCredential { password: Password::None, ssh_key_file: Some(file) };
    let enroll = |device| rig.fleet.enroll(device, key.clone(), Pins::default());
    let fault = enroll(new_device(&rig)).await.unwrap_err();
    assert_eq!(fault.kind, Kind::RouterDenied, "the router does not know it: {}", fault.said);
    let public = private.public_key().to_openssh().unwrap();
    rig.sim.world().add("/user/ssh-keys", &[("user", "mcp"), ("key", &public)]);
    let device = enroll(new_device(&rig)).await.unwrap();
    assert_eq!(rig.fleet.lane(&device).read(fresh("/ip/address")).await.unwrap().via, Via::Ssh);

    rest(&rig.sim, Line::Open).await;
    let other = NewDevice { name: "other".into(), ..new_device(&rig) };
    let fault = enroll(other).await.unwrap_err();
    assert_eq!(fault.kind, Kind::BadInput, "where REST answers a password is needed: {}", fault.said);
    rig.sent_no_credential();
    let device = rig.fleet.pin(&device.id, Pins::default()).await.unwrap();
    assert_eq!(rig.fleet.lane(&device).read(fresh("/ip/address")).await.unwrap().via, Via::Ssh, "pinned, but without a login for it");
    let login = Changes { credential: Some(rig.login()), ..Changes::default() };
    let device = rig.fleet.update(&device.id, login).await.unwrap();
    assert_eq!(rig.fleet.lane(&device).read(fresh("/ip/address")).await.unwrap().via, Via::Rest);
    assert!(device.facts.can.ssh, "by the key: the router refuses this user's password: {:?}", device.facts.unanswered);
}

#[tokio::test]
async fn its_record_changes_over_ssh_and_the_new_way_must_work() {
    let rig = rig().await;
    let device = added(&rig).await;
    let wrong = Changes { credential: Some(NewCredential::password(Secret::new("not-it"))), ..Changes::default() };
    assert_eq!(rig.fleet.update(&device.id, wrong).await.unwrap_err().kind, Kind::RouterDenied);
    let admin = rig.sim.credentials().admin;
    let changes =
        Changes { username: Some(admin.user.into()), credential: Some(NewCredential::password(admin.password)), ..Changes::default() };
    let changed = rig.fleet.update(&device.id, changes).await.unwrap();
    assert_eq!((changed.username.as_str(), changed.pins.tls), (admin.user, None));
    assert_eq!(rig.fleet.lane(&changed).read(fresh("/ip/address")).await.unwrap().via, Via::Ssh);
}

#[tokio::test]
async fn with_authorities_as_the_rule_ssh_alone_is_pinned_all_the_same() {
    let settings = Settings { routeros: Config { verify_tls: VerifyTls::Ca, ..patient() }, ..Settings::new(Environment::Lab) };
    let rig = Rig::with(Profile::HomeAp, settings).await;
    rest(&rig.sim, Line::Refuse).await;
    let device = added(&rig).await;
    assert_eq!(device.pins.ssh, Some(rig.sim.host_key()));
    assert_eq!(rig.fleet.lane(&device).read(fresh("/ip/address")).await.unwrap().via, Via::Ssh);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_shows_the_host_key_alone_and_waits_for_a_yes() {
    let (machine, sim) = (Machine::new().with("ROUTEROS_MCP_ROUTEROS_REST_TIMEOUT_SECONDS", "20"), router(Profile::Office).await);
    rest(&sim, Line::Refuse).await;
    let ssh = sim.ssh_port().to_string();
    let flags = machine.adding("edge", sim.https_port(), sim.credentials().mcp.password.expose());
    let flags: Vec<&str> = words(&flags).into_iter().map(|word| if word == "1" { ssh.as_str() } else { word }).collect();

    let asked = machine.error(&flags, 64);
    says(&asked["hint"], &format!("--ssh-fingerprint {}", sim.host_key()));
    let wrong = format!("SHA256:{}", "A".repeat(43));
    assert_eq!(machine.error(&[&flags[..], &["--ssh-fingerprint", &wrong]].concat(), 77)["kind"], "untrusted");
    assert!(sim.commands().is_empty(), "no login left before");

    let device = machine.json(&[&flags[..], &["--ssh-fingerprint", &sim.host_key()]].concat());
    assert_eq!((&device["pins"]["tls"], device["pins"]["ssh"].as_str()), (&serde_json::Value::Null, Some(sim.host_key().as_str())));
    assert_eq!(device["status"], "reachable");
    assert!(device["warnings"].to_string().contains("over SSH"), "{device}");
    let overview = machine.json(&["tool", "call", "system.get_overview", "--args", r#"{"device":"edge"}"#]);
    assert_eq!(overview["_meta"]["via"], "ssh", "{overview}");

    let done = machine.run(&["--json", "tool", "call", "system.set_identity", "--args", r#"{"device":"edge","name":"gate"}"#]);
    let answer: serde_json::Value = serde_json::from_str(&done.out).unwrap();
    let refused = &answer["structuredContent"]["error"];
    assert_eq!((done.code, &refused["kind"]), (77, &"denied".into()), "{answer}");
    says(&refused["message"], "changes are made over REST");
    says(&refused["hint"], "www-ssl");
    let plans = machine.json(&["plan", "list"]);
    assert!(!plans.to_string().contains("plan-"), "nothing is kept that can never be done: {plans}");

    rest(&sim, Line::Open).await;
    let reach = machine.json(&["tool", "call", "device.check_connectivity", "--args", r#"{"device":"edge"}"#]);
    let reach = &reach["structuredContent"];
    assert_eq!((&reach["reachable"], &reach["rest"]["ok"], &reach["ssh"]["ok"]), (&true.into(), &false.into(), &true.into()), "{reach}");
    says(&reach["advice"], "--tls-fingerprint");
    let tls = format_fingerprint(&sim.fingerprint());
    let pinned = machine.json(&["device", "pin", "edge", "--tls-fingerprint", &tls]);
    assert_eq!(pinned["pins"]["tls"], tls.as_str());
}
