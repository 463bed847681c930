//! Certificates from a real authority: Pebble, which behaves like Let's Encrypt and worse.

pub mod pebble;
mod surly;

use crate::cli_rig::{Rig, says};
use crate::http_rig::{Web, request, talk};
use crate::site::Site;
use crate::surroundings::free_port;
use pebble::{Pebble, Wanted, connect, health, until};
use routeros_mcp::access::Role;
use routeros_mcp::base::clock::{Clock, Wall};
use routeros_mcp::base::fault::Kind;
use routeros_mcp::routeros::pin;
use serde_json::Value;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use surly::Surly;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// From the start of the listener to a certificate that clients trust.
const FIRST: Duration = Duration::from_secs(15);

fn flags(owned: &[(String, String)]) -> Vec<(&str, &str)> {
    owned.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect()
}

/// The same flags, one of them with another value.
fn with(mut flags: Vec<(String, String)>, key: &str, value: String) -> Vec<(String, String)> {
    flags.iter_mut().find(|(known, _)| known == key).unwrap().1 = value;
    flags
}

async fn open(pebble: &Pebble, challenge: &str) -> Web {
    Web::over(Site::bare(&flags(&pebble.flags(challenge))).await).await
}

/// What the listener is told of its authority.
fn state(web: &Web) -> Value {
    serde_json::to_value(web.listener.acme().unwrap().word).unwrap()
}

async fn certified(web: &Web) -> Duration {
    until("a certificate of the authority", async || !web.listener.is_provisional()).await
}

async fn gets_a_trusted_certificate(challenge: &str, wanted: Wanted) {
    let Some(mut pebble) = Pebble::new(wanted.clone()) else { return };
    pebble.start().await;
    let began = Instant::now();
    let web = open(&pebble, challenge).await;
    assert!(web.listener.is_provisional(), "there is one of our own first, and its fingerprint can be told");
    certified(&web).await;
    let took = began.elapsed();
    eprintln!("first certificate by {challenge}, {:?} of 100 nonces refused: {:.2} s", wanted.refused_nonces, took.as_secs_f64());
    assert!(took <= FIRST, "{took:?}\n{}", pebble.log());
    let stream = connect(pebble.tls_port, "mcp.example", pebble.root().await).await.unwrap();
    let answer = talk(stream, request("GET", "/health", "", "").as_bytes()).await;
    assert_eq!((answer.status, answer.header("strict-transport-security")), (200, Some("max-age=31536000")));
    let token = web.token(Role::ReadOnly).await;
    let known = health(pebble.tls_port, pebble.root().await, &token).await;
    let shown = &known["certificate"];
    assert_eq!((&shown["source"], &shown["self_signed"]), (&"acme".into(), &false.into()), "{known}");
    assert_eq!(Some(shown["fingerprint"].as_str().unwrap()), web.listener.fingerprint().as_deref());
    until("it says so", async || state(&web) == "good").await;
    assert_eq!(known["errors"], Value::Array(Vec::new()), "{known}");
    web.close().await;
}

#[tokio::test]
async fn a_certificate_comes_by_tls_alpn_01_within_15_s() {
    gets_a_trusted_certificate("tls-alpn-01", Wanted::default()).await;
}

#[tokio::test]
async fn a_certificate_comes_by_http_01_within_15_s() {
    gets_a_trusted_certificate("http-01", Wanted::default()).await;
}

#[tokio::test]
async fn a_certificate_comes_from_an_authority_that_refuses_nonces_as_pebble_does_by_default() {
    gets_a_trusted_certificate("tls-alpn-01", Wanted { refused_nonces: None, ..Wanted::default() }).await;
}

#[tokio::test]
async fn a_certificate_comes_even_when_two_nonces_of_five_are_refused() {
    gets_a_trusted_certificate("http-01", Wanted { refused_nonces: Some(40), ..Wanted::default() }).await;
}

