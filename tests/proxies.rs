//! Behind the proxies whose configuration we ship: the very files, with ports and paths of this machine.

use crate::acme_real::pebble::{certify, until};
use crate::http_rig::{Answer, JSON, PATIENCE, Web, call, hello, in_session, request, talk};
use crate::site::Site;
use crate::surroundings::{free_port, program};
use routeros_mcp::access::Role;
use routeros_mcp::base::events::Event;
use routeros_mcp::routeros::pin;
use routeros_mcp::sim::profiles::Profile;
use rustls::pki_types::ServerName;
use serde_json::json;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWriteExt, BufReader};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::client::TlsStream;

/// Where strangers come from: another address than the proxy's, which we trust.
const OUTSIDE: &str = "127.0.0.2:0";

/// A proxy, ended with this.
struct Proxy {
    child: Child,
    plain: u16,
    tls: u16,
    dir: tempfile::TempDir,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = rustix::process::kill_process(rustix::process::Pid::from_child(&self.child), rustix::process::Signal::TERM);
        let _ = self.child.wait();
    }
}

fn shipped(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/deploy").join(name)).unwrap()
}

/// Replaces what differs on this machine, each of which must be there.
fn fitted(text: String, changes: &[(&str, &str)]) -> String {
    changes.iter().fold(text, |text, (from, to)| {
        assert!(text.contains(from), "no {from:?} in the file we ship");
        text.replace(from, to)
    })
}

/// A site behind a proxy that is started by `start`, given our port.
async fn behind(start: impl FnOnce(u16) -> Proxy) -> (Web, Proxy) {
    let flags = [
        ("mcp.transport", "http"),
        ("mcp.http_port", "0"),
        ("http.behind_proxy", "true"),
        ("http.trusted_proxies", "127.0.0.1"),
        ("http.public_url", "https://mcp.example.com"),
        ("sse.update_batch_interval_seconds", "0.1"),
    ];
    let web = Web::over(Site::of(&[Profile::HomeAp], &flags).await).await;
    let mut proxy = start(web.at().port());
    until("the proxy answers", async || {
        assert!(proxy.child.try_wait().unwrap().is_none(), "{}", std::fs::read_to_string(proxy.dir.path().join("log")).unwrap());
        TcpStream::connect(("127.0.0.1", proxy.tls)).await.is_ok()
    })
    .await;
    (web, proxy)
}

fn nginx(ours: u16) -> Option<Proxy> {
    let program = program("nginx")?;
    let (dir, plain, tls) = (tempfile::tempdir().unwrap(), free_port(), free_port());
    certify(dir.path());
    let at = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let (on_plain, on_tls) = (format!("listen 127.0.0.1:{plain};"), format!("listen 127.0.0.1:{tls} ssl http2;"));
    let on_v6 = if has_v6() { format!("    listen [::1]:{tls} ssl http2;\n") } else { String::new() };
    let changes = [
        ("    listen [::]:80;\n", ""),
        ("    listen [::]:443 ssl http2;\n", on_v6.as_str()),
        ("listen 80;", on_plain.as_str()),
        ("listen 443 ssl http2;", &on_tls),
        ("server 127.0.0.1:8080;", &format!("server 127.0.0.1:{ours};")),
        ("/etc/letsencrypt/live/mcp.example.com/fullchain.pem", &at("tls.pem")),
        ("/etc/letsencrypt/live/mcp.example.com/privkey.pem", &at("tls.key")),
    ];
    std::fs::write(at("routeros-mcp.conf"), fitted(shipped("nginx/routeros-mcp.conf"), &changes)).unwrap();
    let temp = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(|kind| format!("{kind}_temp_path {};\n", at(kind))).concat();
    let main = format!(
        "daemon off;\nmaster_process off;\nworker_processes 1;\npid {};\nerror_log stderr warn;\nevents {{}}\nhttp {{\naccess_log off;\n{temp}include {};\n}}\n",
        at("pid"),
        at("routeros-mcp.conf")
    );
    std::fs::write(at("nginx.conf"), main).unwrap();
    let mut command = Command::new(program);
    command.args(["-p", dir.path().to_str().unwrap(), "-c", &at("nginx.conf")]);
    Some(run(command, dir, plain, tls))
}

