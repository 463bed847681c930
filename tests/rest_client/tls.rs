//! Whom the client believes, and that nobody else learns the password.

use super::server::{PATIENCE, Reply, Seen, Server, answer, json, listen};
use super::{kind, menu, plain, rest};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use routeros_mcp::base::clock::Wall;
use routeros_mcp::base::fault::{Fault, Kind};
use routeros_mcp::routeros::pin::fingerprint;
use routeros_mcp::routeros::{Endpoint, Query, Roots, RouterError, Row, TlsTrouble, Trust, probe_is_routeros, probe_tls};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// A certificate and what a server needs to use it.
struct Identity {
    leaf: CertificateDer<'static>,
    config: Arc<rustls::ServerConfig>,
}

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, "edge\u{202e}-7");
    params.not_before = date_time_ymd(2024, 1, 1);
    params.not_after = date_time_ymd(2040, 1, 1);
    params
}

fn identity(leaf: CertificateDer<'static>, key: &KeyPair, versions: &[&'static rustls::SupportedProtocolVersion]) -> Identity {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let builder = rustls::ServerConfig::builder_with_provider(provider).with_protocol_versions(versions).unwrap();
    let config = builder.with_no_client_auth().with_single_cert(vec![leaf.clone()], key).unwrap();
    Identity { leaf, config: Arc::new(config) }
}

fn self_signed(params: CertificateParams) -> Identity {
    let key = KeyPair::generate().unwrap();
    let leaf = params.self_signed(&key).unwrap();
    identity(leaf.der().clone(), &key, rustls::ALL_VERSIONS)
}

fn secure(port: u16, trust: Trust) -> Endpoint {
    let mut endpoint = plain(port);
    endpoint.plain = false;
    endpoint.trust = trust;
    endpoint
}

fn rows_of_one(_: &Seen) -> Reply {
    Reply::Bytes(json(200, r#"[{".id":"*1"}]"#))
}

async fn read(endpoint: Endpoint) -> Result<Vec<Row>, RouterError> {
    let rest = rest(endpoint);
    tokio::time::timeout(PATIENCE, rest.print(&menu("/interface"), &Query::new())).await.expect("the client has deadlines")
}

fn trouble(error: RouterError) -> TlsTrouble {
    match error {
        RouterError::Tls { trouble, .. } => trouble,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_pinned_certificate_is_enough_whatever_its_name_and_dates() {
    let mut stale = params("elsewhere.example");
    stale.not_after = date_time_ymd(2025, 1, 1);
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let key = KeyPair::generate().unwrap();
        let leaf = stale.clone().self_signed(&key).unwrap();
        let identity = identity(leaf.der().clone(), &key, &[version]);
        let server = Server::https(identity.config.clone(), rows_of_one).await;
        let rest = rest(secure(server.port, Trust::Pin(fingerprint(&identity.leaf))));
        for _ in 0..2 {
            assert_eq!(rest.print(&menu("/interface"), &Query::new()).await.unwrap().len(), 1);
        }
        assert_eq!(server.connections(), 1);
    }
}

#[tokio::test]
async fn another_certificate_gets_no_byte_of_the_request() {
    let identity = self_signed(params("127.0.0.1"));
    let server = Server::https(identity.config.clone(), rows_of_one).await;
    let rest = rest(secure(server.port, Trust::Pin([7; 32])));
    let expected = RouterError::Pin { at: format!("127.0.0.1:{}", server.port), expected: [7; 32], presented: fingerprint(&identity.leaf) };
    for error in [
        rest.print(&menu("/interface"), &Query::new()).await.unwrap_err(),
        rest.set(&menu("/interface"), "*1", &[("comment", "x")]).await.unwrap_err(),
        probe_is_routeros(&secure(server.port, Trust::Pin([7; 32]))).await.unwrap_err(),
    ] {
        assert_eq!(error, expected);
        assert_eq!(kind(&error), Kind::Untrusted);
    }
    assert_eq!(server.connections(), 3);
    assert!(server.seen().is_empty());
}

/// The certificate is public: whoever shows it without its key must not pass as the router.
#[tokio::test]
async fn a_copied_certificate_without_its_key_is_no_router() {
    let router = self_signed(params("127.0.0.1"));
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let own = KeyPair::generate().unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let key = provider.key_provider.load_private_key(PrivateKeyDer::try_from(own.serialize_der()).unwrap()).unwrap();
        let forged = rustls::sign::CertifiedKey::new(vec![router.leaf.clone()], key);
        let builder = rustls::ServerConfig::builder_with_provider(provider).with_protocol_versions(&[version]).unwrap();
        let config = builder.with_no_client_auth().with_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(forged)));
        let server = Server::https(Arc::new(config), rows_of_one).await;
        let error = read(secure(server.port, Trust::Pin(fingerprint(&router.leaf)))).await.unwrap_err();
        assert_eq!(kind(&error), Kind::Untrusted, "{error}");
        assert!(probe_tls("127.0.0.1", server.port, PATIENCE).await.is_err());
        assert!(server.seen().is_empty());
    }
}

