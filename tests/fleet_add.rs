//! Adding, changing and removing devices against a simulated router: what is checked before what, and that nothing
//! half done stays behind.

use crate::fleet_rig::{Rig, fleet, fresh, open, quick};
use crate::ssh_router::SshRouter;
use futures_util::FutureExt;
use routeros_mcp::base::fault::Kind;
use routeros_mcp::base::secret::Secret;
use routeros_mcp::base::shared::Shared;
use routeros_mcp::base::tier::Environment;
use routeros_mcp::fleet::{Changes, Config, NewCredential, NewDevice, Pins, Place, Settings, Status, VerifyTls, Wifi};
use routeros_mcp::sim::faults::Line;
use routeros_mcp::sim::profiles::Profile;
use std::ops::Bound;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

#[tokio::test]
async fn adds_a_router_with_its_facts_and_survives_a_restart() {
    let rig = Rig::new(Profile::HomeAp).await;
    let shown = rig.fleet.present(&rig.place()).await.unwrap();
    assert_eq!(shown.tls.as_ref().unwrap().sha256, rig.sim.fingerprint());
    rig.sent_no_credential();
    let expected = Pins { tls: Some(rig.sim.fingerprint()), ssh: Some(rig.ssh.fingerprint.clone()) };
    let device = rig.fleet.enroll(rig.new_device("edge-7"), rig.login(), expected.clone()).await.unwrap();
    assert_eq!((device.status, &device.pins), (Status::Reachable, &expected));
    assert_eq!((device.facts.identity.as_deref(), device.facts.can.wifi), (Some("edge"), Wifi::Wifi));
    assert!(device.facts.version.as_deref().unwrap().starts_with("7.20"), "{:?}", device.facts.version);
    assert!(device.facts.can.safe_mode && !device.facts.can.schedule, "7.20 in device-mode home: {:?}", device.facts.can);
    assert!(device.facts.serial.is_some() && !device.facts.packages.is_empty());
    assert!(device.facts.policies.as_ref().unwrap().iter().any(|word| word == "rest-api"), "{:?}", device.facts.policies);
    assert!(device.facts.unanswered.is_empty(), "{:?}", device.facts.unanswered);
    assert!(rig.sim.faults().requests_to("/safe-mode/take") == 0);

    rig.fleet.close().await;
    let Rig { fleet: old, store, sim, clock, settings, dir, .. } = rig;
    drop(old);
    store.close().await.unwrap();
    let bytes = std::fs::read(dir.path().join("store.redb")).unwrap();
    let holds = |word: &str| bytes.windows(word.len()).any(|window| window == word.as_bytes());
    assert!(holds("edge-7"), "the record is in that file");
    assert!(!holds(sim.credentials().mcp.password.expose()), "the password is not");
    let fleet = fleet(&open(&dir), &clock, &settings);
    let again = fleet.find("Edge-7").unwrap();
    assert_eq!(*again, *device);
    assert!(fleet.lane(&again).read(fresh("/ip/address")).await.is_ok(), "with the sealed password");
}

#[tokio::test]
async fn a_virtual_router_has_no_board_and_an_old_one_no_safe_mode() {
    let chr = Rig::new(Profile::Chr).await;
    let device = chr.add("chr").await.unwrap();
    assert_eq!((device.facts.serial.as_deref(), device.facts.unanswered.len()), (None, 0), "{:?}", device.facts.unanswered);
    let tower = Rig::new(Profile::WispTower).await;
    let device = tower.add("tower").await.unwrap();
    assert_eq!((device.facts.can.safe_mode, device.facts.can.wifi), (false, Wifi::Wireless));
}

#[tokio::test]
async fn a_wrong_password_stores_nothing() {
    let rig = Rig::new(Profile::HomeAp).await;
    let wrong = NewCredential::password(Secret::new("not-it"));
    let fault = rig.fleet.enroll(rig.new_device("edge"), wrong, Pins::default()).await.unwrap_err();
    assert_eq!(fault.kind, Kind::RouterDenied);
    assert!(!format!("{fault:?}").contains("not-it"));
    rig.holds_nothing();
}

