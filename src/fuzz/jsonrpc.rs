//! The front of a pipe: every message that wants an answer gets one, every broken one gets one error, and what is passed on
//! can be read.

use super::{Samples, Target, seeds};
use crate::base::fault::{Fault, Kind};
use crate::mcp::backend::Backend;
use crate::mcp::front::{self, Limits};
use crate::mcp::message::{self, Id, MAX_DEPTH, Message, Refusal};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWriteExt, BufReader};
use tokio::runtime::{Builder, Runtime};
use tokio_util::sync::CancellationToken;

pub(super) const TARGET: Target = Target {
    name: "jsonrpc",
    about: "lines of a client to messages and answers",
    longest: 16 << 10,
    check,
    seeds,
    words: &[
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"",
        "\"params\":{",
        "\"params\":[]",
        "\"arguments\":",
        "tools/call",
        "initialize",
        "notifications/cancelled",
        "\"requestId\":1",
        "subscriptions/listen",
        "\"protocolVersion\":\"2025-03-26\"",
        "\"id\":1e400",
        "\"id\":1.5",
        "\"id\":\"a\"",
        "\\ud800",
        "\n",
        "[{",
        "}]",
        "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\"}",
        "\"result\":{}",
        "\"error\":{}",
        PLANTED,
        "\u{feff}",
    ],
};

/// A password that somebody might have put anywhere.
const PLANTED: &str = "hunter2-and-more";
/// Short, so that lines beyond it are tried.
const LINE_MAX: usize = 4_096;
/// Nothing waits here: whatever takes so long hangs.
const PATIENCE: Duration = Duration::from_secs(10);

thread_local! {
    static RUNTIME: Runtime = Builder::new_current_thread().enable_time().build().expect("a runtime of one thread");
}

fn check(data: &[u8]) {
    let mut owed = Owed::default();
    data.split(|byte| *byte == b'\n').for_each(|line| owed.line(line));
    let output = RUNTIME.with(|runtime| runtime.block_on(talk(data)));
    owed.compare(&output);
}

/// What a client that sent these lines is owed.
#[derive(Default)]
struct Owed {
    /// Ids of answers that must come, as JSON; of broken messages without a readable one, `null`.
    ids: Vec<String>,
    refusals: usize,
    /// Batches: each an answer at most.
    batches: usize,
    /// Something was taken back, so that answers may be missing.
    takes_back: bool,
}

impl Owed {
    fn line(&mut self, line: &[u8]) {
        if line.len() > LINE_MAX {
            return self.refusal(None);
        }
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        match line.iter().find(|byte| !byte.is_ascii_whitespace()) {
            None => {}
            Some(b'[') => self.batches += 1,
            Some(_) => self.message(line),
        }
    }

    fn message(&mut self, line: &[u8]) {
        match message::inspect(line) {
            Ok(Message::Request(request)) => {
                self.ids.push(request.id.json().to_owned());
                rewritten(line, &request);
            }
            Ok(Message::Notification { cancels, .. }) => self.takes_back |= cancels.is_some(),
            Ok(Message::Answer { id, is_error }) => {
                if let Some(quick) = message::answered(line) {
                    assert_eq!(quick, (id, is_error), "the quick look at an answer sees another one");
                }
            }
            Err(refusal) => {
                said(&refusal);
                self.refusal(refusal.id.as_ref());
            }
        }
        if message::inspect(line).is_ok() {
            assert!(message::depth(line) <= MAX_DEPTH);
        }
    }

    fn refusal(&mut self, id: Option<&Id>) {
        self.refusals += 1;
        self.ids.push(id.map_or("null", Id::json).to_owned());
    }

    fn compare(&self, output: &[u8]) {
        let mut ids = Vec::new();
        let (mut errors, mut batches) = (0, 0);
        for line in output.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            match serde_json::from_slice::<Value>(line) {
                Ok(Value::Object(answer)) => {
                    let has = |name: &str| answer.contains_key(name);
                    assert!(has("id") && has("result") != has("error"), "no answer: {answer:?}");
                    errors += usize::from(has("error"));
                    ids.push(answer["id"].to_string());
                }
                Ok(Value::Array(answers)) => {
                    assert!(!answers.is_empty() && answers.iter().all(|answer| answer.get("id").is_some()));
                    batches += 1;
                }
                other => panic!("no line for a client: {other:?}"),
            }
        }
        assert!(errors >= self.refusals, "{errors} errors for {} broken messages", self.refusals);
        assert!(batches <= self.batches);
        if self.takes_back || self.batches > 0 {
            // What is taken back is not answered; a refused batch is, with an id of null.
            assert!(ids.len() + batches <= self.ids.len() + self.batches, "more answers than messages");
            return;
        }
        // Numbers as serde_json writes them, for the answers were read by it.
        let mut owed: Vec<String> =
            self.ids.iter().map(|id| serde_json::from_str::<Value>(id).expect("an id is JSON").to_string()).collect();
        ids.sort();
        owed.sort();
        assert_eq!(ids, owed, "an answer for each message that wants one");
    }
}