#[tokio::test]
async fn a_ca_is_believed_for_its_names_and_dates_only() {
    let mut ca = CertificateParams::new(Vec::new()).unwrap();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    ca.distinguished_name.push(DnType::CommonName, "test CA");
    let ca = CertifiedIssuer::self_signed(ca, KeyPair::generate().unwrap()).unwrap();
    let roots = Roots::with_pem(ca.pem().as_bytes()).unwrap();
    let issue = |params: CertificateParams| {
        let key = KeyPair::generate().unwrap();
        identity(params.signed_by(&key, &ca).unwrap().der().clone(), &key, rustls::ALL_VERSIONS)
    };
    let ask = async |identity: Identity, roots: &Roots| {
        let server = Server::https(identity.config, rows_of_one).await;
        let mut endpoint = secure(server.port, Trust::Ca);
        endpoint.roots = roots.clone();
        let outcome = read(endpoint).await;
        assert_eq!(server.seen().len(), usize::from(outcome.is_ok()));
        outcome
    };
    let mut old = params("127.0.0.1");
    old.not_after = date_time_ymd(2025, 1, 1);
    let mut early = params("127.0.0.1");
    early.not_before = date_time_ymd(2039, 1, 1);

    assert_eq!(ask(issue(params("127.0.0.1")), &roots).await.unwrap().len(), 1);
    for (identity, roots, why) in [
        (issue(params("127.0.0.1")), &Roots::default(), TlsTrouble::UnknownIssuer),
        (self_signed(params("127.0.0.1")), &roots, TlsTrouble::UnknownIssuer),
        (issue(params("192.0.2.1")), &roots, TlsTrouble::WrongName),
        (issue(old), &roots, TlsTrouble::Expired),
        (issue(early), &roots, TlsTrouble::NotYetValid),
    ] {
        let error = ask(identity, roots).await.unwrap_err();
        assert_eq!(kind(&error), Kind::Untrusted);
        assert!(Fault::from(error.clone()).hint.is_some());
        assert_eq!(trouble(error), why);
    }
}

