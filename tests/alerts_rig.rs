//! Receivers of alerts, as others run them: a web server that answers as it is told, and syslog servers that read frames.

use routeros_mcp::alert::{Subject, What};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use serde_json::Value;
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, UdpSocket, UnixDatagram};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;

/// Nothing here takes longer.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// An authority of the site, and a certificate of it for `localhost`.
pub struct Authority {
    dir: tempfile::TempDir,
    pub config: Arc<ServerConfig>,
}

impl Authority {
    pub fn new() -> Authority {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let root = params.self_signed(&key).unwrap();
        let issuer = rcgen::Issuer::new(params, key);
        let own = rcgen::KeyPair::generate().unwrap();
        let leaf = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap().signed_by(&own, &issuer).unwrap();
        let dir = tempfile::tempdir().unwrap();
        for (name, pem) in [("ca.pem", root.pem()), ("leaf.pem", leaf.pem()), ("leaf.key", own.serialize_pem())] {
            std::fs::write(dir.path().join(name), pem).unwrap();
        }
        let private = PrivateKeyDer::try_from(own.serialize_der()).unwrap();
        let config = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![leaf.der().clone()], private).unwrap();
        Authority { config: Arc::new(config), dir }
    }

    pub fn file(&self) -> String {
        self.named("ca.pem")
    }

    pub fn certificate_file(&self) -> String {
        self.named("leaf.pem")
    }

    pub fn key_file(&self) -> String {
        self.named("leaf.key")
    }

    fn named(&self, name: &str) -> String {
        self.dir.path().join(name).display().to_string()
    }
}

/// One request that a receiver got.
#[derive(Debug, Clone)]
pub struct Got {
    pub head: String,
    pub body: String,
}

impl Got {
    pub fn header(&self, name: &str) -> &str {
        let found = self.head.lines().find_map(|line| line.split_once(':').filter(|(known, _)| known.eq_ignore_ascii_case(name)));
        found.map_or("", |(_, value)| value.trim())
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// How a receiver answers.
#[derive(Debug, Clone)]
pub enum Reply {
    /// With a status and headers.
    Says(String),
    /// Never.
    Hangs,
}

/// A receiver that answers 200 unless told otherwise.
pub struct Receiver {
    pub port: u16,
    got: mpsc::UnboundedReceiver<Got>,
    replies: Arc<Mutex<VecDeque<Reply>>>,
}

#[allow(clippy::disallowed_methods, reason = "a test has no shutdown to wait for")]
fn spawn(work: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(work);
}

impl Receiver {
    pub async fn plain() -> Receiver {
        Receiver::open(None).await
    }

    pub async fn open(tls: Option<Arc<ServerConfig>>) -> Receiver {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (told, got) = mpsc::unbounded_channel();
        let replies = Arc::new(Mutex::new(VecDeque::new()));
        let script = replies.clone();
        spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (told, script, tls) = (told.clone(), script.clone(), tls.clone());
                spawn(async move {
                    match tls {
                        Some(config) => {
                            if let Ok(stream) = TlsAcceptor::from(config).accept(stream).await {
                                serve(stream, told, script).await;
                            }
                        }
                        None => serve(stream, told, script).await,
                    }
                });
            }
        });
        Receiver { port, got, replies }
    }

    pub fn answers(&self, replies: &[Reply]) {
        self.replies.lock().unwrap().extend(replies.iter().cloned());
    }

    pub fn says(&self, status: &str) {
        self.answers(&[Reply::Says(status.to_owned())]);
    }

    /// The next request.
    pub async fn next(&mut self) -> Got {
        tokio::time::timeout(PATIENCE, self.got.recv()).await.expect("a request in time").unwrap()
    }

    /// Whether nothing came so far.
    pub fn is_silent(&mut self) -> bool {
        self.got.try_recv().is_err()
    }
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin, told: mpsc::UnboundedSender<Got>, script: Arc<Mutex<VecDeque<Reply>>>) {
    let mut stream = BufReader::new(stream);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if !matches!(stream.read_line(&mut head).await, Ok(n) if n > 0) {
                return;
            }
        }
        let length =
            head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:").map(str::trim).map(str::to_owned));
        let mut body = vec![0; length.and_then(|length| length.parse().ok()).unwrap_or(0)];
        stream.read_exact(&mut body).await.unwrap();
        let reply = script.lock().unwrap().pop_front();
        told.send(Got { head, body: String::from_utf8(body).unwrap() }).unwrap();
        let status = match reply {
            None => "200 OK".to_owned(),
            Some(Reply::Says(status)) => status,
            Some(Reply::Hangs) => return std::future::pending().await,
        };
        if stream.write_all(format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n").as_bytes()).await.is_err() {
            return;
        }
    }
}

