//! What the verdict does to connections: new ones are served, reset, closed or left waiting; open ones stop hearing from the router.

use super::{Verdict, greets, keeps};
use crate::sim::shared::Shared;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, Interest, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Sleep;

/// How soon a packet that was lost is sent again (real time). Real stations wait a second; tests do not want to.
const AGAIN: Duration = Duration::from_millis(10);
/// How long a station may take to leave after its handshake failed.
const FAREWELL: Duration = Duration::from_secs(1);
/// The TLS alert `handshake_failure`.
const HANDSHAKE_FAILURE: &[u8] = &[0x15, 3, 3, 0, 2, 2, 40];

/// Lets a new connection in, and waits while its packets get no answer: what gives access back in time is noticed, as by a station that
/// tries again. `None` when there is nothing to serve any more.
pub(in crate::sim) async fn admit(shared: &Shared, mut stream: TcpStream, service: &'static str) -> Option<TcpStream> {
    loop {
        let verdict = greets(&shared.world(), service);
        match verdict {
            Verdict::Open | Verdict::Forbidden | Verdict::Unauthorized | Verdict::NotPermitted => return Some(stream),
            Verdict::Closed => return None,
            Verdict::Refused => {
                let _ = stream.set_zero_linger();
                return None;
            }
            Verdict::NoTls => {
                drop(tokio::time::timeout(FAREWELL, refuse_tls(&mut stream)).await);
                return None;
            }
            Verdict::Silent => {}
        }
        tokio::time::sleep(AGAIN).await;
        // A station that gave up leaves; without this, every try of a locked-out one would stay for ever.
        let now = futures_util::FutureExt::now_or_never(stream.ready(Interest::READABLE));
        if matches!(now, Some(Ok(ready)) if ready.is_read_closed()) || matches!(now, Some(Err(_))) {
            return None;
        }
    }
}

/// Says so and waits for the other side to leave: closing with its greeting unread would reset the connection and lose the alert.
async fn refuse_tls(stream: &mut TcpStream) {
    let said = stream.write_all(HANDSHAKE_FAILURE).await.is_ok() && stream.shutdown().await.is_ok();
    let mut rest = [0; 1024];
    while said && stream.read(&mut rest).await.is_ok_and(|n| n > 0) {}
}

/// A connection whose packets pass only while the router's tables let them.
pub(in crate::sim) struct Gate<S> {
    inner: S,
    shared: Arc<Shared>,
    service: &'static str,
    /// What was found, and for which state of the tables and which second.
    known: Option<((u64, i64), bool)>,
    again: Pin<Box<Sleep>>,
}

impl<S> Gate<S> {
    pub fn new(inner: S, shared: Arc<Shared>, service: &'static str) -> Self {
        Gate { inner, shared, service, known: None, again: Box::pin(tokio::time::sleep(AGAIN)) }
    }

    fn passes(&mut self) -> bool {
        let world = self.shared.world();
        let now = (world.touched, world.now().0 / 1_000);
        match self.known {
            Some((at, found)) if at == now => found,
            _ => {
                let found = keeps(&world, self.service);
                self.known = Some((now, found));
                found
            }
        }
    }

    /// Ready when packets pass; else asks to be called again.
    fn open(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            if self.passes() {
                return Poll::Ready(());
            }
            if self.again.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            self.again.as_mut().reset(tokio::time::Instant::now() + AGAIN);
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Gate<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        std::task::ready!(self.open(cx));
        Pin::new(&mut self.inner).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Gate<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        std::task::ready!(self.open(cx));
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