#[tokio::test]
async fn a_wrong_fingerprint_sends_no_credential_and_stores_nothing() {
    let rig = Rig::new(Profile::HomeAp).await;
    let other_ssh = SshRouter::start(9).await.fingerprint;
    for expected in [Pins { tls: Some([9; 32]), ssh: None }, Pins { tls: Some(rig.sim.fingerprint()), ssh: Some(other_ssh) }] {
        let fault = rig.fleet.enroll(rig.new_device("edge"), rig.login(), expected).await.unwrap_err();
        assert_eq!(fault.kind, Kind::Untrusted, "{}", fault.said);
        assert!(fault.said.contains("presented"), "{}", fault.said);
        rig.sent_no_credential();
        rig.holds_nothing();
    }
}

#[tokio::test]
async fn a_key_that_nobody_compared_is_not_trusted_where_only_the_named_ones_are() {
    let rig = Rig::new(Profile::HomeAp).await;
    let tls = Some(rig.sim.fingerprint());
    let named = |name: &str| NewDevice { only_named: true, ..rig.new_device(name) };
    let device = rig.fleet.enroll(named("edge"), rig.login(), Pins { tls, ssh: None }).await.unwrap();
    assert_eq!((device.pins.tls, &device.pins.ssh), (tls, &None));
    assert_eq!(rig.ssh.tries(), 0, "whoever answers there gets no password");
    let pinned = rig.fleet.pin(&device.id, Pins { tls, ssh: None }).await.unwrap();
    assert_eq!(pinned.pins.ssh, None, "nor when the other one is pinned again");
    let both = Pins { tls, ssh: Some(rig.ssh.fingerprint.clone()) };
    assert_eq!(rig.fleet.pin(&device.id, both.clone()).await.unwrap().pins, both);
}

#[tokio::test]
async fn what_is_no_router_is_told_before_any_credential_leaves() {
    let mut rig = Rig::new(Profile::HomeAp).await;
    rig.ssh.stop().await;
    for line in [Line::HalfOpen, Line::PlainOnTls, Line::Refuse] {
        rig.sim.faults().set_line(line);
        let fault = rig.add("edge").await.unwrap_err();
        assert_eq!(fault.kind, Kind::Unreachable, "{line:?}: {}", fault.said);
        assert!(fault.hint.is_some(), "{line:?}");
        rig.sent_no_credential();
        rig.holds_nothing();
    }
    rig.sim.faults().set_line(Line::Open);
    let other = WebServer::open().await;
    let mut new = rig.new_device("edge");
    new.place.rest_port = other.port;
    let fault = rig.fleet.enroll(new, rig.login(), Pins::default()).await.unwrap_err();
    assert_eq!(fault.kind, Kind::Unreachable);
    assert!(fault.said.contains("not a RouterOS"), "{}", fault.said);
    assert!(other.heard().contains("GET /rest"), "it was asked: {}", other.heard());
    assert!(!other.heard().to_lowercase().contains("authorization"), "without a login");
    rig.holds_nothing();
}

#[tokio::test]
async fn wrong_descriptions_are_refused_without_a_request() {
    let rig = Rig::new(Profile::HomeAp).await;
    let edit = |change: fn(&mut NewDevice)| {
        let mut new = rig.new_device("edge");
        change(&mut new);
        new
    };
    for new in [
        edit(|new| new.name = "dev_1".into()),
        edit(|new| new.place.address = "169.254.169.254".into()),
        edit(|new| new.place.rest_port = 0),
        edit(|new| new.environment = Environment::Prod),
        edit(|new| new.username = "a:b".into()),
        edit(|new| new.tags.push(("site".into(), "twice".into()))),
    ] {
        let said = format!("{new:?}");
        let fault = rig.fleet.enroll(new, rig.login(), Pins::default()).await.unwrap_err();
        assert_eq!(fault.kind, Kind::BadInput, "{said}");
    }
    let no_fingerprint = Pins { tls: None, ssh: Some("MD5:00".into()) };
    assert_eq!(rig.fleet.enroll(rig.new_device("edge"), rig.login(), no_fingerprint).await.unwrap_err().kind, Kind::BadInput);
    assert_eq!(rig.sim.faults().requests_total(), 0);
    rig.holds_nothing();
}

