//! Connections: taking them, keeping them within bounds, and letting what is in flight finish at the end.

use crate::base::fault::Fault;
use crate::http::acme;
use crate::http::admin::Admin;
use crate::http::ears::{self, Ears};
use crate::http::hosts::Hosts;
use crate::http::limits::{Calls, Failures, Rates, network};
use crate::http::mcp::Mcp;
use crate::http::metrics::{self, Face};
use crate::http::ops::Health;
use crate::http::patience::Patient;
use crate::http::plain::Plain;
use crate::http::tls::{self, Tls};
use crate::http::{Body, Edge, Parts, Peer, Settings};
use crate::mcp::provider::{Ends, Provider};
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, Uri};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::pki_types::CertificateDer;
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

/// The pause after the system would not give us a connection: it is out of descriptors or memory.
const BREATH: Duration = Duration::from_millis(100);
/// Between two looks at the files of a certificate, and at what is kept for nobody.
const LOOK: Duration = Duration::from_secs(10);
/// Of the drain time, kept for saying goodbye.
const GOODBYE: Duration = Duration::from_secs(1);
/// Streams of one HTTP/2 connection at one time.
const STREAMS: u32 = 100;
/// A peer on HTTP/2 that says nothing is asked whether it is there.
const PING: Duration = Duration::from_secs(30);

/// The open listener.
pub struct Listener {
    /// Where it is: `https://127.0.0.1:41233`.
    pub url: String,
    /// Where metrics are, when they have a listener of their own: `http://127.0.0.1:9436/metrics`.
    pub metrics_url: Option<String>,
    tls: Option<Arc<Tls>>,
    edge: Arc<Edge>,
}

impl Listener {
    /// Opens the listener and serves it in `tasks` until `stop` fires. MCP is answered by `provider`.
    ///
    /// Errs with `Unreachable` when the address cannot be had, `Config` when the certificate cannot be used.
    pub async fn bind(
        provider: impl Provider,
        parts: Parts,
        mut settings: Settings,
        tasks: &TaskTracker,
        stop: CancellationToken,
    ) -> Result<Listener, Fault> {
        let world = parts.dispatch.world().clone();
        tls::check(&settings.tls)?;
        let ears = ears::open(&settings, &parts.sockets).await?;
        let plain = Plain::open(&settings, &parts.sockets).await?;
        let local = ears.local()?;
        let names = names(&settings, local.ip());
        let tls = Tls::new(settings.tls.clone(), names, &world.store, &parts.seal, &world.clock).await?.map(Arc::new);
        let hosts =
            Hosts::new(&settings.host, local.ip(), settings.public_url.as_deref(), &settings.allowed_hosts, &settings.allowed_origins);
        let (end, ends) = (CancellationToken::new(), Ends { over: stop.clone(), late: CancellationToken::new() });
        let late = ends.late.clone();
        let mcp = settings.base.as_ref().map(|_| {
            let spine = (parts.dispatch.clone(), parts.mcp.clone());
            Mcp::new(provider, spine, &settings.limits, tasks.clone(), ends, end.clone())
        });
        let apart = ears::for_metrics(&mut settings, &parts.sockets).await?;
        let calls = Calls::new(world.clock.clone(), settings.limits.rates);
        let failures = Failures::new(world.clock.clone(), settings.limits.failures);
        let scheme = if tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{local}");
        let callback = parts.oidc.as_ref().and_then(|oidc| oidc.settings().redirect_uri.as_deref());
        let callback = callback.and_then(|url| url.parse::<Uri>().ok()).map(|url| url.path().to_owned());
        let admin = Admin { sessions: parts.sessions, seal: parts.seal.clone(), secure: !settings.plain_cookies, callback };
        let edge = Arc::new(Edge {
            settings,
            dispatch: parts.dispatch,
            server_name: parts.mcp.server_name.clone(),
            hosts,
            failures,
            calls,
            oidc: parts.oidc,
            admin,
            mcp,
            watchers: parts.mcp.watchers.clone(),
            health: Health::default(),
            tls: tls.clone(),
            stop: stop.clone(),
            tasks: tasks.clone(),
        });
        if let Some(tls) = &tls {
            if let Some(plain) = plain {
                tasks.spawn(plain.serve(edge.clone(), stop.clone()));
            }
            tasks.spawn(tls.clone().keep_up(stop.clone()));
        }
        let limited = edge.clone();
        let door = Door {
            edge,
            tls: tls.clone(),
            face: Face::All,
            tasks: tasks.clone(),
            stop,
            late,
            end,
            flight: TaskTracker::new(),
            taken: Arc::default(),
        };
        let metrics_url = match &apart {
            Some(ears) => Some(format!("{scheme}://{}{}", ears.local()?, metrics::PATH)),
            None => None,
        };
        if let Some(apart) = apart {
            // Its end is its own: the other may still have requests in flight.
            let (end, flight, taken) = (CancellationToken::new(), TaskTracker::new(), Arc::default());
            tasks.spawn(Door { face: Face::Metrics, end, flight, taken, ..door.clone() }.serve(apart));
        }
        tasks.spawn(door.serve(ears));
        Ok(Listener { url, metrics_url, tls, edge: limited })
    }

