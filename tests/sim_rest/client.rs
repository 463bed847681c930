//! A client of a few lines over a socket: a test that used ours would only show that the two agree.

use routeros_mcp::sim::profiles::Profile;
use routeros_mcp::sim::{Credential, Options, Sim};
use serde_json::Value;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

/// What came back: status, head in lower case, body.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&self.body)))
    }

    pub(crate) fn detail(&self) -> String {
        self.json()["detail"].as_str().unwrap_or_default().to_string()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|l| l.strip_prefix(&format!("{name}: ")))
    }
}

pub(crate) async fn sim(profile: Profile) -> Sim {
    Sim::start(Options::new(profile, "")).await.unwrap()
}

pub(crate) fn request(method: &str, path: &str, who: Option<&Credential>, body: Option<&str>) -> String {
    let login = who.map_or(String::new(), |c| {
        let code = data_encoding::BASE64.encode(format!("{}:{}", c.user, c.password.expose()).as_bytes());
        format!("Authorization: Basic {code}\r\n")
    });
    let body = body.map_or("\r\n".to_string(), |b| format!("Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{b}", b.len()));
    format!("{method} /rest{path} HTTP/1.1\r\nHost: router\r\n{login}Connection: close\r\n{body}")
}

pub(crate) async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, text: &str) -> Option<Reply> {
    stream.write_all(text.as_bytes()).await.ok()?;
    let mut bytes = Vec::new();
    drop(stream.read_to_end(&mut bytes).await);
    let split = bytes.windows(4).position(|w| w == b"\r\n\r\n")?;
    let head = String::from_utf8(bytes[..split].to_vec()).unwrap().to_lowercase();
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let mut body = bytes[split + 4..].to_vec();
    if head.contains("transfer-encoding: chunked") {
        body = unchunk(&body);
    }
    Some(Reply { status, head, body })
}

fn unchunk(mut rest: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(line) = rest.windows(2).position(|w| w == b"\r\n") {
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..line]).unwrap().trim(), 16).unwrap();
        if size == 0 {
            break;
        }
        body.extend(&rest[line + 2..line + 2 + size]);
        rest = &rest[line + 4 + size..];
    }
    body
}

pub(crate) async fn raw(sim: &Sim, text: &str) -> Option<Reply> {
    let stream = TcpStream::connect(("127.0.0.1", sim.http_port())).await.ok()?;
    tokio::time::timeout(Duration::from_secs(20), exchange(stream, text)).await.expect("an answer within 20 s")
}

pub(crate) async fn call(sim: &Sim, who: &Credential, method: &str, path: &str, body: Option<Value>) -> Reply {
    let body = body.map(|b| b.to_string());
    raw(sim, &request(method, path, Some(who), body.as_deref())).await.expect("an answer")
}

pub(crate) async fn admin(sim: &Sim, method: &str, path: &str, body: Option<Value>) -> Reply {
    call(sim, &sim.credentials().admin, method, path, body).await
}

/// What comes of it. A broken router must not hang the test.
pub(crate) async fn in_time<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), work).await.expect("an answer within 30 s")
}

/// Waits until that holds. A router under load may be slow; one that never gets there must not hang the test.
pub(crate) async fn until(holds: impl Fn() -> bool) {
    let wait = async {
        while !holds() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), wait).await.expect("it holds within 30 s");
}

pub(crate) fn names(rows: &Value) -> Vec<&str> {
    rows.as_array().unwrap().iter().filter_map(|r| r["name"].as_str()).collect()
}
