//! MCP on standard input and output.
//!
//! Standard output carries MCP and nothing else. Pipes and sockets, which is what clients make (Node makes sockets),
//! are driven without a thread. Terminals and files are read on a thread that only ends with its input, so the command
//! must leave the runtime with a timeout (`Runtime::shutdown_timeout`) rather than wait for it.

use crate::access::principal::Principal;
use crate::base::fault::Fault;
use crate::dispatch::Dispatch;
use crate::mcp::backend::Backend;
use crate::mcp::front::{self, Limits};
use crate::mcp::settings::Settings;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::UnixStream;
use tokio::net::unix::pipe;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Bytes between the front and a session in the same process.
const PIPE_BYTES: usize = 64 * 1024;

/// Serves the client on this process's standard input and output; see [`front::run`].
///
/// # Errors
/// As [`front::run`].
pub async fn serve<O, F>(
    first: Backend,
    reopen: O,
    reads: impl Fn(&str) -> bool + Send + Sync,
    limits: Limits,
    stop: CancellationToken,
) -> Result<(), Fault>
where
    O: FnMut() -> F + Send + 'static,
    F: Future<Output = Result<Backend, Fault>> + Send + 'static,
{
    front::run(input(), output(), first, reopen, reads, limits, stop).await
}

/// Standard input. A pipe is opened once more, because O_NONBLOCK belongs to the opening and ours is shared.
fn input() -> Box<dyn AsyncRead + Send + Unpin> {
    match (pipe::OpenOptions::new().open_receiver("/proc/self/fd/0"), socket(std::io::stdin().as_fd())) {
        (Ok(pipe), _) => Box::new(pipe),
        (_, Some(socket)) => Box::new(socket),
        _ => Box::new(tokio::io::stdin()),
    }
}

/// Standard output, the same way.
fn output() -> Box<dyn AsyncWrite + Send + Unpin> {
    match (pipe::OpenOptions::new().open_sender("/proc/self/fd/1"), socket(std::io::stdout().as_fd())) {
        (Ok(pipe), _) => Box::new(pipe),
        (_, Some(socket)) => Box::new(socket),
        _ => Box::new(tokio::io::stdout()),
    }
}

/// The descriptor as a socket, if it is one; our end of a pair that the client made for us alone.
fn socket(fd: BorrowedFd<'_>) -> Option<UnixStream> {
    let stat = rustix::fs::fstat(fd).ok()?;
    if rustix::fs::FileType::from_raw_mode(stat.st_mode) != rustix::fs::FileType::Socket {
        return None;
    }
    let socket = std::os::unix::net::UnixStream::from(fd.try_clone_to_owned().ok()?);
    socket.set_nonblocking(true).ok()?;
    UnixStream::from_std(socket).ok()
}

/// A session served by this process, in `tracker`, until its front leaves or `stop` fires.
pub fn local(
    dispatch: Arc<Dispatch>,
    principal: Arc<Principal>,
    settings: Arc<Settings>,
    tracker: &TaskTracker,
    stop: CancellationToken,
) -> Backend {
    let (ours, theirs) = tokio::io::duplex(PIPE_BYTES);
    tracker.spawn(async move {
        if let Err(fault) = crate::mcp::session::serve(dispatch, principal, settings, theirs, stop).await {
            tracing::warn!(kind = fault.kind.as_str(), "{}", fault.chain());
        }
    });
    Backend::new(ours)
}
