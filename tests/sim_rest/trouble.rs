//! Turns, time, sizes, and what can be wrong with a simulated router or the line to it.

use super::client::{Reply, admin, call, exchange, names, raw, request, sim, until};
use crate::surroundings::shared;
use routeros_mcp::base::clock::{Clock, Wall};
use routeros_mcp::sim::faults::{Fault, Line, Rule};
use routeros_mcp::sim::menus::Definitions;
use routeros_mcp::sim::profiles::Profile;
use routeros_mcp::sim::{Credential, Options, Sim, TlsOption};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[tokio::test]
async fn one_request_of_a_user_at_a_time_and_users_in_parallel() {
    let sim = Arc::new(sim(Profile::HomeAp).await);
    sim.faults().inject(Rule::always(Fault::Latency(Duration::from_millis(150))));
    let who = sim.credentials();
    let ask = |who: Credential| {
        let sim = sim.clone();
        async move { call(&sim, &who, "GET", "/system/identity", None).await.status }
    };
    let started = std::time::Instant::now();
    let all = futures_util::future::join_all((0..4).map(|_| ask(who.mcp.clone()))).await;
    assert_eq!(all, [200; 4]);
    assert!(started.elapsed() >= Duration::from_millis(600), "four of one user take four times as long");
    assert!(sim.faults().working().most() == 1 && sim.faults().in_flight().most() > 1, "one works, the others queue");
    futures_util::future::join_all([ask(who.mcp.clone()), ask(who.admin), ask(who.monitor)]).await;
    assert!(sim.faults().working().most() > 1, "users do not wait for each other");
    // A request the client gave up keeps its user's queue.
    sim.faults().clear();
    sim.faults().inject(Rule::once(Fault::Latency(Duration::from_millis(300))));
    let mut stream = TcpStream::connect(("127.0.0.1", sim.http_port())).await.unwrap();
    stream.write_all(request("GET", "/system/note", Some(&who.mcp), None).as_bytes()).await.unwrap();
    until(|| sim.faults().working().now() > 0).await;
    let started = std::time::Instant::now();
    drop(stream);
    assert_eq!(ask(who.mcp.clone()).await, 200);
    assert!(started.elapsed() >= Duration::from_millis(200), "waited for the abandoned one");
}

#[tokio::test]
async fn long_requests_end_with_the_session() {
    let sim = sim(Profile::HomeAp).await;
    sim.faults().set_session_limit(Duration::from_millis(50));
    sim.faults().inject(Rule::once(Fault::Latency(Duration::from_secs(90))));
    assert_eq!(admin(&sim, "GET", "/ip/route", None).await.detail(), "Session closed");
    assert_eq!(admin(&sim, "POST", "/interface/monitor-traffic", Some(json!({"interface": "ether1"}))).await.detail(), "Session closed");
    // 7.20 hangs when asked about these words.
    let inspect = admin(&sim, "POST", "/console/inspect", Some(json!({"request": "child", "path": "ip,address,where"}))).await;
    assert_eq!(inspect.detail(), "Session closed");
}

#[tokio::test]
async fn commands_answer_once_and_in_sections() {
    let sim = sim(Profile::HomeAp).await;
    let once = admin(&sim, "POST", "/interface/monitor-traffic", Some(json!({"interface": "ether1,bridge", "once": ""}))).await.json();
    assert_eq!((names(&once), once[0].get(".section")), (vec!["ether1", "bridge"], None));
    let three = admin(&sim, "POST", "/interface/monitor-traffic", Some(json!({"interface": "ether1", "duration": "3s"}))).await.json();
    assert_eq!(three.as_array().unwrap().iter().map(|r| r[".section"].as_str().unwrap()).collect::<Vec<_>>(), ["0", "1", "2"]);
    for path in ["/ping", "/tool/ping"] {
        let pings = admin(&sim, "POST", path, Some(json!({"address": "192.0.2.1", "count": 3}))).await.json();
        assert_eq!((pings.as_array().unwrap().len(), pings[2]["received"].as_str()), (3, Some("3")));
    }
    let link = admin(&sim, "POST", "/interface/ethernet/monitor", Some(json!({"numbers": "ether3", "once": ""}))).await.json();
    assert_eq!(link[0]["status"], "no-link");
}