    /// SHA-256 of the certificate in use; nothing for plain HTTP.
    pub fn fingerprint(&self) -> Option<String> {
        self.tls.as_ref().map(|tls| tls.fingerprint())
    }

    /// The certificate in use, DER; nothing for plain HTTP.
    pub fn certificate(&self) -> Option<CertificateDer<'static>> {
        self.tls.as_ref()?.certificate()
    }

    /// Whether that certificate only stands in until an authority gives one.
    pub fn is_provisional(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.acme().is_some() && tls.is_own())
    }

    /// How it stands with the authority, if certificates come from one.
    pub fn acme(&self) -> Option<acme::Status> {
        self.tls.as_ref()?.acme().map(|acme| acme.status())
    }

    /// From now on callers may do so much; see `rate_limit` in the configuration.
    pub fn allow(&self, rates: Option<Rates>, failures: u32) {
        self.edge.calls.allow(rates);
        self.edge.failures.allow(failures);
    }

    /// Reads the certificate's files again; whether there are any.
    pub fn reload(&self) -> Result<bool, Fault> {
        self.tls.as_ref().map_or(Ok(false), |tls| tls.reload())
    }
}

/// Takes connections.
#[derive(Clone)]
struct Door {
    edge: Arc<Edge>,
    tls: Option<Arc<Tls>>,
    face: Face,
    tasks: TaskTracker,
    /// No more is taken; what is in flight may finish.
    stop: CancellationToken,
    /// What is in flight is cut short.
    late: CancellationToken,
    /// Everything ends.
    end: CancellationToken,
    /// Requests without their whole answer; streams that only listen do not count.
    flight: TaskTracker,
    taken: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

impl Door {
    async fn serve(self, mut ears: Ears) {
        let mut look = tokio::time::interval(LOOK);
        loop {
            tokio::select! {
                () = self.stop.cancelled() => break,
                accepted = ears.accept() => match accepted {
                    Ok((stream, address)) => self.enter(stream, address),
                    Err(error) => {
                        tracing::warn!(%error, "no connection taken");
                        tokio::time::sleep(BREATH).await;
                    }
                },
                // One of us looks after sessions and the certificate.
                _ = look.tick(), if self.face == Face::All => self.look().await,
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
        let Some(tls) = self.tls.as_ref().filter(|tls| tls.is_stale()) else { return };
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
        self.tasks.spawn(async move {
            door.connection(stream, address).await;
            drop(seat);
        });
    }

    /// Room for one more connection. One address has at most half of it, unless it is a proxy or this machine.
    fn seat(&self, address: IpAddr) -> Option<Seat> {
        let most = self.edge.settings.limits.connections;
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let free = address.is_loopback() || self.edge.settings.trusted_proxies.iter().any(|net| net.contains(&address));
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
        let Some(tls) = &self.tls else { return self.http1(stream, peer).await };
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
        let mut connection = Box::pin(http.serve_connection(TokioIo::new(Patient::new(stream, self.edge.settings.limits.taken)), service));
        self.drive(connection.as_mut(), |connection| connection.graceful_shutdown()).await;
    }

    async fn http2(&self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, peer: Peer) {
        let mut http = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
        http.timer(TokioTimer::new()).keep_alive_interval(PING).keep_alive_timeout(PING);
        http.max_concurrent_streams(STREAMS).max_header_list_size(self.edge.settings.limits.head_bytes as u32);
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
        let mut connection = Box::pin(http.serve_connection(TokioIo::new(Patient::new(stream, self.edge.settings.limits.taken)), service));
        tokio::select! {
            () = self.drive(connection.as_mut(), |connection| connection.graceful_shutdown()) => {}
            () = idle(&busy, self.edge.settings.limits.head) => tracing::debug!("an HTTP/2 connection without a request is closed"),
        }
    }

    /// Runs a connection to its end, which comes early when we stop.
    async fn drive<C: Future<Output = hyper::Result<()>>>(&self, mut connection: Pin<&mut C>, finish: impl Fn(Pin<&mut C>)) {
        let mut told = false;
        let ended = loop {
            tokio::select! {
                ended = connection.as_mut() => break ended,
                () = self.stop.cancelled(), if !told => {
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
        let response = self.edge.clone().answer(peer, request).await;
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
    taken: Arc<Mutex<HashMap<IpAddr, usize>>>,
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

/// The names on a certificate of our own.
fn names(settings: &Settings, local: IpAddr) -> Vec<String> {
    let bare = |host: &str| host.trim_matches(['[', ']']).to_owned();
    let mut names: Vec<String> = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).to_vec();
    if let tls::Source::Acme(acme) = &settings.tls {
        names.extend(acme.domains.iter().cloned());
    }
    names.extend(settings.public_url.as_deref().and_then(|url| url.parse::<Uri>().ok()).and_then(|url| url.host().map(bare)));
    names.extend(settings.allowed_hosts.iter().filter_map(|host| host.parse::<Uri>().ok()?.host().map(bare)));
    if local.is_unspecified() {
        names.extend(std::fs::read_to_string("/proc/sys/kernel/hostname").ok().map(|name| name.trim().to_ascii_lowercase()));
    } else {
        names.push(bare(&settings.host));
    }
    let mut seen = std::collections::HashSet::new();
    names.retain(|name| !name.is_empty() && name.is_ascii() && seen.insert(name.clone()));
    names
}
