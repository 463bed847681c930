//! The other end of the control socket: what a further command or a bridge does.

use crate::base::fault::Fault;
use crate::control::fault::ControlError;
use crate::control::socket;
use crate::control::wire::{self, Holder, Open, Speaker};
use crate::dispatch::Reply;
use crate::mcp::lines::{Line, Lines};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::path::Path;
use std::time::Duration;
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio_util::sync::CancellationToken;

/// How long the other side may take to say who it is.
const HELLO_WAIT: Duration = Duration::from_secs(5);

/// How long a call or an operation may take. Tools have their own, shorter bounds; a backup or the verification of a
/// long audit trail does not.
const ANSWER_WAIT: Duration = Duration::from_secs(30 * 60);

/// Longest answer, in bytes: exports are written to files, never sent.
const MAX_ANSWER_BYTES: usize = 16 * 1024 * 1024;

/// One conversation.
struct Talk<'a> {
    path: &'a Path,
    lines: Lines<BufReader<UnixStream>>,
}

/// Who holds the store.
///
/// # Errors
/// [`ControlError::Nobody`] when nobody does; [`ControlError::Version`] when it is of another build.
pub async fn hello(path: &Path) -> Result<Holder, ControlError> {
    Talk::open(path, &Open::Hello).await?.holder().await
}

/// Opens an MCP byte stream: what is written and read from here on is MCP.
///
/// # Errors
/// As [`hello`], and [`ControlError::Refused`].
pub async fn mcp_stream(path: &Path) -> Result<BufReader<UnixStream>, ControlError> {
    let mut talk = Talk::open(path, &Open::Mcp).await?;
    talk.holder().await?;
    Ok(talk.lines.into_inner())
}

/// Makes one call through the holder of the store. `on_progress` hears (done, total, message). Dropping the future
/// tells the other side that the answer is no longer wanted.
///
/// # Errors
/// [`ControlError::Refused`] for what never became a call; a call's own failure is in the reply.
/// [`ControlError::Left`] when the other side went away: a change may have been made.
pub async fn call(
    path: &Path,
    tool: &str,
    arguments: Map<String, Value>,
    speaker: Speaker,
    on_progress: impl FnMut(f64, Option<f64>, &str),
) -> Result<Reply, ControlError> {
    call_until(path, tool, arguments, speaker, CancellationToken::new(), on_progress).await
}

/// As [`call`]; when `over` fires the other side hears that nobody waits any longer, and what it has by then is the answer.
///
/// # Errors
/// As [`call`].
pub async fn call_until(
    path: &Path,
    tool: &str,
    arguments: Map<String, Value>,
    speaker: Speaker,
    over: CancellationToken,
    mut on_progress: impl FnMut(f64, Option<f64>, &str),
) -> Result<Reply, ControlError> {
    let mut talk = Talk::open(path, &Open::Call { tool: tool.into(), arguments, audience: speaker }).await?;
    let mut told = false;
    loop {
        let answer = tokio::select! {
            answer = talk.answer(ANSWER_WAIT) => answer?,
            () = over.cancelled(), if !told => {
                told = true;
                talk.end().await;
                continue;
            }
        };
        let Some(step) = answer.get("progress") else {
            return wire::replied(answer).ok_or_else(|| ControlError::Garbled { path: path.into() });
        };
        let done = step.get("done").and_then(Value::as_f64).unwrap_or_default();
        let message = step.get("message").and_then(Value::as_str).unwrap_or_default();
        on_progress(done, step.get("total").and_then(Value::as_f64), message);
    }
}

/// Runs a local operation by name.
///
/// # Errors
/// [`ControlError::Refused`] with the operation's own fault, and as [`hello`].
pub async fn op(path: &Path, op: &str, arguments: Map<String, Value>) -> Result<Value, ControlError> {
    let mut talk = Talk::open(path, &Open::Op { op: op.into(), arguments }).await?;
    let mut answer = talk.answer(ANSWER_WAIT).await?;
    match answer.get_mut("result") {
        Some(result) => Ok(result.take()),
        None => Err(ControlError::Garbled { path: path.into() }),
    }
}

impl<'a> Talk<'a> {
    async fn open(path: &'a Path, open: &Open) -> Result<Self, ControlError> {
        let mut stream = BufReader::new(socket::connect(path).await?);
        let line = format!("{}\n", open.line());
        // A server that refuses may close before it read all; its answer then still waits to be read.
        let sent = tokio::time::timeout(HELLO_WAIT, stream.write_all(line.as_bytes())).await;
        if sent.is_err() {
            return Err(silent(path, HELLO_WAIT));
        }
        Ok(Talk { path, lines: Lines::new(stream, MAX_ANSWER_BYTES) })
    }

    /// Closes our end of the conversation; the other side may still answer.
    async fn end(&mut self) {
        // Where that fails the other side has left, and the answer says so.
        let _ = self.lines.get_mut().shutdown().await;
    }

    async fn holder(&mut self) -> Result<Holder, ControlError> {
        let answer = self.answer(HELLO_WAIT).await?;
        let theirs = answer.get("version").and_then(Value::as_u64).unwrap_or_default();
        if theirs != wire::VERSION {
            return Err(ControlError::Version { theirs, ours: wire::VERSION });
        }
        Holder::deserialize(&answer).map_err(|_| ControlError::Garbled { path: self.path.into() })
    }

    /// The next line, unless it is a refusal.
    async fn answer(&mut self, within: Duration) -> Result<Value, ControlError> {
        let line = match tokio::time::timeout(within, self.lines.next()).await {
            Err(_) => return Err(silent(self.path, within)),
            Ok(Ok(Line::Whole(line))) => line,
            Ok(Ok(Line::TooLong)) => return Err(ControlError::Garbled { path: self.path.into() }),
            Ok(Ok(Line::End) | Err(_)) => return Err(ControlError::Left { path: self.path.into() }),
        };
        let answer: Value = serde_json::from_slice(&line).map_err(|_| ControlError::Garbled { path: self.path.into() })?;
        match wire::refused(&answer) {
            Some(fault) => Err(ControlError::Refused(fault)),
            None => Ok(answer),
        }
    }
}

fn silent(path: &Path, within: Duration) -> ControlError {
    ControlError::Silent { path: path.into(), seconds: within.as_secs() }
}

/// The fault a reply's kind stands for, for exit codes; `None` for success.
pub fn fault_of(reply: &Reply) -> Option<Fault> {
    let kind = reply.fault?;
    let error = reply.structured.get("error");
    let word = |key: &str| error.and_then(|error| error.get(key)).and_then(Value::as_str);
    let fault = Fault::new(kind, word("message").unwrap_or(&reply.text));
    Some(match word("hint") {
        Some(hint) => fault.hint(hint),
        None => fault,
    })
}
