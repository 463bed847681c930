//! Serving the control socket.
//!
//! One task a connection, at most [`Rules::connections`] of them; what one does or sends touches no other.

use crate::access::principal::Principal;
use crate::base::fault::{Fault, Kind};
use crate::control::fault::ControlError;
use crate::control::peer::{self, Judge, Peer, Rights};
use crate::control::socket::Bound;
use crate::control::wire::{self, Holder, Open, Speaker};
use crate::dispatch::{Call, Dispatch, Progress};
use crate::mcp::Settings;
use crate::mcp::lines::{Line, Lines};
use crate::tools::spec::Audience;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::{Map, Value, json};
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Longest first line, in bytes: it carries a call's arguments, a list of thousands of routers included.
pub const MAX_OPENING_BYTES: usize = 4 * 1024 * 1024;

/// How long a peer may take to read an answer.
const WRITE_WAIT: Duration = Duration::from_secs(30);

/// Pause after a failed accept (out of descriptors), so that the loop does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Progress steps that wait for a peer.
const PROGRESS_BACKLOG: usize = 16;

/// What the socket gives access to.
#[derive(Clone)]
pub struct Handles {
    /// The spine.
    pub dispatch: Arc<Dispatch>,
    /// For MCP streams.
    pub settings: Arc<Settings>,
    /// Who MCP streams and calls for `model` are: the local stdio client with `mcp.stdio_role`.
    pub stdio_principal: Arc<Principal>,
    /// Local operations by name.
    pub ops: Arc<dyn Ops>,
    /// The state directory, told to whoever asks who holds it.
    pub data_dir: PathBuf,
}

/// Local operations that are no calls of the catalogue, for root and our own user.
pub trait Ops: Send + Sync {
    /// Begins one; `None` when there is none of that name.
    fn run(&self, op: &str, arguments: Map<String, Value>) -> Option<BoxFuture<'static, Result<Value, Fault>>>;
}

/// No operations at all.
impl Ops for () {
    fn run(&self, _: &str, _: Map<String, Value>) -> Option<BoxFuture<'static, Result<Value, Fault>>> {
        None
    }
}

/// Who may connect, how many, how fast they must say what they want.
#[derive(Clone)]
pub struct Rules {
    /// Decides on each connection.
    pub judge: Judge,
    /// Connections at a time.
    pub connections: usize,
    /// For the first line.
    pub handshake: Duration,
}

impl Default for Rules {
    fn default() -> Self {
        Rules { judge: peer::machine(), connections: 64, handshake: Duration::from_secs(5) }
    }
}

/// Binds `path` and serves it in `tracker` until `stop` fires; the socket file goes with the end.
///
/// # Errors
/// [`ControlError::Taken`] when another process serves it, and what binding can meet.
pub async fn serve(
    path: &Path,
    handles: Handles,
    rules: Rules,
    tracker: &TaskTracker,
    stop: CancellationToken,
) -> Result<(), ControlError> {
    let bound = Bound::new(path).await?;
    let server = Server { handles, room: Arc::new(Semaphore::new(rules.connections)), rules, tracker: tracker.clone(), stop };
    tracker.spawn(server.serve(bound));
    Ok(())
}

