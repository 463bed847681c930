//! What a station notices when the simulated router's tables cut it off: silence, a reset, a closed door or no TLS, for new
//! connections and for open ones.

use crate::sim_rest::until;
use crate::sim_ssh;
use routeros_mcp::sim::lockout::cases::{self, Case};
use routeros_mcp::sim::profiles::Profile;
use routeros_mcp::sim::{Options, Sim};
use serde_json::json;
use std::io::ErrorKind;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Long enough for an answer that comes, short enough to wait for one that does not.
const SILENCE: Duration = Duration::from_millis(150);

async fn start() -> Sim {
    Sim::start(Options::new(Profile::HomeAp, "")).await.unwrap()
}

fn case(name: &str) -> Case {
    let mut all = cases::cutting(Profile::HomeAp).into_iter();
    all.find(|c| c.name == name).unwrap()
}

fn cut(sim: &Sim, name: &str) {
    case(name).apply(&mut sim.world()).unwrap();
}

/// Takes back what `cut` added last to the filter.
fn free(sim: &Sim) {
    let mut world = sim.world();
    let rows = &mut world.table("/ip/firewall/filter").rows;
    let newest = rows.iter().filter_map(|r| r.id).max();
    rows.retain(|r| r.id != newest);
}

/// A connection to `www` that stays open.
struct Line(TcpStream);

impl Line {
    async fn open(sim: &Sim) -> Self {
        Line(TcpStream::connect(("127.0.0.1", sim.http_port())).await.unwrap())
    }

    async fn ask(&mut self, method: &str, path: &str, body: &str) {
        let code = data_encoding::BASE64.encode(b"admin:sim-admin-pass");
        let head = format!("{method} /rest{path} HTTP/1.1\r\nHost: router\r\nAuthorization: Basic {code}\r\n");
        let body = match body {
            "" => "\r\n".to_string(),
            b => format!("Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{b}", b.len()),
        };
        self.0.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    }

    /// The status that comes; `None` when the other side hung up.
    async fn status(&mut self) -> Result<Option<u16>, ErrorKind> {
        let mut bytes = vec![0; 16 * 1024];
        let read = self.0.read(&mut bytes).await.map_err(|e| e.kind())?;
        Ok(String::from_utf8_lossy(&bytes[..read]).split(' ').nth(1).and_then(|s| s.parse().ok()))
    }

    async fn is_silent(&mut self) -> bool {
        tokio::time::timeout(SILENCE, self.status()).await.is_err()
    }
}

#[tokio::test]
async fn a_change_that_cuts_loses_its_own_answer_and_is_answered_once_undone() {
    let sim = start().await;
    let mut line = Line::open(&sim).await;
    line.ask("GET", "/system/identity", "").await;
    assert_eq!(line.status().await, Ok(Some(200)));
    let first = sim.world().table("/ip/firewall/filter").rows[0].id_text().unwrap();
    let rule = json!({"chain": "input", "action": "drop", "src-address": "192.168.88.10", "place-before": first});
    line.ask("PUT", "/ip/firewall/filter", &rule.to_string()).await;
    assert!(line.is_silent().await);
    let found = sim.lockout();
    assert_eq!((found.open(), found.of("www").unwrap().keeps), (vec![], false));
    assert_eq!(sim.requests().len(), 2, "it was done nevertheless");
    free(&sim);
    assert_eq!(line.status().await, Ok(Some(201)));
}

#[tokio::test]
async fn open_connections_live_on_behind_a_rule_for_established_ones() {
    let sim = start().await;
    let mut old = Line::open(&sim).await;
    old.ask("GET", "/system/identity", "").await;
    assert_eq!(old.status().await, Ok(Some(200)));
    cut(&sim, "drop our network");
    let mut new = Line::open(&sim).await;
    new.ask("GET", "/system/identity", "").await;
    assert!(new.is_silent().await, "a new one gets no answer");
    old.ask("GET", "/system/identity", "").await;
    assert_eq!(old.status().await, Ok(Some(200)), "the open one does");
    free(&sim);
    assert_eq!(new.status().await, Ok(Some(200)), "who waited is served");
}