#[tokio::test]
async fn the_probe_shows_the_certificate_and_sends_nothing() {
    let identity = self_signed(params("127.0.0.1"));
    let server = Server::https(identity.config.clone(), rows_of_one).await;
    let shown = probe_tls("127.0.0.1", server.port, PATIENCE).await.unwrap();
    assert_eq!(shown.sha256, fingerprint(&identity.leaf));
    assert_eq!(shown.not_after, Wall::parse("2040-01-01"));
    assert_eq!(shown.subject, "CN=edge-7", "characters that hide are taken out");
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn plain_http_on_the_tls_port_is_told() {
    let (port, _tasks) = listen(|mut stream| async move {
        let mut hello = [0; 64];
        let _ = stream.read(&mut hello).await;
        let _ = stream.write_all(&answer(400, "Content-Type: text/html\r\n", "<html>bad request</html>")).await;
        let _ = stream.shutdown().await;
        // Reads what is left, or closing would reset the connection before the answer is read.
        let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
    })
    .await;
    let at = format!("127.0.0.1:{port}");
    assert_eq!(read(secure(port, Trust::Off)).await, Err(RouterError::PlainOnTls { at: at.clone() }));
    let error = probe_tls("127.0.0.1", port, PATIENCE).await.unwrap_err();
    assert_eq!(error, RouterError::PlainOnTls { at });
    assert!(Fault::from(error).hint.unwrap().contains("www-ssl"));
}

#[tokio::test]
async fn tls_on_the_plain_port_is_told() {
    let (port, _tasks) = listen(|mut stream| async move {
        let mut request = [0; 4096];
        let _ = stream.read(&mut request).await;
        // A fatal alert, unexpected_message, in TLS 1.2 framing.
        let _ = stream.write_all(&[21, 3, 3, 0, 2, 2, 10]).await;
        let _ = stream.shutdown().await;
    })
    .await;
    let error = read(plain(port)).await.unwrap_err();
    assert_eq!(error, RouterError::TlsOnPlain { at: format!("127.0.0.1:{port}") });
    assert_eq!(kind(&error), Kind::Unreachable);
}

/// www-ssl without a certificate offers anonymous ciphers only, and refuses everybody else.
#[tokio::test]
async fn a_service_without_certificate_is_told() {
    let (port, _tasks) = listen(|mut stream| async move {
        let mut hello = [0; 4096];
        let _ = stream.read(&mut hello).await;
        let _ = stream.write_all(&[21, 3, 3, 0, 2, 2, 40]).await;
        let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
    })
    .await;
    for error in [read(secure(port, Trust::Off)).await.unwrap_err(), probe_tls("127.0.0.1", port, PATIENCE).await.unwrap_err()] {
        let fault = Fault::from(error.clone());
        assert_eq!(fault.kind, Kind::Unreachable);
        assert!(fault.hint.unwrap().contains("certificate=NAME"));
        assert!(matches!(trouble(error), TlsTrouble::Refused(_)));
    }
}

#[tokio::test]
async fn hanging_up_and_silence_in_the_handshake_are_told_apart() {
    let (port, _tasks) = listen(|mut stream| async move {
        let mut hello = [0; 4096];
        let _ = stream.read(&mut hello).await;
    })
    .await;
    assert_eq!(trouble(read(secure(port, Trust::Off)).await.unwrap_err()), TlsTrouble::ClosedEarly);
    assert_eq!(trouble(probe_tls("127.0.0.1", port, PATIENCE).await.unwrap_err()), TlsTrouble::ClosedEarly);

    let (port, _tasks) = listen(|stream| async move {
        let _open = stream;
        std::future::pending::<()>().await;
    })
    .await;
    let mut endpoint = secure(port, Trust::Off);
    endpoint.connect_timeout = Duration::from_millis(100);
    let spoken = format!("no answer from 127.0.0.1:{port} within 100ms (opening the connection)");
    assert_eq!(read(endpoint).await.unwrap_err().to_string(), spoken);
    assert_eq!(probe_tls("127.0.0.1", port, Duration::from_millis(100)).await.unwrap_err().to_string(), spoken);
}

#[tokio::test]
async fn only_routeros_passes_the_question_without_a_login() {
    let unauthorized = r#"{"error":401,"message":"Unauthorized"}"#;
    let html = "Content-Type: text/html\r\n";
    for (reply, passes) in [
        (answer(401, "WWW-Authenticate: Basic realm=\"RouterOS REST\"\r\n", unauthorized), true),
        (json(401, unauthorized), true),
        (json(400, r#"{"detail":"no such command","error":400,"message":"Bad Request"}"#), true),
        (answer(401, "WWW-Authenticate: Digest realm=\"x\"\r\n", "<html>"), false),
        (answer(200, html, "<html>welcome</html>"), false),
        (answer(404, html, "<html>nginx</html>"), false),
        (answer(302, "Location: /login\r\n", ""), false),
        (json(200, "{}"), false),
    ] {
        let identity = self_signed(params("127.0.0.1"));
        let server = Server::https(identity.config.clone(), move |_| Reply::Bytes(reply.clone())).await;
        let endpoint = secure(server.port, Trust::Pin(fingerprint(&identity.leaf)));
        let outcome = probe_is_routeros(&endpoint).await;
        let seen = server.seen().pop().unwrap();
        assert_eq!(seen.line(), "GET /rest/system/resource HTTP/1.1");
        assert_eq!(seen.header("authorization"), None);
        assert!(!seen.head.contains("mcp:") && !seen.head.contains("hunter2"));
        match outcome {
            Ok(()) => assert!(passes),
            Err(error) => assert!(!passes && matches!(error, RouterError::NotRouterOs { .. }), "{error}"),
        }
    }
}

/// What does not speak HTTP behind TLS, e.g. the API's port 8729.
#[tokio::test]
async fn another_protocol_inside_tls_is_told() {
    let identity = self_signed(params("127.0.0.1"));
    let server = Server::https(identity.config.clone(), |_| Reply::Last(b"\x06!fatal\x0dnot logged in\x00\x00\x00".to_vec())).await;
    let error = probe_is_routeros(&secure(server.port, Trust::Off)).await.unwrap_err();
    assert!(matches!(error, RouterError::NotRouterOs { .. }), "{error}");
}

#[tokio::test]
async fn without_trust_in_tls_the_request_still_goes_encrypted() {
    let wire = Arc::new(Mutex::new(Vec::new()));
    let copy = wire.clone();
    let identity = self_signed(params("127.0.0.1"));
    let server = Server::https(identity.config.clone(), rows_of_one).await;
    let target = server.port;
    let (port, _tasks) = listen(move |mut near| {
        let copy = copy.clone();
        async move {
            let far = tokio::net::TcpStream::connect(("127.0.0.1", target)).await.unwrap();
            let (mut from_far, mut to_far) = far.into_split();
            let (mut from_near, mut to_near) = near.split();
            let up = async {
                let mut piece = [0; 4096];
                while let Ok(n @ 1..) = from_near.read(&mut piece).await {
                    copy.lock().unwrap().extend_from_slice(&piece[..n]);
                    if to_far.write_all(&piece[..n]).await.is_err() {
                        return;
                    }
                }
            };
            let _ = tokio::join!(up, tokio::io::copy(&mut from_far, &mut to_near));
        }
    })
    .await;
    assert_eq!(read(secure(port, Trust::Off)).await.unwrap().len(), 1);
    let bytes = wire.lock().unwrap().clone();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    assert!(!bytes.is_empty() && !text.contains("Basic") && !text.contains("/rest"));
}