#[derive(Clone)]
struct Server {
    handles: Handles,
    rules: Rules,
    room: Arc<Semaphore>,
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl Server {
    async fn serve(self, bound: Bound) {
        loop {
            let accepted = tokio::select! {
                () = self.stop.cancelled() => break,
                accepted = bound.listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, _)) => self.welcome(stream),
                Err(error) => {
                    tracing::warn!(%error, "could not accept on the control socket");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
        bound.remove();
    }

    /// Hands the connection to a task of its own.
    fn welcome(&self, stream: UnixStream) {
        let rights = match stream.peer_cred() {
            Ok(peer) => (self.rules.judge)(Peer { uid: peer.uid(), gid: peer.gid() }),
            Err(_) => Rights::Nothing,
        };
        let server = self.clone();
        let room = self.room.clone().try_acquire_owned();
        self.tracker.spawn(async move {
            match room {
                // Held until the connection ends.
                Ok(_room) => server.converse(BufReader::new(stream), rights).await,
                Err(_) => {
                    let fault = Fault::new(Kind::Busy, "too many connections to the control socket");
                    refuse(&mut BufReader::new(stream), &fault.hint("close some, then try again")).await;
                }
            }
        });
    }

    async fn converse(&self, stream: BufReader<UnixStream>, rights: Rights) {
        let mut lines = Lines::new(stream, MAX_OPENING_BYTES);
        let opening = match rights {
            Rights::Nothing => Err(denied("your user may not use the control socket", "ask the administrator for group routeros-mcp")),
            _ => match tokio::time::timeout(self.rules.handshake, lines.next()).await {
                Ok(Ok(Line::Whole(line))) => Open::read(&line),
                Ok(Ok(Line::TooLong)) => Err(Fault::bad_input(format!("the first line is at most {MAX_OPENING_BYTES} bytes"))),
                Ok(Ok(Line::End) | Err(_)) => return,
                Err(_) => Err(Fault::bad_input(format!("no first line within {} ms", self.rules.handshake.as_millis()))),
            },
        };
        let mut stream = lines.into_inner();
        let opened = opening.and_then(|open| allowed(open, rights));
        match opened {
            Ok(Open::Hello) => drop(say(&mut stream, self.hello()).await),
            Ok(Open::Mcp) => self.stream(stream).await,
            Ok(Open::Call { tool, arguments, audience }) => self.call(stream, tool, arguments, audience).await,
            Ok(Open::Op { op, arguments }) => self.op(stream, &op, arguments).await,
            Err(fault) => refuse(&mut stream, &fault).await,
        }
    }

    fn hello(&self) -> String {
        let holder = Holder {
            ok: true,
            version: wire::VERSION,
            server: env!("CARGO_PKG_VERSION").into(),
            pid: std::process::id(),
            data_dir: self.handles.data_dir.display().to_string(),
        };
        serde_json::to_string(&holder).unwrap_or_default()
    }

    async fn stream(&self, mut stream: BufReader<UnixStream>) {
        if say(&mut stream, self.hello()).await.is_err() {
            return;
        }
        let Handles { dispatch, stdio_principal, settings, .. } = self.handles.clone();
        if let Err(fault) = crate::mcp::serve(dispatch, stdio_principal, settings, stream, self.stop.clone()).await {
            tracing::warn!(kind = fault.kind.as_str(), "{}", fault.chain());
        }
    }

    /// One call. A peer that closes its end no longer wants the answer.
    async fn call(&self, stream: BufReader<UnixStream>, tool: String, arguments: Map<String, Value>, speaker: Speaker) {
        let (principal, audience) = match speaker {
            Speaker::Operator => (Arc::new(Principal::operator()), Audience::Operator),
            Speaker::Model => (Arc::new((*self.handles.stdio_principal).clone().through_our_command_line()), Audience::Model),
        };
        let (told, mut steps) = mpsc::channel(PROGRESS_BACKLOG);
        let mut call = Call::new(tool, arguments, principal, audience);
        call.progress = Some(Arc::new(Steps(told)));
        let cancel = call.cancel.clone();
        let (mut read, mut write) = tokio::io::split(stream);
        let mut work = std::pin::pin!(AssertUnwindSafe(self.handles.dispatch.call(call)).catch_unwind());
        let mut gone = std::pin::pin!(gone(&mut read));
        let reply = loop {
            tokio::select! {
                reply = &mut work => break reply,
                Some(step) = steps.recv() => if say(&mut write, step).await.is_err() {
                    cancel.cancel();
                },
                () = &mut gone, if !cancel.is_cancelled() => cancel.cancel(),
            }
        };
        match reply {
            Ok(reply) => drop(say(&mut write, wire::reply(&reply)).await),
            Err(_) => refuse(&mut write, &Fault::bug("a call panicked")).await,
        }
    }

    async fn op(&self, stream: BufReader<UnixStream>, op: &str, arguments: Map<String, Value>) {
        let (mut read, mut write) = tokio::io::split(stream);
        let Some(work) = self.handles.ops.run(op, arguments) else {
            let op: String = op.chars().filter(|c| !c.is_control()).take(64).collect();
            return refuse(&mut write, &Fault::not_found(format!("no local operation \"{op}\""))).await;
        };
        let outcome = tokio::select! {
            outcome = AssertUnwindSafe(work).catch_unwind() => outcome.unwrap_or_else(|_| Err(Fault::bug("an operation panicked"))),
            () = gone(&mut read) => return,
        };
        match outcome {
            Ok(result) => drop(say(&mut write, json!({ "result": result }).to_string()).await),
            Err(fault) => refuse(&mut write, &fault).await,
        }
    }
}

/// Progress as lines; what the peer reads too slowly is left out.
struct Steps(mpsc::Sender<String>);

impl Progress for Steps {
    fn tell(&self, done: f64, total: Option<f64>, message: &str) {
        let _ = self.0.try_send(wire::progress(done, total, message));
    }
}

fn allowed(open: Open, rights: Rights) -> Result<Open, Fault> {
    match (&open, rights) {
        (_, Rights::Everything) | (Open::Hello | Open::Mcp, Rights::Mcp) => Ok(open),
        _ => Err(denied("members of group routeros-mcp may open MCP streams only", "run the command as root or as the service user")),
    }
}

fn denied(said: &str, hint: &str) -> Fault {
    Fault::denied(said).hint(hint)
}

/// Ready when the peer closed its end; what it still sends is thrown away.
async fn gone(read: &mut (impl tokio::io::AsyncRead + Unpin)) {
    let mut some = [0; 256];
    while matches!(read.read(&mut some).await, Ok(n) if n > 0) {}
}

async fn refuse(write: &mut (impl tokio::io::AsyncWrite + Unpin), fault: &Fault) {
    if fault.kind == Kind::Bug {
        tracing::error!("{}", fault.chain());
    }
    // A peer that does not listen has left; the connection is closed either way.
    let _ = say(write, wire::refusal(fault)).await;
}

async fn say(write: &mut (impl tokio::io::AsyncWrite + Unpin), mut line: String) -> std::io::Result<()> {
    line.push('\n');
    let sent = async {
        write.write_all(line.as_bytes()).await?;
        write.flush().await
    };
    tokio::time::timeout(WRITE_WAIT, sent).await.unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()))
}
