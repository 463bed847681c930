//! Where connections come from: a port of our own, or sockets that a service manager opened for us.

use crate::base::fault::{Fault, Kind};
use crate::host::sockets::{self, Sockets};
use crate::http::acme::Proof;
use crate::http::metrics::Offered;
use crate::http::{Settings, tls};
use std::future::poll_fn;
use std::net::SocketAddr;
use std::task::Poll;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};

/// The pause after the system would not give us a connection: it is out of descriptors or memory.
pub(super) const BREATH: Duration = Duration::from_millis(100);

/// Where connections come from: one socket of ours, or whichever the service manager passed.
pub struct Ears {
    sockets: Vec<TcpListener>,
    /// Asked first next time, so that a busy one does not silence the others.
    next: usize,
}

impl Ears {
    /// The next connection of any of them.
    pub async fn accept(&mut self) -> std::io::Result<(TcpStream, SocketAddr)> {
        let (sockets, first) = (&self.sockets, self.next);
        self.next = (first + 1) % sockets.len().max(1);
        let in_turn = || sockets.iter().cycle().skip(first).take(sockets.len());
        poll_fn(|cx| {
            let ready = in_turn().find_map(|socket| match socket.poll_accept(cx) {
                Poll::Ready(accepted) => Some(accepted),
                Poll::Pending => None,
            });
            ready.map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }

    /// The addresses of all.
    pub fn all(&self) -> impl Iterator<Item = SocketAddr> {
        self.sockets.iter().filter_map(|socket| socket.local_addr().ok())
    }

    /// The address of the first.
    pub fn local(&self) -> Result<SocketAddr, Fault> {
        let first = self.sockets.first().map(TcpListener::local_addr);
        first.ok_or_else(|| Fault::bug("a listener without a socket"))?.map_err(Fault::bug)
    }
}

/// Those passed under the name for this listener, else one of our own. Errs with `Unreachable` when that cannot be had.
pub async fn open(settings: &Settings, passed: &Sockets) -> Result<Ears, Fault> {
    let is_plain = settings.tls == tls::Source::Off;
    let passed = adopt(passed.take(if is_plain { "http" } else { "https" }))?;
    if passed.is_empty() {
        return Ok(Ears { sockets: vec![bind(&settings.host, settings.port, "mcp.http_port").await?], next: 0 });
    }
    only_loopback_unless_safe("http", "set http.tls and name the socket https, or let it listen on loopback", &passed, settings)?;
    Ok(Ears { sockets: passed, next: 0 })
}

/// The checks of the configuration know the hosts that are set, not the sockets that are passed.
fn only_loopback_unless_safe(name: &str, hint: &str, passed: &[TcpListener], settings: &Settings) -> Result<(), Fault> {
    let is_open = |socket: &TcpListener| socket.local_addr().is_ok_and(|at| !at.ip().to_canonical().is_loopback());
    if settings.tls != tls::Source::Off || settings.behind_proxy || !passed.iter().any(is_open) {
        return Ok(());
    }
    let said = format!("the passed socket {name} is not on loopback, which needs http.tls or http.behind_proxy");
    Err(Fault::new(Kind::Config, said).hint(hint))
}

/// The listener that metrics have to themselves: what was passed as `metrics`, which is as good as a `metrics.port`, else a
/// socket of our own where one is set; nothing where they are on the listener for everything, or nowhere.
pub async fn for_metrics(settings: &mut Settings, passed: &Sockets) -> Result<Option<Ears>, Fault> {
    if settings.metrics == Offered::No {
        return Ok(None);
    }
    let passed = adopt(passed.take("metrics"))?;
    only_loopback_unless_safe("metrics", "set http.tls, or let it listen on loopback", &passed, settings)?;
    match (passed.first(), &settings.metrics) {
        (Some(first), _) => {
            let at = first.local_addr().map_err(Fault::bug)?;
            settings.metrics = Offered::Apart { host: at.ip().to_string(), port: at.port() };
            Ok(Some(Ears { sockets: passed, next: 0 }))
        }
        (None, Offered::Apart { host, port }) => Ok(Some(Ears { sockets: vec![bind(host, *port, "metrics.port").await?], next: 0 })),
        (None, _) => Ok(None),
    }
}

/// What the listener would open for itself: host, port and the key that sets it; what was passed needs no opening.
pub fn own<'s>(settings: &'s Settings, passed: &Sockets) -> Vec<(&'s str, u16, &'static str)> {
    let passed = passed.left();
    let is_passed = |name: &str| passed.iter().any(|known| known == name);
    let mut own = Vec::new();
    if !is_passed(if settings.tls == tls::Source::Off { "http" } else { "https" }) {
        own.push((settings.host.as_str(), settings.port, "mcp.http_port"));
    }
    if let tls::Source::Acme(acme) = &settings.tls
        && acme.proof == Proof::Http01
        && !is_passed("http")
    {
        own.push((settings.host.as_str(), acme.http_port, "acme.http_port"));
    }
    if let Offered::Apart { host, port } = &settings.metrics
        && !is_passed("metrics")
    {
        own.push((host.as_str(), *port, "metrics.port"));
    }
    own
}

/// Opens each of them as a start would, and lets go at once; those `held` are by ourselves, or by systemd for us. Errs as [`bind`] with the first that
/// cannot be had.
pub async fn try_out(settings: &Settings, passed: &Sockets, held: &[SocketAddr]) -> Result<(), Fault> {
    // Kept to the end: two of ours cannot have one port either.
    let mut open = Vec::new();
    for (host, port, key) in own(settings, passed) {
        match bind(host, port, key).await {
            Ok(socket) => open.push(socket),
            Err(_) if held.iter().any(|at| at.port() == port) || sockets::is_with_systemd(port) => {}
            Err(fault) => return Err(fault),
        }
    }
    Ok(())
}

/// Sockets of the service manager, for tokio.
pub fn adopt(passed: Vec<std::net::TcpListener>) -> Result<Vec<TcpListener>, Fault> {
    passed.into_iter().map(|socket| TcpListener::from_std(socket).map_err(Fault::bug)).collect()
}

/// Listens; `key` sets the port.
pub async fn bind(host: &str, port: u16, key: &str) -> Result<TcpListener, Fault> {
    let at = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
    TcpListener::bind(&at).await.map_err(|error| {
        let hint = match error.kind() {
            std::io::ErrorKind::AddrInUse => format!("another program listens there: stop it, or set {key}"),
            std::io::ErrorKind::PermissionDenied => format!("ports below 1024 need a privilege: use the systemd socket, or set {key}"),
            _ => "set mcp.http_host to an address of this machine".to_owned(),
        };
        Fault::new(Kind::Unreachable, format!("cannot listen on {at}")).hint(hint).cause(error)
    })
}
