//! Whoever serves a session at the moment, and how the next one is found when that goes away.

use crate::base::fault::{Fault, Kind};
use futures_util::future::BoxFuture;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};

/// Pause before the second try for a server, doubled for each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(20);

/// Longest pause between two tries for a server.
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// Whoever serves the session at the moment: an MCP byte stream.
pub struct Backend {
    pub(super) input: Box<dyn AsyncRead + Send + Unpin>,
    pub(super) output: Box<dyn AsyncWrite + Send + Unpin>,
}

impl Backend {
    /// A stream of both directions.
    pub fn new<IO: AsyncRead + AsyncWrite + Send + 'static>(io: IO) -> Self {
        let (input, output) = tokio::io::split(io);
        Backend { input: Box::new(input), output: Box::new(output) }
    }
}

/// Tries once for another server.
pub(super) type Reopen = Box<dyn FnMut() -> BoxFuture<'static, Result<Backend, Fault>> + Send>;

/// Tries for a server until there is one or the time is over; then with what the last try said.
pub(super) async fn find(mut reopen: Reopen, within: Duration) -> (Reopen, Result<Backend, Fault>) {
    let mut last = Fault::new(Kind::Busy, "no server answered in time");
    let tries = async {
        let mut pause = FIRST_PAUSE;
        loop {
            match reopen().await {
                Ok(backend) => return backend,
                Err(fault) => last = fault,
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    };
    let found = tokio::time::timeout(within, tries).await;
    (reopen, found.map_err(|_| last))
}