#[tokio::test]
async fn our_own_listener_is_no_router() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let own = listener.local_addr().unwrap();
    let settings = Settings { routeros: quick(), own_listeners: Shared::new(vec![own]), ..Settings::new(Environment::Lab) };
    let rig = Rig::with(Profile::HomeAp, settings).await;
    let mut new = rig.new_device("me");
    new.place.rest_port = own.port();
    let over_ssh = NewDevice { place: Place { ssh_port: own.port(), ..rig.place() }, ..rig.new_device("me") };
    for new in [new, over_ssh] {
        assert_eq!(rig.fleet.enroll(new, rig.login(), Pins::default()).await.unwrap_err().kind, Kind::BadInput);
    }
    assert!(listener.accept().now_or_never().is_none(), "nobody connected");
}

#[tokio::test]
async fn a_name_belongs_to_one_device_whatever_its_case() {
    let rig = Rig::new(Profile::HomeAp).await;
    let (first, second) = tokio::join!(rig.add("Edge"), rig.add("edge"));
    let lost = [first.as_ref().err(), second.as_ref().err()].into_iter().flatten().map(|fault| fault.kind).collect::<Vec<_>>();
    assert_eq!(lost, [Kind::Conflict], "also at the same moment");
    assert_eq!((rig.fleet.len(), rig.stored().len()), (1, 3));
    let other = rig.add("core").await.unwrap();
    let rename = Changes { name: Some("EDGE".into()), ..Changes::default() };
    assert_eq!(rig.fleet.update(&other.id, rename).await.unwrap_err().kind, Kind::Conflict);
    let recase = Changes { name: Some("Core".into()), ..Changes::default() };
    assert_eq!(rig.fleet.update(&other.id, recase).await.unwrap().name, "Core");
    assert_eq!(rig.fleet.find(other.id.as_str()).unwrap().name, "Core");
}

#[tokio::test]
async fn plain_http_reads_in_the_lab_and_is_refused_in_prod() {
    let rig = Rig::new(Profile::HomeAp).await;
    let plain = |environment| {
        let mut new = rig.new_device("plain");
        new.place = Place { rest_port: rig.sim.http_port(), plain_http: true, ..rig.place() };
        NewDevice { environment, ..new }
    };
    let pinned = Pins { tls: Some([1; 32]), ssh: None };
    assert_eq!(rig.fleet.enroll(plain(Environment::Lab), rig.login(), pinned).await.unwrap_err().kind, Kind::BadInput);
    let device = rig.fleet.enroll(plain(Environment::Lab), rig.login(), Pins::default()).await.unwrap();
    assert_eq!(device.pins.tls, None);
    assert!(rig.fleet.lane(&device).read(fresh("/ip/address")).await.is_ok());
    let prod = Settings { routeros: quick(), ..Settings::new(Environment::Prod) };
    let refused = Rig::with(Profile::HomeAp, prod).await;
    let fault = refused.fleet.enroll(plain(Environment::Prod), rig.login(), Pins::default()).await.unwrap_err();
    assert_eq!(fault.kind, Kind::BadInput);
    refused.holds_nothing();
}

#[tokio::test]
async fn with_an_authority_as_the_rule_a_certificate_of_nobody_is_not_trusted() {
    let settings = Settings { routeros: Config { verify_tls: VerifyTls::Ca, ..quick() }, ..Settings::new(Environment::Lab) };
    let rig = Rig::with(Profile::HomeAp, settings).await;
    assert_eq!(rig.add("edge").await.unwrap_err().kind, Kind::Untrusted);
    rig.sent_no_credential();
    rig.holds_nothing();
    let given = Pins { tls: Some(rig.sim.fingerprint()), ssh: None };
    assert!(rig.fleet.enroll(rig.new_device("edge"), rig.login(), given).await.is_ok(), "a fingerprint given by a person is");
}

