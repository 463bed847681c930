//! Connections: taking them, keeping them within bounds, and letting what is in flight finish at the end.

use crate::http::ears::{BREATH, Ears};
use crate::http::forwarded::is_trusted;
use crate::http::inflow;
use crate::http::limits::network;
use crate::http::metrics::Face;
use crate::http::patience::Patient;
use crate::http::{Body, Edge, Peer};
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use std::collections::HashMap;
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

/// Between two looks at the files of a certificate, and at what is kept for nobody.
const LOOK: Duration = Duration::from_secs(10);
/// Of the drain time, kept for saying goodbye.
const GOODBYE: Duration = Duration::from_secs(1);
/// Streams of one HTTP/2 connection at one time.
const STREAMS: u32 = 100;
/// A peer on HTTP/2 that says nothing is asked whether it is there.
const PING: Duration = Duration::from_secs(30);

/// Connections by address.
type Taken = Arc<Mutex<HashMap<IpAddr, usize>>>;

/// Takes connections.
#[derive(Clone)]
pub(super) struct Door {
    edge: Arc<Edge>,
    face: Face,
    /// What is in flight is cut short.
    late: CancellationToken,
    /// Everything ends.
    end: CancellationToken,
    /// Requests without their whole answer; streams that only listen do not count.
    flight: TaskTracker,
    taken: Taken,
}

impl Door {
    /// The one for everything. It fires `late` when what is in flight takes too long, and `end` at its own.
    pub(super) fn new(edge: Arc<Edge>, late: CancellationToken, end: CancellationToken) -> Door {
        Door { edge, face: Face::All, late, end, flight: TaskTracker::new(), taken: Taken::default() }
    }

    /// One beside it, for metrics alone. Its end is its own: the other may still have requests in flight.
    pub(super) fn for_metrics(&self) -> Door {
        let (end, flight, taken) = (CancellationToken::new(), TaskTracker::new(), Taken::default());
        Door { face: Face::Metrics, end, flight, taken, ..self.clone() }
    }

    /// Takes connections until we stop, then lets what is in flight finish.
    pub(super) async fn serve(self, mut ears: Ears) {
        let mut look = tokio::time::interval(LOOK);
        // Told once it is known that we got ready: what a start fails with stands alone.
        let mut looks = 0_u64;
        loop {
            tokio::select! {
                () = self.edge.stop.cancelled() => break,
                accepted = ears.accept() => match accepted {
                    Ok((stream, address)) => self.enter(stream, address),
                    Err(error) => {
                        tracing::warn!(%error, "no connection taken");
                        tokio::time::sleep(BREATH).await;
                    }
                },
                // One of us looks after sessions and the certificate.
                _ = look.tick(), if self.face == Face::All => {
                    self.look().await;
                    looks += 1;
                    if looks == 2 {
                        self.edge.warn();
                    }
                }
            }
        }
        drop(ears);
        self.flight.close();
        let drain = self.edge.settings.drain.saturating_sub(GOODBYE);
        if tokio::time::timeout(drain, self.flight.wait()).await.is_err() {
            tracing::warn!(left = self.flight.len(), "requests still in flight at the end of the drain time");
            self.late.cancel();
            let _ = tokio::time::timeout(GOODBYE / 2, self.flight.wait()).await;
        }
        self.end.cancel();
    }

    async fn look(&self) {
        if let Some(mcp) = &self.edge.mcp {
            mcp.sweep().await;
        }
        self.edge.tell_certificate();
        let Some(tls) = self.edge.tls.as_ref().filter(|tls| tls.is_stale()) else { return };
        match tls.reload() {
            Ok(_) => tracing::info!(fingerprint = tls.fingerprint(), "certificate read again"),
            Err(fault) => tracing::error!("{}; the certificate in use stays", fault.chain()),
        }
    }

    fn enter(&self, stream: TcpStream, address: SocketAddr) {
        let Some(seat) = self.seat(address.ip().to_canonical()) else {
            tracing::debug!(%address, "connection refused: too many");
            return;
        };
        let door = self.clone();
        self.edge.tasks.spawn(async move {
            door.connection(stream, address).await;
            drop(seat);
        });
    }

    /// Room for one more connection. One address has at most half of it, unless it is a proxy or this machine.
    fn seat(&self, address: IpAddr) -> Option<Seat> {
        let most = self.edge.settings.limits.connections;
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let free = address.is_loopback() || is_trusted(address, &self.edge.settings.trusted_proxies);
        let share = if free { most } else { most.div_ceil(2) };
        let address = network(address);
        if taken.values().sum::<usize>() >= most || taken.get(&address).copied().unwrap_or(0) >= share {
            return None;
        }
        *taken.entry(address).or_default() += 1;
        Some(Seat { taken: self.taken.clone(), address })
    }

