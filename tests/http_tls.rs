//! TLS towards clients: which versions and ciphers, sessions taken up again, and certificates that change under way.

use crate::acme_real::pebble::until;
use crate::cli_rig::{Rig, Running, finish, says};
use crate::http_limits::{closed, over};
use crate::http_rig::{PATIENCE, Web, request, talk};
use routeros_mcp::http::limits::Limits;
use routeros_mcp::http::tls;
use routeros_mcp::routeros::pin;
use rustix::process::Signal;
use rustls::pki_types::ServerName;
use rustls::{CipherSuite, ClientConfig, HandshakeKind, ProtocolVersion, RootCertStore, SupportedProtocolVersion};
use std::net::SocketAddr;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

/// What we speak: forward secrecy and authenticated encryption, nothing else.
const SUITES: [CipherSuite; 6] = [
    CipherSuite::TLS13_AES_256_GCM_SHA384,
    CipherSuite::TLS13_AES_128_GCM_SHA256,
    CipherSuite::TLS13_CHACHA20_POLY1305_SHA256,
    CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
];

async fn shaken(at: SocketAddr, config: Arc<ClientConfig>) -> std::io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(at).await?;
    tokio_rustls::TlsConnector::from(config).connect(ServerName::try_from("localhost").unwrap(), stream).await
}

/// A client that speaks one version and trusts this listener.
fn of_version(web: &Web, version: &'static SupportedProtocolVersion) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(web.listener.certificate().unwrap()).unwrap();
    Arc::new(ClientConfig::builder_with_protocol_versions(&[version]).with_root_certificates(roots).with_no_client_auth())
}

/// The fingerprint of whatever certificate there is.
async fn shown(at: SocketAddr) -> String {
    let config = pin::client_config(pin::Trust::Off, &pin::Roots::default()).unwrap();
    let stream = shaken(at, Arc::new(config)).await.unwrap();
    pin::format_fingerprint(&pin::fingerprint(&stream.get_ref().1.peer_certificates().unwrap()[0]))
}

#[tokio::test]
async fn tls_1_2_and_1_3_are_spoken_with_modern_ciphers_and_their_sessions_are_taken_up_again() {
    let web = Web::open(&[("http.tls", "self-signed")]).await;
    for (version, number) in [(&rustls::version::TLS13, ProtocolVersion::TLSv1_3), (&rustls::version::TLS12, ProtocolVersion::TLSv1_2)] {
        let config = of_version(&web, version);
        for kind in [HandshakeKind::Full, HandshakeKind::Resumed] {
            let mut stream = shaken(web.at(), config.clone()).await.unwrap();
            let connection = stream.get_ref().1;
            assert_eq!((connection.protocol_version(), connection.handshake_kind()), (Some(number), Some(kind)));
            assert!(SUITES.contains(&connection.negotiated_cipher_suite().unwrap().suite()));
            // The ticket comes with the first bytes.
            stream.write_all(request("GET", "/health/live", "", "").as_bytes()).await.unwrap();
            let mut said = String::new();
            let _ = tokio::time::timeout(PATIENCE, stream.read_to_string(&mut said)).await.unwrap();
            assert!(said.starts_with("HTTP/1.1 200") && said.contains("strict-transport-security: max-age=31536000"), "{said}");
        }
    }
    web.close().await;
}

/// A ClientHello as clients of TLS 1.1 send it: no list of versions, and ciphers of then.
fn old_hello() -> Vec<u8> {
    let suites = [0xc0, 0x09, 0xc0, 0x13, 0xc0, 0x0a, 0xc0, 0x14, 0x00, 0x2f, 0x00, 0x35];
    let mut body = vec![0x03, 0x02];
    body.extend([7; 32]);
    body.extend([0, 0, suites.len() as u8]);
    body.extend(suites);
    body.extend([1, 0]);
    let mut hello = vec![0x16, 0x03, 0x01, 0, body.len() as u8 + 4, 1, 0, 0, body.len() as u8];
    hello.extend(body);
    hello
}

