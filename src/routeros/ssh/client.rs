//! A client for one router over SSH: one connection, made when needed, and a fresh channel for each command.
//!
//! - A command whose caller goes away, or that takes too long or says too much, has its channel closed: that stops it on
//!   the router. This differs from REST, where a request that was given up runs on.
//! - RouterOS answers errors with exit status 0 or none, so the status is told but decides nothing.
//! - An answer counts only when the router ended it: one that stops with the connection is lost.
//! - After silence, or an answer cut off, the connection is dropped; the next command makes a new one.

use crate::routeros::fault::{Denial, RouterError, Stage};
use crate::routeros::net;
use crate::routeros::ssh::session::{Endpoint, Session};
use russh::client::Msg;
use russh::{Channel, ChannelMsg, ChannelOpenFailure, ChannelReadHalf, ChannelWriteHalf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

/// Longest command line: the console takes 30,000 characters, and a packet little more.
const MAX_COMMAND_BYTES: usize = 30_000;
/// How long after the end of the output the channel's own end is waited for.
const LINGER: Duration = Duration::from_secs(2);
/// Longest text of a server's error stream that is kept, bytes; RouterOS has none.
const MAX_STDERR_BYTES: usize = 64 * 1024;

/// A client for one router; clones share its connection. Needs a tokio runtime.
#[derive(Clone)]
pub struct Ssh {
    inner: Arc<Inner>,
}

struct Inner {
    endpoint: Endpoint,
    at: String,
    session: Mutex<Option<Arc<Session>>>,
    /// One connects, others wait for it.
    opening: Semaphore,
    /// Channels being closed behind callers who left.
    tasks: TaskTracker,
}

/// What a command wrote.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Output {
    /// As it came, with CRLF.
    pub stdout: Vec<u8>,
    /// The error stream.
    pub stderr: Vec<u8>,
    /// If the server told one.
    pub exit_status: Option<u32>,
}

impl std::fmt::Debug for Ssh {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Ssh").field(&self.at()).finish()
    }
}

impl Ssh {
    /// Opens no connection yet.
    ///
    /// # Errors
    /// [`RouterError::Argument`] when the host cannot be one.
    pub fn new(endpoint: Endpoint) -> Result<Ssh, RouterError> {
        net::check_host(&endpoint.host)?;
        let at = net::place(&endpoint.host, endpoint.port);
        let (session, opening, tasks) = (Mutex::new(None), Semaphore::new(1), TaskTracker::new());
        Ok(Ssh { inner: Arc::new(Inner { endpoint, at, session, opening, tasks }) })
    }

    /// `host:port`, for messages.
    pub fn at(&self) -> &str {
        &self.inner.at
    }

    /// Connects and logs in, unless that was done.
    pub async fn connect(&self) -> Result<(), RouterError> {
        self.session().await.map(drop)
    }

    /// Whether a connection is kept.
    pub fn is_connected(&self) -> bool {
        self.kept().is_some()
    }

    /// Runs one command line and waits for its end, `within` so long once connected. Build the line with
    /// `routeros::script` alone.
    ///
    /// # Errors
    /// What [`connect`](Self::connect) errs with; `Argument` for a line that is too long or has several lines; `TooLarge`;
    /// `Timeout`; `Unreachable` when the connection ended before the command did.
    pub async fn exec(&self, line: &str, within: Duration) -> Result<Output, RouterError> {
        if line.len() > MAX_COMMAND_BYTES || line.contains(['\n', '\r', '\0']) {
            return Err(RouterError::argument(format!("a console command is one line of at most {MAX_COMMAND_BYTES} bytes")));
        }
        let (mut read, running) = self.open().await?;
        let exchange = async {
            running.channel().exec(true, line).await.map_err(|_| self.cut_off())?;
            self.collect(&mut read).await
        };
        self.bounded(exchange, within).await
    }

    /// Runs an exchange on a channel to its end or the deadline; one that breaks takes the connection along.
    pub(super) async fn bounded<T>(
        &self,
        exchange: impl Future<Output = Result<T, RouterError>>,
        within: Duration,
    ) -> Result<T, RouterError> {
        let late = |_| Err(RouterError::Timeout { at: self.inner.at.clone(), after: within, stage: Stage::Answer });
        let result = tokio::time::timeout(within, exchange).await.unwrap_or_else(late);
        if matches!(result, Err(RouterError::TooLarge { .. } | RouterError::Timeout { .. } | RouterError::Unreachable { .. })) {
            self.hang_up();
        }
        result
    }

    /// Lets the connection go: it ends with the last command that is under way on it.
    pub fn hang_up(&self) {
        lock(&self.inner.session).take();
    }