#[tokio::test]
async fn a_connection_dies_with_the_interface_it_came_by() {
    let sim = start().await;
    let mut old = Line::open(&sim).await;
    old.ask("GET", "/system/identity", "").await;
    assert_eq!(old.status().await, Ok(Some(200)));
    cut(&sim, "disable our port");
    old.ask("GET", "/system/identity", "").await;
    assert!(old.is_silent().await);
    sim.world().set("/interface/ethernet", "ether2", "disabled", "false");
    assert_eq!(old.status().await, Ok(Some(200)));
}

#[tokio::test]
async fn a_service_that_is_off_or_elsewhere_resets_and_one_for_others_hangs_up() {
    let sim = start().await;
    for (name, value) in [("disabled", "true"), ("port", "8080")] {
        let before = sim.world().find("/ip/service", "www").unwrap().get(name).unwrap_or_default().to_string();
        sim.world().set("/ip/service", "www", name, value);
        let mut line = Line::open(&sim).await;
        assert_eq!(line.status().await, Err(ErrorKind::ConnectionReset), "{name}={value}");
        sim.world().set("/ip/service", "www", name, &before);
    }
    sim.world().set("/ip/service", "www", "address", "203.0.113.0/24");
    assert_eq!(Line::open(&sim).await.status().await, Ok(None));
    sim.world().set("/ip/service", "www", "address", "");
    let mut line = Line::open(&sim).await;
    line.ask("GET", "/system/identity", "").await;
    assert_eq!(line.status().await, Ok(Some(200)), "all is as it was");
}

#[tokio::test]
async fn a_service_can_be_changed_over_its_own_open_connection() {
    let sim = start().await;
    let id = sim.world().find("/ip/service", "www").unwrap().id_text().unwrap();
    let mut line = Line::open(&sim).await;
    line.ask("PATCH", &format!("/ip/service/{id}"), &json!({"disabled": "true"}).to_string()).await;
    assert_eq!(line.status().await, Ok(Some(200)), "the open connection still answers");
    assert_eq!(Line::open(&sim).await.status().await, Err(ErrorKind::ConnectionReset));
}

#[tokio::test]
async fn tls_without_a_certificate_fails_in_the_handshake() {
    let sim = start().await;
    cut(&sim, "take the certificate of www-ssl");
    let mut stream = TcpStream::connect(("127.0.0.1", sim.https_port())).await.unwrap();
    let mut alert = Vec::new();
    stream.read_to_end(&mut alert).await.unwrap();
    assert_eq!(alert, [0x15, 3, 3, 0, 2, 2, 40], "handshake_failure");
    assert!(!sim.lockout().is_open("www-ssl") && sim.lockout().is_open("www"));
}

#[tokio::test]
async fn ssh_is_held_and_reset_like_rest() {
    let sim = start().await;
    let old = sim_ssh::admin(&sim).await;
    cut(&sim, "drop our network");
    assert!(tokio::time::timeout(SILENCE, sim_ssh::connect(&sim)).await.is_err(), "a new session gets no answer");
    let (out, ..) = sim_ssh::run(&old, ":put alive").await;
    assert_eq!(out, b"alive\r\n", "an open one works");
    free(&sim);
    cut(&sim, "disable ssh");
    assert!(sim_ssh::connect(&sim).await.is_err());
    assert_eq!(sim.lockout().reasons().iter().filter(|r| r.starts_with("ssh: ")).count(), 1);
}

#[tokio::test]
async fn stations_that_gave_up_leave_nothing_behind() {
    let sim = start().await;
    cut(&sim, "drop our network");
    let mut line = Line::open(&sim).await;
    line.ask("GET", "/system/identity", "").await;
    assert!(line.is_silent().await);
    assert_eq!(sim.faults().connections().now(), 1);
    drop(line);
    until(|| sim.faults().connections().now() == 0).await;
    assert!(sim.requests().is_empty(), "it never came through");
}