#[tokio::test]
async fn tls_1_1_and_what_is_no_tls_are_refused_with_an_alert() {
    let web = Web::open(&[("http.tls", "self-signed")]).await;
    for (what, hello) in [("TLS 1.1", old_hello()), ("plain HTTP", request("GET", "/mcp", "", "").into_bytes())] {
        let mut stream = TcpStream::connect(web.at()).await.unwrap();
        stream.write_all(&hello).await.unwrap();
        let mut said = Vec::new();
        let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut said)).await.expect("an end in time");
        assert!(said.len() == 7 && said[0] == 21, "{what}: an alert and nothing else: {said:x?}");
    }
    assert!(shaken(web.at(), of_version(&web, &rustls::version::TLS13)).await.is_ok(), "and others are served");
    web.close().await;
}

#[tokio::test]
async fn openssl_finds_nothing_old() {
    let openssl = Path::new("/usr/bin/openssl");
    if !openssl.exists() {
        eprintln!("ABSENT: openssl is not installed: nothing was tested against it");
        return;
    }
    let web = Web::open(&[("http.tls", "self-signed")]).await;
    let at = web.at().to_string();
    for (arguments, works) in [
        (&["-tls1_3"][..], true),
        (&["-tls1_2"], true),
        (&["-tls1_2", "-cipher", "ECDHE+AESGCM"], true),
        // Without @SECLEVEL=0 it would not even offer these.
        (&["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"], false),
        (&["-tls1", "-cipher", "ALL:@SECLEVEL=0"], false),
        (&["-tls1_2", "-cipher", "AES128-SHA:AES256-SHA:@SECLEVEL=0"], false),
        (&["-tls1_2", "-cipher", "ECDHE+AES:!AESGCM:!AESCCM:@SECLEVEL=0"], false),
        (&["-tls1_2", "-cipher", "DHE:!ECDHE:@SECLEVEL=0"], false),
        (&["-tls1_2", "-cipher", "aNULL:eNULL:@SECLEVEL=0"], false),
    ] {
        let mut command = Command::new(openssl);
        command.args(["s_client", "-connect", &at, "-servername", "localhost"]).args(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let done = tokio::task::spawn_blocking(move || finish(command, "")).await.unwrap();
        let cipher = done.out.lines().find(|line| line.contains("Cipher is ")).unwrap_or_default();
        assert_eq!(!cipher.is_empty() && !cipher.contains("(NONE)"), works, "{arguments:?}: {cipher} {}", done.err);
    }
    web.close().await;
}

/// A certificate for this name and its key.
fn pair(name: &str) -> [String; 2] {
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(vec![name.into()]).unwrap().self_signed(&key).unwrap();
    [certificate.pem(), key.serialize_pem()]
}

/// Puts a pair in place, each file at once, as certbot's hooks and others do.
fn place(rig: &Rig, pair: &[String; 2]) {
    for (name, text) in ["tls.crt", "tls.key"].iter().zip(pair) {
        let new = rig.file(&format!("{name}.new"), text);
        std::fs::rename(new, rig.at(name)).unwrap();
    }
}

fn with_files() -> Rig {
    let rig = Rig::new();
    let [certificate, key] = ["tls.crt", "tls.key"].map(|name| rig.at(name).to_string_lossy().into_owned());
    rig.with("ROUTEROS_MCP_HTTP_TLS", "files")
        .with("ROUTEROS_MCP_HTTP_TLS_CERT_FILE", &certificate)
        .with("ROUTEROS_MCP_HTTP_TLS_KEY_FILE", &key)
}

fn with_notify(rig: Rig) -> Rig {
    let at = rig.at("notify").to_string_lossy().into_owned();
    rig.with("NOTIFY_SOCKET", &at)
}

fn port_of(running: &Running) -> SocketAddr {
    running.ready()["http"].as_str().unwrap().rsplit('/').next().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_read_again_at_sighup_and_by_themselves_and_bad_ones_are_not_taken() {
    let rig = with_files();
    let manager = UnixDatagram::bind(rig.at("notify")).unwrap();
    manager.set_read_timeout(Some(PATIENCE)).unwrap();
    let rig = with_notify(rig);
    place(&rig, &pair("one.example"));
    let running = rig.serve();
    let at = port_of(&running);
    let hear = |what: &str| {
        let mut words = [0; 512];
        loop {
            let length = manager.recv(&mut words).unwrap();
            if String::from_utf8_lossy(&words[..length]).contains(what) {
                return;
            }
        }
    };
    // The service manager is told when it is done.
    let reload = || {
        running.signal(Signal::HUP);
        hear("RELOADING=1");
        hear("READY=1");
    };
    hear("READY=1");
    let mut open = shaken(at, Arc::new(pin::client_config(pin::Trust::Off, &pin::Roots::default()).unwrap())).await.unwrap();
    let first = shown(at).await;
    place(&rig, &pair("two.example"));
    reload();
    let second = shown(at).await;
    assert_ne!(second, first);
    // Two halves that do not belong together: the certificate in use stays.
    let [third, key] = pair("three.example");
    rig.file("tls.crt", &third);
    reload();
    assert_eq!(shown(at).await, second);
    rig.file("tls.key", &key);
    let took = until("it looks by itself", async || shown(at).await != second).await;
    eprintln!("a changed file was found without a signal after {:.1} s", took.as_secs_f64());
    let answer = talk(&mut open, request("GET", "/health/live", "", "").as_bytes()).await;
    assert_eq!(answer.status, 200, "a connection from before it all");
    let done = running.end_with(Signal::TERM);
    assert!(done.code == 0 && done.err.contains("is not the one of the certificate"), "{done:?}");
}

#[test]
fn files_that_cannot_be_used_are_told_before_anything_is_opened() {
    let rig = with_files();
    let ([one, key], [_, other]) = (pair("one.example"), pair("other.example"));
    let said = |certificate: &str, private: &str| {
        rig.file("tls.crt", certificate);
        rig.file("tls.key", private);
        rig.error(&["serve"], 78)
    };
    let fault = said(&one, &other);
    says(&fault["message"], "tls.key is not the one of the certificate in");
    says(&fault["hint"], "issued together");
    says(&said("nonsense", &key)["message"], "http.tls_cert_file");
    says(&said(&one, "nonsense")["message"], "http.tls_key_file");
    says(&said(&one, &one)["message"], "http.tls_key_file");
    std::fs::remove_file(rig.at("tls.key")).unwrap();
    let gone = rig.error(&["serve"], 78);
    says(&gone["message"], "tls.key cannot be read");
    says(&gone["hint"], "privkey.pem");
    assert!(!rig.state().join("routeros-mcp.redb").exists() || rig.json(&["device", "list"]).is_array());
}

#[test]
fn a_key_that_only_root_may_read_is_told_with_what_to_do() {
    // Root reads everything, so it has to be somebody else.
    let is_root = rustix::process::geteuid().is_root();
    let other = Path::new("/usr/bin/setpriv");
    if is_root && !other.exists() {
        eprintln!("ABSENT: setpriv is not installed, and root may read everything: nothing was tested");
        return;
    }
    use std::os::unix::fs::PermissionsExt;
    let set = |path: &Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    let rig = with_files();
    place(&rig, &pair("one.example"));
    set(&rig.at("tls.key"), if is_root { 0o600 } else { 0 });
    set(&rig.at(""), 0o777);
    let mut command = rig.command(&["--json", "serve"]);
    if is_root {
        // The program itself may lie where only root gets.
        std::fs::copy(env!("CARGO_BIN_EXE_routeros-mcp"), rig.at("program")).unwrap();
        command = Command::new(other);
        rig.prepare(&mut command);
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(rig.at("program"));
        command.arg("--data-dir").arg(rig.state()).args(["--json", "serve"]);
    }
    let fault = finish(command, "").error(78);
    says(&fault["message"], "tls.key may not be read by the user of the service");
    says(&fault["hint"], "certbot's live/ and archive/ are root's alone");
}

#[tokio::test]
async fn slow_and_half_closed_handshakes_are_let_go() {
    let brief = Duration::from_millis(300);
    let web = over(tls::Source::SelfSigned, Limits { handshake: brief, ..Limits::default() }).await;
    let mut client = rustls::ClientConnection::new(of_version(&web, &rustls::version::TLS13), "localhost".try_into().unwrap()).unwrap();
    let mut hello = Vec::new();
    client.write_tls(&mut hello).unwrap();
    for sent in [&b""[..], &hello[..3], &hello[..hello.len() / 2], &hello[..]] {
        let mut stream = TcpStream::connect(web.at()).await.unwrap();
        stream.write_all(sent).await.unwrap();
        let (took, _) = closed(stream).await;
        assert!(took < Duration::from_secs(5), "{took:?} after {} bytes", sent.len());
        let mut half = TcpStream::connect(web.at()).await.unwrap();
        half.write_all(sent).await.unwrap();
        half.shutdown().await.unwrap();
        let (took, _) = closed(half).await;
        assert!(took < Duration::from_secs(5), "half closed: {took:?} after {} bytes", sent.len());
    }
    assert!(shaken(web.at(), of_version(&web, &rustls::version::TLS13)).await.is_ok(), "others are served");
    web.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_connections_leave_those_that_were_first_and_cost_little() {
    const MANY: usize = 3_000;
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let raised = rustix::process::Rlimit { current: limit.maximum, maximum: limit.maximum };
    rustix::process::setrlimit(rustix::process::Resource::Nofile, raised).unwrap();
    let rig = Rig::new();
    let running = rig.serve();
    let at = port_of(&running);
    let before = running.status_kb("VmRSS");
    let mut held = Vec::new();
    for _ in 0..MANY {
        held.push(TcpStream::connect(at).await.unwrap());
    }
    let mut first = held.remove(0);
    first.write_all(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut said = [0; 12];
    tokio::time::timeout(PATIENCE, first.read_exact(&mut said)).await.unwrap().unwrap();
    assert_eq!(&said, b"HTTP/1.1 200");
    // Those over http.max_connections were closed at once.
    let turned_away = held.split_off(255);
    for mut stream in turned_away {
        let mut end = [0; 1];
        let read = tokio::time::timeout(PATIENCE, stream.read(&mut end)).await.expect("closed in time");
        assert!(matches!(read, Ok(0) | Err(_)), "{read:?}");
    }
    let grown = running.status_kb("VmRSS").saturating_sub(before);
    assert!(grown < 20_000, "{grown} kB for 256 idle connections");
    drop((held, first));
    let began = std::time::Instant::now();
    loop {
        let answer = talk(TcpStream::connect(at).await.unwrap(), request("GET", "/health/live", "", "").as_bytes()).await;
        if answer.status == 200 {
            break;
        }
        assert!(began.elapsed() < PATIENCE, "no room came back");
    }
}

#[test]
fn certbots_files_reach_the_service_by_the_hook_we_ship() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let rig = with_files();
    let [live, archive] = ["live/mcp.example", "archive/mcp.example"].map(|dir| {
        std::fs::create_dir_all(rig.at(dir)).unwrap();
        rig.at(dir)
    });
    for (name, text) in ["fullchain.pem", "privkey.pem"].iter().zip(pair("mcp.example")) {
        std::fs::write(archive.join(name), text).unwrap();
        symlink(format!("../../archive/mcp.example/{name}"), live.join(name)).unwrap();
    }
    let group = Command::new("id").arg("-gn").output().unwrap().stdout;
    let mut hook = Command::new("sh");
    rig.prepare(&mut hook);
    hook.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/deploy/certbot/routeros-mcp.sh"));
    // Nothing of the machine that runs the test is reloaded.
    std::fs::create_dir(rig.at("bin")).unwrap();
    rig.file("bin/systemctl", "#!/bin/sh\necho \"$@\" >>systemctl.log\n");
    std::fs::set_permissions(rig.at("bin/systemctl"), std::fs::Permissions::from_mode(0o755)).unwrap();
    hook.env("PATH", format!("{}:{}", rig.at("bin").display(), std::env::var("PATH").unwrap()));
    hook.env("RENEWED_LINEAGE", &live)
        .env("ROUTEROS_MCP_TLS_DIR", rig.at("tls"))
        .env("ROUTEROS_MCP_GROUP", String::from_utf8(group).unwrap().trim());
    let done = finish(hook, "");
    assert_eq!(done.code, 0, "{done:?}");
    let mode = |name: &str| std::fs::metadata(rig.at(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("tls"), mode("tls/privkey.pem"), mode("tls/fullchain.pem")), (0o750, 0o640, 0o640));
    assert_eq!(std::fs::read_to_string(rig.at("systemctl.log")).unwrap(), "try-reload-or-restart routeros-mcp.service\n");
    let [certificate, key] = ["tls/fullchain.pem", "tls/privkey.pem"].map(|name| rig.at(name).to_string_lossy().into_owned());
    let rig = rig.with("ROUTEROS_MCP_HTTP_TLS_CERT_FILE", &certificate).with("ROUTEROS_MCP_HTTP_TLS_KEY_FILE", &key);
    assert!(rig.serve().ready()["http"].as_str().unwrap().starts_with("https://"));
}