/// A refusal says nothing that the message said, except for its id.
fn said(refusal: &Refusal) {
    assert!(refusal.said.is_ascii() && refusal.said.len() < 120, "{}", refusal.said);
    assert!(!refusal.said.contains(PLANTED), "{}", refusal.said);
    let line: Value = serde_json::from_slice(&refusal.line()).expect("a refusal is JSON");
    assert!(line["error"]["code"].is_i64() && line["error"]["message"].is_string());
}

/// A request under another id is the same request.
fn rewritten(line: &[u8], request: &message::Request) {
    let ours = Id::ours(7);
    let Some(other) = message::rewritten(line, &ours, true) else { panic!("a request that cannot be written again") };
    let Ok(Message::Request(again)) = message::inspect(&other) else { panic!("no request any more: {}", String::from_utf8_lossy(&other)) };
    assert_eq!((again.id, &again.method, &again.tool, &again.version), (ours, &request.method, &request.tool, &request.version));
    assert!(!again.is_quirky, "mended, and still odd: {}", String::from_utf8_lossy(&other));
}

/// What a client hears that says this and hangs up, from a front whose server answers everything.
async fn talk(input: &[u8]) -> Vec<u8> {
    let (ours, theirs) = tokio::io::duplex(64 << 10);
    let mut output = Vec::new();
    let limits = Limits { line_bytes: LINE_MAX, permissive: input.len().is_multiple_of(2), ..Limits::default() };
    let gone = || std::future::ready(Err(Fault::new(Kind::Conflict, "there is no other server")));
    let front = front::run(input, &mut output, Backend::new(ours), gone, |_| true, limits, CancellationToken::new());
    let both = async { tokio::join!(front, server(theirs)) };
    let (ended, ()) = tokio::time::timeout(PATIENCE, both).await.expect("the front ends when its client has gone");
    ended.expect("the server never left");
    output
}

async fn server(io: impl AsyncRead + tokio::io::AsyncWrite) {
    let (input, mut output) = tokio::io::split(io);
    let mut lines = BufReader::new(input).split(b'\n');
    while let Ok(Some(line)) = lines.next_segment().await {
        let message: Value = serde_json::from_slice(&line)
            .unwrap_or_else(|error| panic!("passed on what cannot be read ({error}): {}", String::from_utf8_lossy(&line)));
        let (Some(id), Some(_)) = (message.get("id"), message.get("method")) else { continue };
        let version = message.pointer("/params/protocolVersion").cloned().unwrap_or(Value::Null);
        let answer = json!({"jsonrpc": "2.0", "id": id, "result": {"protocolVersion": version}});
        if output.write_all(format!("{answer}\n").as_bytes()).await.is_err() {
            return;
        }
    }
}

fn seeds(_: &Samples) -> Vec<Vec<u8>> {
    seeds::texts(&[
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"system.get_overview\",\"arguments\":{\"password\":\"hunter2-and-more\"}}}\n",
        "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"2025-03-26\"}}\n{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}\n[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"},{\"id\":2},{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"m\"}]\n",
        "{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":\"ping\",\"params\":[]}\r\n{\"jsonrpc\":\"2.0\",\"id\":1.5,\"method\":\"tools/call\",\"params\":{\"name\":\"x\",\"arguments\":\"\"}}\n",
        "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"subscriptions/listen\",\"params\":{\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\"}}}\n{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":7}}\n",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n{\"jsonrpc\":\"2.0\",\"id\":\"b\",\"error\":{\"code\":-1,\"message\":\"x\"}}\n{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"hunter2-and-more\"}\nhunter2-and-more\n7\n\"x\"\n\n",
        "\u{feff}{\"jsonrpc\":\"2.0\",\"id\":1,\"id\":2,\"method\":\"ping\",\"hunter2-and-more\":[[[[]]]]}\n{\"id\":null}",
    ])
}