#[tokio::test]
async fn inspect_tells_the_command_tree() {
    let sim = sim(Profile::HomeAp).await;
    let child = |path: &'static str| {
        let sim = &sim;
        async move { admin(sim, "POST", "/console/inspect", Some(json!({"request": "child", "path": path}))).await.json() }
    };
    let add = child("ip,address,add").await;
    assert_eq!(add[0], json!({"name": "add", "node-type": "cmd", "type": "self"}));
    assert!(
        ["address", "broadcast", "comment", "copy-from", "disabled", "interface", "netmask", "network"]
            .iter()
            .all(|n| names(&add).contains(n))
    );
    let ip = child("ip").await;
    assert!(names(&ip).contains(&"firewall") && !names(&ip).contains(&"address/x"));
    if let Some(shared) = shared("routeros") {
        let recorded: Value =
            serde_json::from_slice(&std::fs::read(shared.join("samples/docs/console_inspect_child.json")).unwrap()).unwrap();
        let body = json!({"request": "child", "path": "ip,address,add", ".proplist": ["name", "node-type"]});
        assert_eq!(admin(&sim, "POST", "/console/inspect", Some(body)).await.json(), recorded);
    }
    let words = admin(&sim, "POST", "/console/inspect", Some(json!({"request": "completion", "path": "ip,firewall,filter,add,action"})))
        .await
        .json();
    assert!(words.as_array().unwrap().iter().any(|w| w["completion"] == "drop"));
}

#[tokio::test]
async fn time_moves_uptime_and_timeouts() {
    let (clock, hand) = Clock::by_hand(Wall(1_795_000_000_000));
    let sim = Sim::start(Options { clock, ..Options::new(Profile::Chr, "edge") }).await.unwrap();
    let uptime = || async { admin(&sim, "GET", "/system/resource", None).await.json()["uptime"].as_str().unwrap().to_string() };
    let before = uptime().await;
    admin(&sim, "PUT", "/ip/firewall/address-list", Some(json!({"list": "t", "address": "192.0.2.4", "timeout": "10s"}))).await;
    hand.advance(Duration::from_secs(11));
    assert_ne!(uptime().await, before);
    assert_eq!(admin(&sim, "GET", "/ip/firewall/address-list?list=t", None).await.json(), json!([]));
    assert_eq!(admin(&sim, "GET", "/system/health", None).await.json(), json!({"state": "disabled", "state-after-reboot": "enabled"}));
    assert_eq!(admin(&sim, "GET", "/system/routerboard", None).await.detail(), "no such command or directory (routerboard)");
    sim.reboot();
    assert_eq!(uptime().await, "0s");
}

#[tokio::test]
async fn the_home_router_refuses_the_scheduler() {
    let sim = sim(Profile::HomeAp).await;
    let body = json!({"name": "x", "interval": "1m", "on-event": ":log info x"});
    assert!(admin(&sim, "PUT", "/system/scheduler", Some(body.clone())).await.detail().starts_with("failure: not allowed by device-mode"));
    let office = self::sim(Profile::Office).await;
    let made = admin(&office, "PUT", "/system/scheduler", Some(body)).await.json();
    assert_eq!((made["owner"].as_str(), made["run-count"].as_str()), (Some("admin"), Some("0")));
}

#[tokio::test]
async fn the_tower_is_big() {
    let sim = sim(Profile::WispTower).await;
    let count = |path: &'static str| {
        let sim = &sim;
        async move { admin(sim, "POST", path, Some(json!({"count-only": ""}))).await.json()["ret"].as_str().unwrap().to_string() }
    };
    assert_eq!(count("/ip/dhcp-server/lease/print").await, "5000");
    assert_eq!(count("/ip/firewall/address-list/print").await, "2000");
    assert_eq!(admin(&sim, "GET", "/interface/wifi", None).await.detail(), "no such command or directory (wifi)");
    let leases = admin(&sim, "GET", "/ip/dhcp-server/lease", None).await;
    assert!(String::from_utf8(leases.body).is_err(), "some host names are no UTF-8");
}