fn haproxy(ours: u16) -> Option<Proxy> {
    let program = program("haproxy")?;
    let (dir, plain, tls) = (tempfile::tempdir().unwrap(), free_port(), free_port());
    certify(dir.path());
    let at = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let both = ["tls.pem", "tls.key"].map(|name| std::fs::read_to_string(at(name)).unwrap()).concat();
    std::fs::write(at("both.pem"), both).unwrap();
    let changes = [
        ("bind :80\n", format!("bind 127.0.0.1:{plain}\n")),
        ("    bind [::]:80 v6only\n", String::new()),
        ("[::]:443", format!("{}:{tls}", if has_v6() { "[::1]" } else { "127.0.0.3" })),
        (" v6only", String::new()),
        ("bind :443 ssl", format!("bind 127.0.0.1:{tls} ssl")),
        ("/etc/haproxy/certs/mcp.example.com.pem", at("both.pem")),
        ("server box 127.0.0.1:8080", format!("server box 127.0.0.1:{ours}")),
    ];
    let changes: Vec<(&str, &str)> = changes.iter().map(|(from, to)| (*from, to.as_str())).collect();
    std::fs::write(at("haproxy.cfg"), fitted(shipped("haproxy/haproxy.cfg"), &changes)).unwrap();
    let mut check = Command::new(&program);
    let checked = check.args(["-c", "-f", &at("haproxy.cfg")]).output().unwrap();
    let words = String::from_utf8_lossy(&checked.stderr).into_owned();
    assert!(checked.status.success() && !words.contains("WARNING"), "{words}");
    let mut command = Command::new(program);
    command.args(["-db", "-f", &at("haproxy.cfg")]);
    Some(run(command, dir, plain, tls))
}

fn run(mut command: Command, dir: tempfile::TempDir, plain: u16, tls: u16) -> Proxy {
    let log = std::fs::File::create(dir.path().join("log")).unwrap();
    let child = command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
    Proxy { child, plain, tls, dir }
}

/// Whether this machine speaks IPv6 at all; containers often do not.
fn has_v6() -> bool {
    let has = std::net::TcpListener::bind("[::1]:0").is_ok();
    if !has {
        eprintln!("ABSENT: there is no IPv6 here: proxies were asked over IPv4 alone");
    }
    has
}

/// A connection to the proxy from outside.
async fn from_outside(proxy: &Proxy) -> TlsStream<TcpStream> {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(OUTSIDE.parse().unwrap()).unwrap();
    shaken(socket.connect(SocketAddr::from(([127, 0, 0, 1], proxy.tls))).await.unwrap()).await
}

async fn shaken(stream: TcpStream) -> TlsStream<TcpStream> {
    let mut config = pin::client_config(pin::Trust::Off, &pin::Roots::default()).unwrap();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    tokio_rustls::TlsConnector::from(Arc::new(config)).connect(ServerName::try_from("localhost").unwrap(), stream).await.unwrap()
}

async fn ask(proxy: &Proxy, method: &str, path: &str, headers: &str, body: &str) -> Answer {
    let headers = format!("Host: mcp.example.com\r\n{headers}");
    talk(from_outside(proxy).await, request(method, path, &headers, body).as_bytes()).await
}

/// Reads lines up to one that holds the text.
async fn until_line(stream: &mut (impl AsyncRead + Unpin), text: &str) -> String {
    let mut lines = BufReader::new(stream).lines();
    let read = async {
        while let Some(line) = lines.next_line().await.unwrap() {
            if line.contains(text) {
                return line;
            }
        }
        panic!("the stream ended before {text:?}")
    };
    tokio::time::timeout(PATIENCE, read).await.unwrap_or_else(|_| panic!("no {text:?} in time"))
}

/// What a client sends that wants to be somebody else.
const SPOOFED: &str =
    "X-Forwarded-For: 203.0.113.66\r\nX-Forwarded-Proto: http\r\nForwarded: for=203.0.113.66;proto=http\r\nX-Real-IP: 203.0.113.66\r\n";