    async fn connection(&self, stream: TcpStream, address: SocketAddr) {
        let Ok(local) = stream.local_addr() else { return };
        // Answers are small and waited for.
        let _ = stream.set_nodelay(true);
        let peer = Peer { address, local, face: self.face };
        let Some(tls) = &self.edge.tls else { return self.http1(stream, peer).await };
        let shaken = tokio::time::timeout(self.edge.settings.limits.handshake, tls.accept(stream)).await;
        match shaken {
            Ok(Ok(None)) => tracing::debug!(%address, "an authority looked at a proof"),
            Ok(Ok(Some(stream))) if stream.get_ref().1.alpn_protocol() == Some(b"h2") => self.http2(stream, peer).await,
            Ok(Ok(Some(stream))) => self.http1(stream, peer).await,
            Ok(Err(error)) => tracing::debug!(%address, %error, "no TLS"),
            Err(_) => tracing::debug!(%address, "no TLS in time"),
        }
    }

    async fn http1(&self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, peer: Peer) {
        let limits = &self.edge.settings.limits;
        let mut http = hyper::server::conn::http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(limits.head).max_buf_size(limits.head_bytes).max_headers(limits.headers);
        // hyper keeps the place of an answer for as long as the connection is open: boxed, it is a pointer.
        let service = service_fn(move |request| Box::pin(self.answer(peer, request)));
        let mut connection = Box::pin(http.serve_connection(TokioIo::new(Patient::new(stream, limits.taken)), service));
        self.drive(connection.as_mut(), |connection| connection.graceful_shutdown()).await;
    }

    async fn http2(&self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, peer: Peer) {
        let limits = &self.edge.settings.limits;
        let mut http = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
        http.timer(TokioTimer::new()).keep_alive_interval(PING).keep_alive_timeout(PING);
        http.max_concurrent_streams(STREAMS).max_header_list_size(limits.head_bytes as u32);
        // Streams run in tasks of their own. hyper has no word for a connection that carries none.
        let (door, busy) = (self.clone(), TaskTracker::new());
        let streams = busy.clone();
        let service = service_fn(move |request| {
            let (door, stream) = (door.clone(), streams.token());
            async move {
                let response = door.answer(peer, request).await?;
                Ok::<_, Infallible>(response.map(|body| Held { body, _token: stream }.boxed()))
            }
        });
        let mut connection = Box::pin(http.serve_connection(TokioIo::new(Patient::new(stream, limits.taken)), service));
        tokio::select! {
            () = self.drive(connection.as_mut(), |connection| connection.graceful_shutdown()) => {}
            () = idle(&busy, limits.head) => tracing::debug!("an HTTP/2 connection without a request is closed"),
        }
    }

    /// Runs a connection to its end, which comes early when we stop.
    async fn drive<C: Future<Output = hyper::Result<()>>>(&self, mut connection: Pin<&mut C>, finish: impl Fn(Pin<&mut C>)) {
        let mut told = false;
        let ended = loop {
            tokio::select! {
                ended = connection.as_mut() => break ended,
                () = self.edge.stop.cancelled(), if !told => {
                    told = true;
                    finish(connection.as_mut());
                }
                () = self.end.cancelled() => break tokio::time::timeout(GOODBYE / 2, connection.as_mut()).await.unwrap_or(Ok(())),
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "connection ended");
        }
    }

    async fn answer(&self, peer: Peer, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
        // A stream that only listens has no last word to wait for.
        let flies = (request.method() != Method::GET).then(|| self.flight.token());
        let (request, unread) = inflow::watched(request);
        let response = self.edge.clone().answer(peer, request).await;
        unread.skip().await;
        Ok(match flies {
            Some(token) => response.map(|body| Held { body, _token: token }.boxed()),
            None => response,
        })
    }
}

/// Returns once nothing was in flight for so long; the time before the first request counts.
async fn idle(busy: &TaskTracker, most: Duration) {
    let mut since = tokio::time::Instant::now();
    let mut look = tokio::time::interval((most / 4).max(Duration::from_millis(1)));
    while since.elapsed() < most {
        look.tick().await;
        if !busy.is_empty() {
            since = tokio::time::Instant::now();
        }
    }
}

/// A connection's place, given back when it ends.
struct Seat {
    taken: Taken,
    address: IpAddr,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.address);
            }
        }
    }
}

/// A body that is in flight until it is sent or dropped.
struct Held {
    body: Body,
    _token: TaskTrackerToken,
}

impl HttpBody for Held {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