#[tokio::test]
async fn faults_do_what_they_say() {
    let sim = sim(Profile::HomeAp).await;
    let who = sim.credentials().admin;
    let get = request("GET", "/ip/address", Some(&who), None);
    let fault = |f| sim.faults().inject(Rule::once(f).on("/ip/address"));
    fault(Fault::CloseBefore);
    assert!(raw(&sim, &get).await.is_none());
    fault(Fault::ServerError);
    assert_eq!(raw(&sim, &get).await.unwrap().status, 500);
    fault(Fault::WrongBody);
    assert!(raw(&sim, &get).await.unwrap().json().get("board-name").is_some());
    fault(Fault::InvalidUtf8);
    assert!(String::from_utf8(raw(&sim, &get).await.unwrap().body).is_err());
    fault(Fault::RawControl);
    assert!(raw(&sim, &get).await.unwrap().body.contains(&0x1b));
    for broken in [Fault::CutJson, Fault::GarbageJson] {
        fault(broken);
        assert!(serde_json::from_slice::<Value>(&raw(&sim, &get).await.unwrap().body).is_err());
    }
    fault(Fault::BigTable(100_000));
    let big = raw(&sim, &get).await.unwrap();
    assert_eq!(big.json().as_array().unwrap().len(), 100_003);

    let id = raw(&sim, &get).await.unwrap().json()[0][".id"].as_str().unwrap().to_string();
    let patch = request("PATCH", &format!("/ip/address/{id}"), Some(&who), Some(r#"{"comment":"done"}"#));
    let comment = || sim.world().find("/ip/address", &id).unwrap().get("comment").unwrap_or_default().to_string();
    sim.faults().inject(Rule::once(Fault::DoneButRefused).method("PATCH"));
    assert_eq!((raw(&sim, &patch).await.unwrap().status, comment().as_str()), (400, "done"));
    sim.faults().inject(Rule::once(Fault::CloseAfter).method("PATCH").after(1));
    let other = patch.replace("done", "lost");
    assert!(raw(&sim, &patch).await.is_some());
    assert!(raw(&sim, &other).await.is_none());
    assert_eq!(comment(), "lost");

    sim.faults().inject(Rule::once(Fault::EndlessJson));
    let mut stream = TcpStream::connect(("127.0.0.1", sim.http_port())).await.unwrap();
    stream.write_all(get.as_bytes()).await.unwrap();
    let mut much = vec![0; 200_000];
    stream.read_exact(&mut much).await.unwrap();
    drop(stream);
    assert!(sim.faults().requests_to("/ip/address") >= 10);
}

#[tokio::test]
async fn lines_can_be_closed_silent_or_wrong() {
    let sim = sim(Profile::HomeAp).await;
    let get = request("GET", "/system/identity", Some(&sim.credentials().admin), None);
    let connect = |port: u16| async move { TcpStream::connect(("127.0.0.1", port)).await };
    assert!(raw(&sim, &get).await.is_some());
    sim.faults().set_line(Line::Refuse);
    while connect(sim.http_port()).await.is_ok() {
        tokio::task::yield_now().await;
    }
    sim.faults().set_line(Line::HalfOpen);
    let mut stream = loop {
        match connect(sim.http_port()).await {
            Ok(stream) => break stream,
            Err(_) => tokio::task::yield_now().await,
        }
    };
    stream.write_all(get.as_bytes()).await.unwrap();
    let mut byte = [0];
    assert!(tokio::time::timeout(Duration::from_millis(100), stream.read(&mut byte)).await.is_err(), "says nothing");
    sim.faults().set_line(Line::PlainOnTls);
    let plain = connect(sim.https_port()).await.unwrap();
    assert_eq!(exchange(plain, &get).await.unwrap().status, 200);
    sim.faults().clear();
    sim.world().set("/ip/service", "www", "address", "203.0.113.0/24");
    assert!(raw(&sim, &get).await.is_none(), "a service closed to us hangs up without a word");
}

async fn secure(sim: &Sim, trusted: &[u8], text: &str) -> Result<Reply, String> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(rustls::pki_types::CertificateDer::from(trusted.to_vec())).map_err(|e| e.to_string())?;
    let config = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = rustls::pki_types::ServerName::try_from("localhost").unwrap();
    let stream = TcpStream::connect(("127.0.0.1", sim.https_port())).await.map_err(|e| e.to_string())?;
    let stream = tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, stream).await.map_err(|e| e.to_string())?;
    exchange(stream, text).await.ok_or_else(|| "no answer".to_string())
}