#[tokio::test]
async fn a_restart_takes_the_kept_certificate_and_orders_none() {
    let Some(mut pebble) = Pebble::new(Wanted::default()) else { return };
    pebble.start().await;
    let web = open(&pebble, "tls-alpn-01").await;
    certified(&web).await;
    let (first, root) = (web.listener.fingerprint(), pebble.root().await);
    until("one order is written", async || pebble.orders() == 1).await;
    pebble.stop();
    let web = Web::over(web.site.reopened(&flags(&pebble.flags("tls-alpn-01"))).await).await;
    assert!(!web.listener.is_provisional() && web.listener.fingerprint() == first, "there from the first moment, the authority being away");
    until("it has looked", async || state(&web) == "good").await;
    connect(pebble.tls_port, "mcp.example", root.clone()).await.unwrap();
    pebble.start().await;
    let web = Web::over(web.site.reopened(&flags(&pebble.flags("tls-alpn-01"))).await).await;
    until("it has looked", async || state(&web) == "good").await;
    assert_eq!((web.listener.fingerprint(), pebble.orders()), (first.clone(), 0));
    // Other names are another certificate; until it comes, the last good one is better than our own.
    let other = with(pebble.flags("tls-alpn-01"), "acme.domains", "mcp.example,two.example".into());
    let web = Web::over(web.site.reopened(&flags(&other)).await).await;
    assert!(!web.listener.is_provisional());
    until("a certificate for both", async || web.listener.fingerprint() != first).await;
    connect(pebble.tls_port, "two.example", pebble.root().await).await.unwrap();
    web.close().await;
}

#[tokio::test]
async fn a_renewal_leaves_open_connections_alone() {
    let Some(mut pebble) = Pebble::new(Wanted { validity: Some(12), ..Wanted::default() }) else { return };
    pebble.start().await;
    let web = open(&pebble, "tls-alpn-01").await;
    certified(&web).await;
    let first = web.listener.fingerprint();
    let mut stream = connect(pebble.tls_port, "mcp.example", pebble.root().await).await.unwrap();
    let mut says_live = async || {
        stream.write_all(b"GET /health/live HTTP/1.1\r\nHost: mcp.example\r\n\r\n").await.unwrap();
        let mut said = Vec::new();
        while !said.ends_with(br#"{"status":"live"}"#) {
            said.push(stream.read_u8().await.unwrap());
        }
        said.starts_with(b"HTTP/1.1 200")
    };
    assert!(says_live().await);
    let took = until("the next certificate", async || web.listener.fingerprint() != first).await;
    eprintln!("renewed {:.1} s after the first, of 12 s", took.as_secs_f64());
    assert!(says_live().await, "the connection from before the renewal");
    let fresh = connect(pebble.tls_port, "mcp.example", pebble.root().await).await.unwrap();
    let leaf = fresh.get_ref().1.peer_certificates().unwrap()[0].clone();
    assert_eq!(Some(pin::format_fingerprint(&pin::fingerprint(&leaf))), web.listener.fingerprint());
    web.close().await;
}

#[tokio::test]
async fn an_authority_that_is_away_at_the_start_is_asked_again() {
    let Some(mut pebble) = Pebble::new(Wanted::default()) else { return };
    let web = open(&pebble, "tls-alpn-01").await;
    until("it is told", async || state(&web) == "failing").await;
    let status = web.listener.acme().unwrap();
    assert!(
        status.said.as_deref().is_some_and(|said| said.contains("does not answer") && said.contains("Connection refused")),
        "{status:?}"
    );
    assert!(status.next.is_some() && web.listener.is_provisional());
    pebble.start().await;
    eprintln!("a certificate {:.1} s after the authority came up", certified(&web).await.as_secs_f64());
    web.close().await;
}

#[tokio::test]
async fn an_authority_signed_by_nobody_we_know_is_not_asked() {
    let Some(mut pebble) = Pebble::new(Wanted::default()) else { return };
    pebble.start().await;
    let stranger = Pebble::new(Wanted::default()).unwrap();
    let wrong = with(pebble.flags("tls-alpn-01"), "acme.ca_file", stranger.ca_file());
    let web = Web::over(Site::bare(&flags(&wrong)).await).await;
    until("it is told", async || state(&web) == "failing").await;
    let said = web.listener.acme().unwrap().said.unwrap();
    assert!(said.contains("is not trusted"), "{said}");
    assert!(web.listener.is_provisional() && pebble.orders() == 0);
    web.close().await;
    let none = with(pebble.flags("tls-alpn-01"), "acme.ca_file", "/nonexistent.pem".into());
    let site = Site::bare(&flags(&none)).await;
    let fault = site.app.listen().await.map(|_| ()).unwrap_err();
    assert!(fault.kind == Kind::Config && fault.said.contains("acme.ca_file"), "{fault:?}");
    site.close().await;
}