/// A syslog server: what it reads, a message at a time.
pub struct Logs {
    pub url: String,
    got: mpsc::UnboundedReceiver<String>,
}

impl Logs {
    pub async fn udp() -> Logs {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let url = format!("udp://127.0.0.1:{}", socket.local_addr().unwrap().port());
        let (told, got) = mpsc::unbounded_channel();
        spawn(async move {
            let mut bytes = vec![0; 65_536];
            while let Ok(n) = socket.recv(&mut bytes).await {
                let _ = told.send(String::from_utf8(bytes[..n].to_vec()).unwrap());
            }
        });
        Logs { url, got }
    }

    pub async fn unix(path: PathBuf) -> Logs {
        let socket = UnixDatagram::bind(&path).unwrap();
        let (told, got) = mpsc::unbounded_channel();
        spawn(async move {
            let mut bytes = vec![0; 65_536];
            while let Ok(n) = socket.recv(&mut bytes).await {
                let _ = told.send(String::from_utf8(bytes[..n].to_vec()).unwrap());
            }
        });
        Logs { url: format!("unix:{}", path.display()), got }
    }

    /// Over TCP, or TLS.
    pub async fn stream(tls: Option<Arc<ServerConfig>>) -> Logs {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let url = if tls.is_some() { format!("tls://localhost:{port}") } else { format!("tcp://127.0.0.1:{port}") };
        let (told, got) = mpsc::unbounded_channel();
        spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (told, tls) = (told.clone(), tls.clone());
                spawn(async move {
                    match tls {
                        Some(config) => {
                            if let Ok(stream) = TlsAcceptor::from(config).accept(stream).await {
                                frames(stream, told).await;
                            }
                        }
                        None => frames(stream, told).await,
                    }
                });
            }
        });
        Logs { url, got }
    }

    pub async fn next(&mut self) -> String {
        tokio::time::timeout(PATIENCE, self.got.recv()).await.expect("a message in time").unwrap()
    }
}

/// Octet counting, to the letter: digits, a space, as many bytes.
async fn frames(mut stream: impl AsyncRead + Unpin, told: mpsc::UnboundedSender<String>) {
    loop {
        let mut length = 0;
        loop {
            match stream.read_u8().await {
                Ok(digit @ b'0'..=b'9') => length = length * 10 + usize::from(digit - b'0'),
                Ok(b' ') if length > 0 => break,
                Ok(other) => panic!("{other:#x} in a frame's length"),
                Err(_) => return,
            }
        }
        let mut bytes = vec![0; length];
        stream.read_exact(&mut bytes).await.unwrap();
        told.send(String::from_utf8(bytes).unwrap()).unwrap();
    }
}

/// Looks until it is so.
pub async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    let mut look = tokio::time::interval(Duration::from_millis(5));
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "not in time: {what}");
        look.tick().await;
    }
}

/// Something to tell at once, which nobody looks after but the test.
pub fn caller(n: usize) -> Subject {
    Subject::new(What::Principal, &format!("local u{n:03}"), &format!("user-{n:03}"))
}
