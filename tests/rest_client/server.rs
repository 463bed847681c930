//! A server of raw bytes that remembers everything it was sent.

use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// No wait in these tests is longer: a hang is a failure.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// What to do with a request.
pub enum Reply {
    /// These bytes; the connection stays.
    Bytes(Vec<u8>),
    /// These bytes, and goodbye.
    Last(Vec<u8>),
    /// These bytes, then others without end.
    Endless(Vec<u8>),
    /// Nothing, ever.
    Silence,
    /// These bytes once the test says so.
    Held(Arc<Notify>, Vec<u8>),
}

/// A request as it arrived.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Which connection, from 1.
    pub connection: usize,
    /// Request line and headers.
    pub head: String,
    pub body: String,
}

impl Seen {
    pub fn line(&self) -> &str {
        self.head.lines().next().unwrap()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().filter_map(|line| line.split_once(": ")).find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v)
    }
}

type Script = dyn Fn(&Seen) -> Reply + Send + Sync;

#[derive(Default)]
struct Log {
    seen: Mutex<Vec<Seen>>,
    /// Replies written out whole.
    replied: AtomicUsize,
    connections: AtomicUsize,
    changed: Notify,
}

/// Stops when dropped.
pub struct Server {
    pub port: u16,
    log: Arc<Log>,
    _tasks: JoinSet<()>,
}

impl Server {
    /// Plain HTTP.
    pub async fn http(script: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Server {
        Server::start(None, Arc::new(script)).await
    }

    /// HTTP in TLS.
    pub async fn https(tls: Arc<rustls::ServerConfig>, script: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Server {
        Server::start(Some(TlsAcceptor::from(tls)), Arc::new(script)).await
    }

    async fn start(tls: Option<TlsAcceptor>, script: Arc<Script>) -> Server {
        let log = Arc::new(Log::default());
        let shared = log.clone();
        let (port, tasks) = listen(move |stream| {
            let (log, script, tls) = (shared.clone(), script.clone(), tls.clone());
            async move {
                let connection = log.connections.fetch_add(1, Ordering::SeqCst) + 1;
                match tls {
                    Some(tls) => {
                        if let Ok(stream) = tls.accept(stream).await {
                            serve(stream, connection, &log, &script).await;
                        }
                    }
                    None => serve(stream, connection, &log, &script).await,
                }
            }
        })
        .await;
        Server { port, log, _tasks: tasks }
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.log.seen.lock().unwrap().clone()
    }

    pub fn connections(&self) -> usize {
        self.log.connections.load(Ordering::SeqCst)
    }

    /// Waits until that many requests have arrived whole.
    pub async fn received(&self, n: usize) -> Seen {
        self.until(|log| log.seen.lock().unwrap().get(n - 1).cloned()).await
    }

    /// Waits until that many replies have been written out.
    pub async fn replied(&self, n: usize) {
        self.until(|log| (log.replied.load(Ordering::SeqCst) >= n).then_some(())).await
    }

    async fn until<T>(&self, look: impl Fn(&Log) -> Option<T>) -> T {
        let waiting = async {
            loop {
                let changed = self.log.changed.notified();
                if let Some(found) = look(&self.log) {
                    return found;
                }
                changed.await;
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.expect("the server saw what the test waits for")
    }
}

/// A listener with a behaviour of its own for each connection.
pub async fn listen<F>(each: impl Fn(TcpStream) -> F + Send + Sync + 'static) -> (u16, JoinSet<()>)
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            connections.spawn(each(stream));
        }
    });
    (port, tasks)
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, connection: usize, log: &Log, script: &Arc<Script>) {
    let mut buffer = Vec::new();
    while let Some(seen) = request(&mut stream, &mut buffer, connection).await {
        log.seen.lock().unwrap().push(seen.clone());
        log.changed.notify_waiters();
        let (bytes, stays) = match script(&seen) {
            Reply::Bytes(bytes) => (bytes, true),
            Reply::Last(bytes) => (bytes, false),
            Reply::Held(gate, bytes) => {
                gate.notified().await;
                (bytes, true)
            }
            Reply::Silence => return std::future::pending().await,
            Reply::Endless(piece) => {
                while stream.write_all(&piece).await.is_ok() {}
                return;
            }
        };
        if stream.write_all(&bytes).await.is_err() || stream.flush().await.is_err() {
            return;
        }
        if !stays {
            let _ = stream.shutdown().await;
            return;
        }
        log.replied.fetch_add(1, Ordering::SeqCst);
        log.changed.notify_waiters();
    }
}

async fn request<S: AsyncRead + Unpin>(stream: &mut S, buffer: &mut Vec<u8>, connection: usize) -> Option<Seen> {
    let head_end = loop {
        if let Some(at) = buffer.windows(4).position(|w| w == b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(buffer[..head_end].to_vec()).unwrap();
    let mut seen = Seen { connection, head, body: String::new() };
    let length: usize = seen.header("content-length").map_or(0, |n| n.parse().unwrap());
    while buffer.len() < head_end + length {
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
    seen.body = String::from_utf8(buffer[head_end..head_end + length].to_vec()).unwrap();
    buffer.drain(..head_end + length);
    Some(seen)
}

/// An HTTP answer of RouterOS's kind.
pub fn json(status: u16, body: impl AsRef<[u8]>) -> Vec<u8> {
    answer(status, "Content-Type: application/json\r\n", body)
}

pub fn answer(status: u16, headers: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let length = if status == 204 { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
    let mut bytes = format!("HTTP/1.1 {status} X\r\n{length}{headers}\r\n").into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// RouterOS's error body.
pub fn refusal(status: u16, detail: &str) -> Vec<u8> {
    let detail = if detail.is_empty() { String::new() } else { format!("\"detail\":\"{detail}\",") };
    json(status, format!("{{{detail}\"error\":{status},\"message\":\"X\"}}"))
}