    /// A channel for a command or subsystem, closed when the guard goes.
    pub(super) async fn open(&self) -> Result<(ChannelReadHalf, Running), RouterError> {
        let was_kept = self.is_connected();
        match self.channel().await {
            // The router closed a kept connection just now. Nothing was sent on it yet.
            Err(RouterError::Unreachable { .. }) if was_kept => self.channel().await.map(|channel| self.guard(channel)),
            opened => opened.map(|channel| self.guard(channel)),
        }
    }

    async fn channel(&self) -> Result<Channel<Msg>, RouterError> {
        let (session, limit) = (self.session().await?, self.inner.endpoint.connect_timeout);
        let error = match tokio::time::timeout(limit, session.channel()).await {
            Ok(Ok(channel)) => return Ok(channel),
            Ok(Err(russh::Error::ChannelOpenFailure(ChannelOpenFailure::AdministrativelyProhibited))) => return Err(self.denied()),
            Ok(Err(_)) => self.cut_off(),
            Err(_) => RouterError::Timeout { at: self.inner.at.clone(), after: limit, stage: Stage::Connect },
        };
        self.hang_up();
        Err(error)
    }

    fn guard(&self, channel: Channel<Msg>) -> (ChannelReadHalf, Running) {
        let (read, write) = channel.split();
        (read, Running { write: Some(write), tasks: self.inner.tasks.clone() })
    }

    pub(super) fn cut_off(&self) -> RouterError {
        RouterError::Unreachable { at: self.inner.at.clone(), why: "the connection was closed before the whole answer came".into() }
    }

    pub(super) fn denied(&self) -> RouterError {
        RouterError::Denied { at: self.inner.at.clone(), denial: Denial::SshExec }
    }

    fn kept(&self) -> Option<Arc<Session>> {
        lock(&self.inner.session).as_ref().filter(|session| !session.is_closed()).cloned()
    }

    /// The kept connection, or a new one; one at a time, whoever asks.
    async fn session(&self) -> Result<Arc<Session>, RouterError> {
        if let Some(session) = self.kept() {
            return Ok(session);
        }
        let closed = |_| RouterError::Closed { at: self.inner.at.clone() };
        let _turn = self.inner.opening.acquire().await.map_err(closed)?;
        if let Some(session) = self.kept() {
            return Ok(session);
        }
        let session = Arc::new(Session::open(&self.inner.endpoint).await?);
        *lock(&self.inner.session) = Some(session.clone());
        Ok(session)
    }

    async fn collect(&self, read: &mut ChannelReadHalf) -> Result<Output, RouterError> {
        let limit = self.inner.endpoint.max_answer_bytes;
        let mut output = Output::default();
        let mut ended = false;
        loop {
            let message = if ended {
                // Some servers never close the channel themselves.
                match tokio::time::timeout(LINGER, read.wait()).await {
                    Ok(message) => message,
                    Err(_) => return Ok(output),
                }
            } else {
                read.wait().await
            };
            match message {
                Some(ChannelMsg::Data { data }) => {
                    if output.stdout.len() + data.len() > limit {
                        return Err(RouterError::TooLarge { limit });
                    }
                    output.stdout.extend_from_slice(&data);
                }
                Some(ChannelMsg::ExtendedData { data, .. }) => {
                    let room = MAX_STDERR_BYTES.saturating_sub(output.stderr.len());
                    output.stderr.extend_from_slice(&data[..data.len().min(room)]);
                }
                Some(ChannelMsg::ExitStatus { exit_status }) => {
                    // It may overtake the rest of the output: no end.
                    output.exit_status = Some(exit_status);
                }
                Some(ChannelMsg::Eof | ChannelMsg::ExitSignal { .. }) => ended = true,
                Some(ChannelMsg::Close) => return Ok(output),
                Some(ChannelMsg::Failure) => return Err(self.denied()),
                Some(_) => {}
                None if ended => return Ok(output),
                None => return Err(self.cut_off()),
            }
        }
    }
}

/// A command under way on the router; going, it closes the channel, which stops the command.
pub(super) struct Running {
    write: Option<ChannelWriteHalf<Msg>>,
    tasks: TaskTracker,
}

impl Running {
    pub(super) fn channel(&self) -> &ChannelWriteHalf<Msg> {
        self.write.as_ref().expect("there until it is dropped")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Without a runtime the connection is going down as well.
        if let (Some(write), Ok(runtime)) = (self.write.take(), tokio::runtime::Handle::try_current()) {
            self.tasks.spawn_on(
                async move {
                    let _ = write.close().await;
                },
                &runtime,
            );
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