#[tokio::test]
async fn a_changed_way_is_tried_before_it_is_kept() {
    let rig = Rig::new(Profile::HomeAp).await;
    let device = rig.add("edge").await.unwrap();
    let wrong = Changes { credential: Some(NewCredential::password(Secret::new("not-it"))), ..Changes::default() };
    assert_eq!(rig.fleet.update(&device.id, wrong).await.unwrap_err().kind, Kind::RouterDenied);
    let elsewhere = Changes { rest_port: Some(rig.ssh.port), ..Changes::default() };
    assert_eq!(rig.fleet.update(&device.id, elsewhere).await.unwrap_err().kind, Kind::Unreachable);
    assert_eq!(*rig.fleet.get(&device.id).unwrap(), *device);
    assert!(rig.fleet.lane(&device).read(fresh("/ip/address")).await.is_ok(), "the old way works on");

    let monitor = rig.sim.credentials().monitor;
    let changes = Changes {
        username: Some(monitor.user.into()),
        credential: Some(NewCredential::password(monitor.password)),
        tags: Some(vec![]),
        ..Changes::default()
    };
    let changed = rig.fleet.update(&device.id, changes).await.unwrap();
    assert_eq!((changed.username.as_str(), changed.tags.len()), ("monitor", 0));
    rig.sim.forget_requests();
    rig.fleet.lane(&changed).read(fresh("/ip/address")).await.unwrap();
    assert!(rig.sim.requests().iter().all(|seen| seen.user.as_deref() == Some("monitor")));
}

#[tokio::test]
async fn a_router_that_was_moved_and_shows_other_keys_is_followed_when_they_are_named() {
    let (rig, there) = (Rig::new(Profile::HomeAp).await, Rig::new(Profile::HomeAp).await);
    let device = rig.add("edge").await.unwrap();
    there.sim.change_certificate().unwrap();
    let moved = |pins: Pins| Changes {
        rest_port: Some(there.sim.https_port()),
        ssh_port: Some(there.ssh.port),
        credential: Some(there.login()),
        pins,
        ..Changes::default()
    };
    let refused = rig.fleet.update(&device.id, moved(Pins::default())).await.unwrap_err();
    assert!(refused.kind == Kind::Untrusted && refused.hint.unwrap().contains("tls_fingerprint"));
    there.sent_no_credential();
    let pins = Pins { tls: Some(there.sim.fingerprint()), ssh: Some(there.ssh.fingerprint.clone()) };
    let unmoved = Changes { pins: pins.clone(), ..Changes::default() };
    assert!(rig.fleet.update(&device.id, unmoved).await.unwrap_err().hint.unwrap().contains("device pin"));
    assert_eq!(*rig.fleet.get(&device.id).unwrap(), *device);

    let followed = rig.fleet.update(&device.id, moved(pins.clone())).await.unwrap();
    assert_eq!((&followed.id, &followed.pins), (&device.id, &pins));
    rig.fleet.lane(&followed).read(fresh("/ip/address")).await.unwrap();
    assert!(there.sim.requests().iter().any(|seen| seen.path().starts_with("/ip/address")));
}

#[tokio::test]
async fn what_cannot_be_stored_is_not_there() {
    let rig = Rig::new(Profile::HomeAp).await;
    let device = rig.add("edge").await.unwrap();
    rig.store.clone().close().await.unwrap();
    assert_eq!(rig.add("core").await.unwrap_err().kind, Kind::Storage);
    let rename = Changes { name: Some("other".into()), ..Changes::default() };
    assert_eq!(rig.fleet.update(&device.id, rename).await.unwrap_err().kind, Kind::Storage);
    assert_eq!(rig.fleet.remove(&device.id).await.unwrap_err().kind, Kind::Storage);
    assert_eq!(rig.fleet.list(), [device]);
}