#[tokio::test]
async fn a_name_that_leads_elsewhere_and_an_authority_with_closed_doors_are_told() {
    let Some(mut pebble) = Pebble::new(Wanted::default()) else { return };
    pebble.start().await;
    // Another port than the one it looks at.
    let flags_elsewhere = with(pebble.flags("tls-alpn-01"), "mcp.http_port", "0".into());
    let web = Web::over(Site::bare(&flags(&flags_elsewhere)).await).await;
    until("it is told", async || state(&web) == "failing").await;
    let status = web.listener.acme().unwrap();
    assert!(status.said.as_deref().is_some_and(|said| said.contains("could not check mcp.example")), "{status:?}");
    web.close().await;
    let mut closed = Pebble::new(Wanted { external_accounts: true, ..Wanted::default() }).unwrap();
    closed.start().await;
    let web = open(&closed, "tls-alpn-01").await;
    until("it is told", async || state(&web) == "failing").await;
    let said = web.listener.acme().unwrap().said.unwrap();
    assert!(said.contains("externalAccountRequired"), "{said}");
    web.close().await;
}

#[tokio::test]
async fn an_authority_that_limits_or_misleads_us_is_told_in_log_and_health_and_not_pressed() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let limited =
        r#"{"type":"urn:ietf:params:acme:error:rateLimited","detail":"too many certificates already issued for \"mcp.example\""}"#;
    let nonce = r#"{"type":"urn:ietf:params:acme:error:badNonce","detail":"stale"}"#;
    for (host, status, problem, said, orders, least) in [
        ("https://127.0.0.1", 429, limited, "limits how often it may be asked: too many certificates already issued", 1, 3_600),
        ("https://127.0.0.1", 503, "<html>later</html>", "does not answer: the order: HTTP status 503", 1, 3),
        ("https://127.0.0.1", 400, nonce, "refused one nonce after another", 15, 1),
        ("http://127.0.0.1", 200, "", "names an address that is not called: http://127.0.0.1", 0, 60),
        ("https://169.254.169.254", 200, "", "names an address that is not called: https://169.254.169.254", 0, 60),
    ] {
        let surly = Surly::start(host, status, problem).await;
        let web = Web::over(Site::bare(&flags(&surly.flags())).await).await;
        let now = web.now().0;
        until("it is told", async || state(&web) == "failing").await;
        let told = web.listener.acme().unwrap();
        assert!(told.said.as_deref().is_some_and(|told| told.contains(said)), "{told:?}");
        assert_eq!(surly.orders.load(Ordering::Relaxed), orders, "{said}");
        assert!(told.next.unwrap().0 >= now + least * 1_000, "{told:?}");
        let token = web.token(Role::ReadOnly).await;
        let root = web.listener.certificate().unwrap();
        let stream = connect(web.at().port(), "localhost", root).await.unwrap();
        let health = talk(stream, request("GET", "/health", &format!("Authorization: Bearer {token}\r\n"), "").as_bytes()).await.message();
        assert!(health["errors"][0].as_str().unwrap().contains(said), "{health}");
        assert_eq!(
            (&health["certificate"]["acme"]["state"], &health["certificate"]["self_signed"]),
            (&"failing".into(), &true.into()),
            "{health}"
        );
        web.close().await;
    }
}

