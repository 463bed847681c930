//! Where connections come from: a port of our own, or sockets that a service manager opened for us.

use crate::base::fault::{Fault, Kind};
use crate::host::sockets::Sockets;
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