#[tokio::test]
async fn of_two_changes_at_once_one_is_told_to_look_again() {
    let rig = Rig::new(Profile::HomeAp).await;
    let device = rig.add("edge").await.unwrap();
    let port = Changes { rest_port: Some(rig.sim.https_port()), ..Changes::default() };
    let tags = Changes { tags: Some(vec![]), ..Changes::default() };
    // The first asks the router before it is stored; the second is quicker.
    let (slow, quick) = tokio::join!(rig.fleet.update(&device.id, port), rig.fleet.update(&device.id, tags));
    assert_eq!(slow.unwrap_err().kind, Kind::Conflict);
    assert!(quick.unwrap().tags.is_empty() && rig.fleet.get(&device.id).unwrap().tags.is_empty());
}

#[tokio::test]
async fn a_store_in_ram_keeps_no_password() {
    let Ok(dir) = tempfile::tempdir_in("/dev/shm") else {
        eprintln!("no /dev/shm here: not tested");
        return;
    };
    let rig = Rig::at(dir, Profile::HomeAp, Settings { routeros: quick(), ..Settings::new(Environment::Lab) }).await;
    if !rig.store.is_volatile() {
        eprintln!("/dev/shm is not in RAM here: not tested");
        return;
    }
    let device = rig.add("edge").await.unwrap();
    assert!(rig.store.scan("credential", Bound::Unbounded, 9).unwrap().is_empty());
    assert!(rig.fleet.lane(&device).read(fresh("/ip/address")).await.is_ok(), "known as long as we run");
    let restarted = fleet(&rig.store, &rig.clock, &rig.settings);
    let fault = restarted.lane(&device).read(fresh("/ip/address")).await.unwrap_err();
    assert_eq!(fault.kind, Kind::RouterDenied);
    assert!(fault.hint.unwrap().contains("device update edge"));
}

#[tokio::test]
async fn a_removed_device_leaves_nothing() {
    let rig = Rig::new(Profile::HomeAp).await;
    let device = rig.add("edge").await.unwrap();
    let lane = rig.fleet.lane(&device);
    assert_eq!(rig.stored().len(), 3);
    rig.fleet.remove(&device.id).await.unwrap();
    rig.holds_nothing();
    assert_eq!(lane.read(fresh("/ip/address")).await.unwrap_err().kind, Kind::NotFound, "a lane in somebody's hand leads nowhere");
    assert!(rig.add("edge").await.is_ok(), "the name is free again");
}

#[tokio::test]
async fn a_caller_who_leaves_in_the_middle_leaves_all_or_nothing() {
    let rig = Rig::new(Profile::HomeAp).await;
    let mut after = Duration::from_millis(1);
    // The later it is cut off, the further it gets; at some point it is through.
    let mut cut_off = 0;
    loop {
        let done = tokio::time::timeout(after, rig.add("edge")).await;
        rig.fleet.settled().await;
        assert!([0, 3].contains(&rig.stored().len()), "after {after:?}: {:?}", rig.stored());
        assert_eq!(rig.stored().len(), rig.fleet.len() * 3, "memory and store agree");
        if done.is_ok() || rig.fleet.len() == 1 {
            break;
        }
        cut_off += 1;
        after = after * 3 / 2;
    }
    assert!(cut_off > 0, "some were cut off");
}

/// A TLS server that is no router.
struct WebServer {
    port: u16,
    heard: Arc<Mutex<String>>,
    _tasks: JoinSet<()>,
}

impl WebServer {
    async fn open() -> Self {
        let made = rcgen::generate_simple_self_signed(vec!["web.example".into()]).unwrap();
        let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = builder.with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key).unwrap();
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::new(Mutex::new(String::new()));
        let mut tasks = JoinSet::new();
        let ears = heard.clone();
        tasks.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                let mut request = [0; 4096];
                let Ok(n) = stream.read(&mut request).await else { continue };
                ears.lock().unwrap().push_str(&String::from_utf8_lossy(&request[..n]));
                let page = "<html>a shop</html>";
                let answer = format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\r\n{page}", page.len());
                let _ = stream.write_all(answer.as_bytes()).await;
                let _ = stream.shutdown().await;
            }
        });
        WebServer { port, heard, _tasks: tasks }
    }

    fn heard(&self) -> String {
        self.heard.lock().unwrap().clone()
    }
}
