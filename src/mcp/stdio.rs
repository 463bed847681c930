//! MCP on standard input and output.
//!
//! Standard output carries MCP and nothing else. The pipes a client makes are driven without a thread; other kinds of
//! standard input (a socket, a terminal) are read on a thread that only ends with its input, so the command must leave
//! the runtime with a timeout (`Runtime::shutdown_timeout`) rather than wait for it.

use crate::access::principal::Principal;
use crate::base::fault::Fault;
use crate::dispatch::Dispatch;
use crate::mcp::front::{self, Backend, Limits};
use crate::mcp::settings::Settings;
use std::sync::Arc;
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
    let (input, output) = rmcp::transport::stdio_pipes();
    front::run(input, output, first, reopen, reads, limits, stop).await
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