#[tokio::test]
async fn certificates_can_change_and_expire() {
    let sim = Sim::start(Options { tls: TlsOption::Own, ..Options::new(Profile::HomeAp, "cert-test") }).await.unwrap();
    let get = request("GET", "/system/identity", Some(&sim.credentials().mcp), None);
    let (first, print) = (sim.certificate(), sim.fingerprint());
    assert_eq!(secure(&sim, &first, &get).await.unwrap().json()["name"], "cert-test");
    assert_eq!(ring::digest::digest(&ring::digest::SHA256, &first).as_ref(), print);
    sim.change_certificate().unwrap();
    assert_ne!(sim.fingerprint(), print);
    assert!(secure(&sim, &first, &get).await.is_err());
    sim.expire_certificate().unwrap();
    let why = secure(&sim, &sim.certificate(), &get).await.err().unwrap();
    assert!(why.contains("xpired"), "{why}");
}

#[tokio::test]
async fn two_hundred_routers_run_in_one_process() {
    let started = std::time::Instant::now();
    let mut sims = Vec::new();
    for seed in 0..200 {
        let options = Options { seed, plain: false, ..Options::new(Profile::ALL[seed as usize % 4], &format!("r{seed}")) };
        sims.push(Sim::start(options).await.unwrap());
    }
    println!("200 routers in {:?}", started.elapsed());
    let get = request("GET", "/system/identity", Some(&sims[0].credentials().mcp), None);
    let certificate = sims[0].certificate();
    assert_eq!(secure(&sims[199], &certificate, &get).await.unwrap().json()["name"], "r199");
    for sim in sims {
        sim.stop().await;
    }
}

#[tokio::test]
async fn a_published_tree_serves_every_menu() {
    let Some(shared) = shared("routeros") else {
        println!("{} menus of the simulator's own", Definitions::own().paths().count());
        return;
    };
    let tree: Value = serde_json::from_slice(&std::fs::read(shared.join("schema.json")).unwrap()).unwrap();
    let wanted: Vec<String> =
        tree.as_object().unwrap().iter().filter(|(p, m)| p.starts_with('/') && m["kind"] != "cmd-only").map(|(p, _)| p.clone()).collect();
    let definitions = Definitions::from_schema_json(&tree);
    let sim = Sim::start(Options { definitions: Some(definitions), ..Options::new(Profile::HomeAp, "all") }).await.unwrap();
    let mut wrong = Vec::new();
    for path in &wanted {
        let reply = admin(&sim, "GET", path, None).await;
        let singleton = tree[path]["kind"] == "singleton";
        let shape = serde_json::from_str::<Value>(&String::from_utf8_lossy(&reply.body)).unwrap_or_default();
        if reply.status != 200 || (singleton && path != "/system/health") != shape.is_object() {
            wrong.push(format!("{path}: {} {}", reply.status, String::from_utf8_lossy(&reply.body)));
        }
    }
    println!("{} menus of the published tree served", wanted.len() - wrong.len());
    assert!(wanted.len() > 500 && wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn a_bridge_renamed_through_interface_keeps_its_ports() {
    let sim = sim(Profile::HomeAp).await;
    let id = admin(&sim, "GET", "/interface/bridge", None).await.json()[0][".id"].as_str().unwrap().to_string();
    assert_eq!(admin(&sim, "GET", &format!("/interface/{id}"), None).await.json()["type"], "bridge", "one number in both menus");
    assert_eq!(admin(&sim, "PATCH", &format!("/interface/{id}"), Some(json!({"name": "lan"}))).await.status, 200);
    let ports = admin(&sim, "GET", "/interface/bridge/port?bridge=lan", None).await.json();
    assert_eq!(ports.as_array().unwrap().len(), 6);
    assert_eq!(admin(&sim, "GET", "/ip/address?interface=lan", None).await.json().as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_reboot_cuts_connections_and_starts_uptime_anew() {
    let (clock, hand) = Clock::by_hand(Wall(1_795_000_000_000));
    let sim = Sim::start(Options { clock, ..Options::new(Profile::Chr, "") }).await.unwrap();
    let who = sim.credentials();
    assert_eq!(call(&sim, &who.monitor, "POST", "/system/reboot", None).await.status, 500);
    let mut idle = TcpStream::connect(("127.0.0.1", sim.http_port())).await.unwrap();
    assert_eq!(admin(&sim, "POST", "/system/reboot", None).await.json(), json!([]));
    let mut byte = [0];
    let end = tokio::time::timeout(Duration::from_secs(5), idle.read(&mut byte)).await.expect("cut within 5 s");
    assert!(matches!(end, Ok(0) | Err(_)));
    hand.advance(Duration::from_secs(75));
    assert_eq!(admin(&sim, "GET", "/system/resource", None).await.json()["uptime"], "1m15s");
}