#[tokio::test]
async fn the_last_good_certificate_stays_in_use_past_its_end() {
    let Some(mut pebble) = Pebble::new(Wanted { validity: Some(6), ..Wanted::default() }) else { return };
    pebble.start().await;
    let web = open(&pebble, "tls-alpn-01").await;
    certified(&web).await;
    let (last, token) = (web.listener.fingerprint(), web.token(Role::ReadOnly).await);
    pebble.stop();
    let errors = async || {
        let config = pin::client_config(pin::Trust::Off, &pin::Roots::default()).unwrap();
        let stream = tokio::net::TcpStream::connect(web.at()).await.unwrap();
        let name = rustls::pki_types::ServerName::try_from("mcp.example").unwrap();
        let stream = tokio_rustls::TlsConnector::from(std::sync::Arc::new(config)).connect(name, stream).await.unwrap();
        talk(stream, request("GET", "/health", &format!("Authorization: Bearer {token}\r\n"), "").as_bytes()).await.message()["errors"]
            .to_string()
    };
    until("it has ended, and is told", async || errors().await.contains("the certificate in use has ended")).await;
    let told = errors().await;
    assert!(told.contains("does not answer"), "{told}");
    assert_eq!(web.listener.fingerprint(), last);
    // Nor does a restart take it away.
    let web = Web::over(web.site.reopened(&flags(&pebble.flags("tls-alpn-01"))).await).await;
    assert_eq!(web.listener.fingerprint(), last);
    web.close().await;
}

#[tokio::test]
async fn an_authority_that_is_sent_on_to_https_finds_the_text_there() {
    let Some(mut pebble) = Pebble::new(Wanted::default()) else { return };
    pebble.start().await;
    // Another web server has port 80, and knows nothing but redirects.
    let other = tokio::net::TcpListener::bind(("127.0.0.1", pebble.http_port)).await.unwrap();
    let flags_beside = with(pebble.flags("http-01"), "acme.http_port", free_port().to_string());
    let web = Web::over(Site::bare(&flags(&flags_beside)).await).await;
    let port = pebble.tls_port;
    let server = web.site.app.tasks.spawn(async move {
        loop {
            let (mut stream, _) = other.accept().await.unwrap();
            let mut head = [0; 1_024];
            let length = stream.read(&mut head).await.unwrap();
            let path = String::from_utf8_lossy(&head[..length]).split(' ').nth(1).unwrap_or("/").to_owned();
            let answer = format!(
                "HTTP/1.1 302 Found\r\nLocation: https://mcp.example:{port}{path}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            );
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    certified(&web).await;
    server.abort();
    web.close().await;
}

#[tokio::test]
async fn a_clock_in_1970_is_waited_for() {
    let surly = Surly::start("https://127.0.0.1", 503, "").await;
    let (clock, hand) = Clock::by_hand(Wall(86_400_000));
    let web = Web::over(Site::bare_on(&flags(&surly.flags()), clock).await).await;
    until("it waits", async || web.listener.acme().unwrap().said.is_some()).await;
    let told = web.listener.acme().unwrap();
    assert!(told.word == "waiting" && told.said.as_deref().is_some_and(|said| said.contains("the clock says 1970-01-02")), "{told:?}");
    assert_eq!(surly.orders.load(Ordering::Relaxed), 0);
    hand.step_wall(Clock::system().wall());
    // It looks every few seconds.
    hand.advance(Duration::from_secs(60));
    until("it asks", async || surly.orders.load(Ordering::Relaxed) > 0).await;
    web.close().await;
}

#[tokio::test]
async fn a_taken_port_80_is_named() {
    let surly = Surly::start("https://127.0.0.1", 503, "").await;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let rig = surly
        .flags()
        .iter()
        .fold(Rig::new(), |rig, (key, value)| rig.with(&format!("ROUTEROS_MCP_{}", key.replace('.', "_").to_uppercase()), value));
    let rig = rig
        .with("ROUTEROS_MCP_LOG_LEVEL", "ERROR")
        .with("ROUTEROS_MCP_ACME_CHALLENGE", "http-01")
        .with("ROUTEROS_MCP_ACME_HTTP_PORT", &port);
    let fault = tokio::task::spawn_blocking(move || rig.error(&["serve"], 69)).await.unwrap();
    says(&fault["message"], &format!("cannot listen on 127.0.0.1:{port}"));
    says(&fault["hint"], "another program listens there: stop it, or set acme.http_port");
}