async fn works_behind(start: impl FnOnce(u16) -> Proxy) {
    let (web, proxy) = behind(start).await;
    let token = web.token(Role::ReadOnly).await;
    let auth = format!("{JSON}Authorization: Bearer {token}\r\n{SPOOFED}");

    let begun = ask(&proxy, "POST", "/mcp", &auth, &hello("2025-11-25").to_string()).await;
    assert_eq!((begun.status, begun.header("strict-transport-security")), (200, Some("max-age=31536000")), "{begun:?}");
    let session = in_session(begun.header("mcp-session-id").unwrap());
    let told = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    assert_eq!(ask(&proxy, "POST", "/mcp", &format!("{auth}{session}"), &told.to_string()).await.status, 202);
    let overview = call("system.get_overview", json!({"device": "home-ap"})).to_string();
    let called = ask(&proxy, "POST", "/mcp", &format!("{auth}{session}"), &overview).await.message();
    assert_eq!(called["result"]["isError"], false, "{called}");

    // A stream that stays open, and hears of a change as soon as there is one.
    let mut stream = from_outside(&proxy).await;
    let head = format!(
        "GET /mcp HTTP/1.1\r\nHost: mcp.example.com\r\nAccept: text/event-stream\r\nAuthorization: Bearer {token}\r\n{session}\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    assert!(until_line(&mut stream, "HTTP/1.1").await.contains("200"));
    let subscribe = json!({"jsonrpc": "2.0", "id": 9, "method": "resources/subscribe", "params": {"uri": "device://home-ap/health"}});
    let subscribed = ask(&proxy, "POST", "/mcp", &format!("{auth}{session}"), &subscribe.to_string()).await.message();
    assert!(subscribed["result"].is_object(), "{subscribed}");
    web.site.app.dispatch.world().fleet.bus().tell(Event::Health(web.site.device("home-ap").id.clone()));
    let event = until_line(&mut stream, "notifications/resources/updated").await;
    assert!(event.contains("device://home-ap/health"), "{event}");

    // Plain HTTP is sent on, and health is to be had without a name.
    let plain = TcpStream::connect(("127.0.0.1", proxy.plain)).await.unwrap();
    let sent_on = talk(plain, request("GET", "/mcp", "Host: mcp.example.com\r\n", "").as_bytes()).await;
    assert_eq!((sent_on.status, sent_on.header("location")), (308, Some("https://mcp.example.com/mcp")), "{sent_on:?}");
    let metadata = ask(&proxy, "GET", "/.well-known/oauth-protected-resource", "", "").await;
    assert_eq!(metadata.message()["resource"], "https://mcp.example.com/mcp");
    assert_eq!(ask(&proxy, "GET", "/mcp", "Host: evil.example\r\n", "").await.status / 100, 4);

    let has_v6 = has_v6();
    if has_v6 {
        let stream = shaken(TcpStream::connect(("::1", proxy.tls)).await.unwrap()).await;
        let headers = format!("Host: mcp.example.com\r\n{auth}");
        let answer = talk(stream, request("POST", "/mcp", &headers, &hello("2025-11-25").to_string()).as_bytes()).await;
        let session = in_session(answer.header("mcp-session-id").unwrap_or_else(|| panic!("{answer:?}")));
        let stream = shaken(TcpStream::connect(("::1", proxy.tls)).await.unwrap()).await;
        let body = call("device.list", json!({})).to_string();
        let answer = talk(stream, request("POST", "/mcp", &format!("{headers}{session}"), &body).as_bytes()).await;
        assert_eq!(answer.message()["result"]["isError"], false, "{answer:?}");
    }
    drop(proxy);
    let dir = web.site.close().await;
    let trail =
        crate::cli_rig::files(&dir.path().join("state/audit")).iter().map(|file| std::fs::read(file).unwrap()).collect::<Vec<_>>().concat();
    let holds = |text: &str| trail.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(holds("127.0.0.2"), "the trail has the real client");
    assert!(!has_v6 || holds("\u{3}::1"), "over IPv6 as well");
    assert!(!holds("203.0.113.66"), "and not whom it claimed to be");
}

#[tokio::test]
async fn nginx_as_shipped_carries_calls_and_streams_and_lets_nobody_be_another() {
    if program("nginx").is_some() {
        works_behind(|ours| nginx(ours).unwrap()).await;
    }
}

#[tokio::test]
async fn haproxy_as_shipped_carries_calls_and_streams_and_lets_nobody_be_another() {
    if program("haproxy").is_some() {
        works_behind(|ours| haproxy(ours).unwrap()).await;
    }
}

#[test]
fn the_tunnel_example_is_yaml_that_points_at_us() {
    let shipped: serde_json::Value = serde_saphyr::from_str(&shipped("cloudflared/config.yml")).unwrap();
    assert_eq!(shipped["ingress"][0]["service"], "http://127.0.0.1:8080");
    assert_eq!(shipped["ingress"][1]["service"], "http_status:404", "whatever else is asked for there");
}

/// Straight to the listener, as a proxy and as somebody who only says so.
#[tokio::test]
async fn only_a_trusted_proxy_is_believed_about_the_client_and_its_scheme() {
    let flags = [("http.behind_proxy", "true"), ("http.trusted_proxies", "127.0.0.1")];
    let web = Web::open(&flags).await;
    let is_https = async |from: &str, headers: &str| {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(from.parse().unwrap()).unwrap();
        let stream = socket.connect(web.at()).await.unwrap();
        let answer = talk(stream, request("GET", "/.well-known/oauth-protected-resource", headers, "").as_bytes()).await;
        (answer.status, answer.header("strict-transport-security").is_some(), answer.message()["resource"].as_str().map(str::to_owned))
    };
    let at = |scheme: &str| Some(format!("{scheme}://localhost/mcp"));
    let x = "X-Forwarded-For: 198.51.100.1\r\nX-Forwarded-Proto: https\r\n";
    assert_eq!(is_https("127.0.0.1:0", x).await, (200, true, at("https")));
    assert_eq!(is_https("127.0.0.1:0", "Forwarded: for=\"[2001:db8::1]\";proto=https\r\n").await, (200, true, at("https")));
    assert_eq!(is_https("127.0.0.1:0", "X-Forwarded-For: 198.51.100.1\r\n").await, (200, false, at("http")));
    assert_eq!(is_https("127.0.0.2:0", x).await, (200, false, at("http")), "it is no proxy of ours");
    let quarrel = format!("{x}Forwarded: for=127.0.0.1\r\n");
    let (status, ..) = is_https("127.0.0.1:0", &quarrel).await;
    assert_eq!(status, 400, "one of the two is the client's own");
    web.close().await;
}
