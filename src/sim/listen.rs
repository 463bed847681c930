//! Listeners: connections are taken, each into a task of its own, unless the line is to refuse them.

use super::faults::Line;
use super::shared::Shared;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Ports can be taken for a moment by somebody else while we refuse connections.
const REBIND: Duration = Duration::from_millis(20);

/// A connection that was taken.
pub(super) struct Arrival {
    pub stream: TcpStream,
    pub peer: SocketAddr,
    /// Where it arrived.
    pub at: SocketAddr,
}

/// Takes connections until the router stops.
pub(super) fn serve<F: Future<Output = ()> + Send + 'static>(
    shared: &Arc<Shared>,
    listener: TcpListener,
    line: watch::Receiver<Line>,
    each: impl Fn(Arrival) -> F + Send + Sync + 'static,
) {
    let here = shared.clone();
    shared.spawn(async move { accept(&here, listener, line, each).await });
}

async fn accept<F: Future<Output = ()> + Send + 'static>(
    shared: &Shared,
    listener: TcpListener,
    mut line: watch::Receiver<Line>,
    each: impl Fn(Arrival) -> F,
) {
    let Ok(at) = listener.local_addr() else { return };
    let mut listener = Some(listener);
    loop {
        if *line.borrow_and_update() == Line::Refuse {
            listener = None;
            if line.changed().await.is_err() {
                return;
            }
            continue;
        }
        let Some(open) = &listener else {
            listener = TcpListener::bind(at).await.ok();
            if listener.is_none() {
                tokio::time::sleep(REBIND).await;
            }
            continue;
        };
        tokio::select! {
            _ = line.changed() => {}
            got = open.accept() => {
                if let Ok((stream, peer)) = got {
                    // An answer's last piece must not wait 40 ms for an acknowledgement of the piece before.
                    let _ = stream.set_nodelay(true);
                    shared.spawn(each(Arrival { stream, peer, at }));
                }
            }
        }
    }
}
