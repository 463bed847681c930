//! Who calls: three at a time, through dispatch and over the listener, reading and changing; and what they were told.

use super::faults::Kind;
use super::scenario::{Act, CALLERS, Change, Small, Way, Word};
use super::stage::{APPROVER, Running, Stage};
use crate::admin_rig::PASSWORD;
use crate::http_rig::{Answer, JSON, headers, modern, parsed, request};
use futures_util::future::join_all;
use routeros_mcp::dispatch::Reply;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// No call takes longer (the machine's time): the longest waits 55 s for a plan's end, and time flies; a machine
/// under load may take twice that.
const MOST: Duration = Duration::from_secs(150);

/// How often somebody asks again whose router is another plan's, and after how long.
const TRIES: u32 = 5;
const AGAIN: Duration = Duration::from_secs(30);

/// What somebody was told of an act that changes something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Promise {
    /// It is so, and stays.
    Kept,
    /// Nothing was changed.
    Undone,
}

/// What was heard in a burst.
#[derive(Default)]
pub struct Heard {
    /// Calls by how they came in and what came of them.
    pub outcomes: Mutex<BTreeMap<String, usize>>,
    /// A line a call, for whoever looks for a cause.
    pub lines: Mutex<Vec<String>>,
    /// By the act's tag.
    pub promises: Mutex<Vec<(String, Promise)>>,
    /// What no caller should ever hear.
    pub wrong: Mutex<Vec<String>>,
}

/// An answer, however it came.
struct Said {
    outcome: String,
    structured: Value,
    text: String,
}

/// All acts of a burst, by a few callers side by side.
pub async fn all(stage: &Stage, running: &Running, acts: &[Act], heard: &Heard) {
    let callers = (0..CALLERS).map(|caller| async move {
        for act in acts.iter().skip(caller).step_by(CALLERS) {
            Caller { stage, running, heard }.does(act).await;
        }
    });
    join_all(callers).await;
}

struct Caller<'a> {
    stage: &'a Stage,
    running: &'a Running,
    heard: &'a Heard,
}

impl Caller<'_> {
    async fn does(&self, act: &Act) {
        match act {
            Act::Read { way, tool, arguments } => drop(self.ask(*way, tool, arguments.clone()).await),
            Act::Write { way, router, small, tag } => self.write(*way, *small, *router, tag).await,
            Act::Plan { routers, change, manual, word, tag } => self.plan(*change, routers, *manual, *word, tag).await,
        }
    }

    async fn write(&self, way: Way, small: Small, router: usize, tag: &str) {
        let (tool, arguments) = small.call(router, tag);
        let Some(said) = self.ask(way, tool, arguments).await else { return };
        if said.outcome == "ok" && said.structured["changed"] == true {
            self.promise(tag, Promise::Kept);
        } else if said.text.contains("nothing was changed") || said.text.contains("the change was taken back") {
            self.promise(tag, Promise::Undone);
        }
    }

    async fn plan(&self, change: Change, routers: &[usize], manual: bool, word: Word, tag: &str) {
        let Some(made) = self.ask(Way::Inside, "plan.create", change.request(routers, manual, tag)).await else { return };
        let Some(id) = made.structured["id"].as_str().map(str::to_owned) else { return };
        let by = json!({ "plan_id": id, "user": APPROVER, "password": PASSWORD });
        if made.structured["approvals"]["needed"].as_u64() > Some(0) {
            self.operator("plan.approve", by.clone()).await;
        }
        let mut last = self.apply(&id).await;
        for _ in 0..TRIES {
            if last.as_ref().is_none_or(|said| said.outcome != "conflict" || !said.text.contains("is being applied there")) {
                break;
            }
            // Somebody else's turn.
            self.stage.witness.clock.sleep(AGAIN).await;
            last = self.apply(&id).await;
        }
        if manual && last.as_ref().is_some_and(|said| said.structured["state"] == "executing") {
            last = match word {
                Word::Silent => None,
                Word::Undo => self.ask(Way::Inside, "plan.roll_back", json!({ "plan_id": id, "reason": "so said the dice" })).await,
                Word::Keep if change == Change::Name => self.ask(Way::Token, "plan.confirm", json!({ "plan_id": id })).await,
                Word::Keep => self.operator("plan.keep", by).await,
                Word::Extend => {
                    self.ask(Way::Inside, "plan.confirm", json!({ "plan_id": id, "extend_seconds": 120 })).await;
                    self.operator("plan.keep", by).await
                }
            };
        }
        match last.as_ref().and_then(|said| said.structured["state"].as_str()) {
            Some("confirmed") => self.promise(tag, Promise::Kept),
            Some("rolled_back" | "failed" | "cancelled") => self.promise(tag, Promise::Undone),
            _ => {}
        }
    }

    async fn apply(&self, id: &str) -> Option<Said> {
        self.ask(Way::Inside, "plan.apply", json!({ "plan_id": id, "wait_seconds": 55 })).await
    }

    fn promise(&self, tag: &str, promise: Promise) {
        self.heard.promises.lock().unwrap().push((tag.to_owned(), promise));
    }

    /// One call; none when nobody heard the answer.
    async fn ask(&self, way: Way, tool: &str, arguments: Value) -> Option<Said> {
        let called = async {
            match way {
                Way::Inside => Some(of_reply(self.running.inside(tool, arguments.clone()).await)),
                Way::Token => self.over_http(&self.stage.token, tool, &arguments, true).await,
                Way::Provider => {
                    let token = self.stage.provider.token(self.stage.witness.clock.wall().0);
                    self.over_http(&token, tool, &arguments, true).await
                }
                Way::Gone => self.over_http(&self.stage.token, tool, &arguments, false).await,
            }
        };
        let Ok(said) = tokio::time::timeout(MOST, called).await else {
            self.wrong(format!("{tool} {arguments}: no answer within {MOST:?}"));
            return None;
        };
        self.note(&format!("{way:?}"), tool, &arguments, said.as_ref());
        said
    }

    async fn operator(&self, tool: &str, arguments: Value) -> Option<Said> {
        let said = of_reply(self.running.operator(tool, arguments.clone()).await);
        self.note("Operator", tool, &json!({ "plan_id": arguments["plan_id"] }), Some(&said));
        Some(said)
    }

    fn note(&self, way: &str, tool: &str, arguments: &Value, said: Option<&Said>) {
        let outcome = said.map_or("gone", |said| said.outcome.as_str());
        *self.heard.outcomes.lock().unwrap().entry(outcome.to_owned()).or_default() += 1;
        let at = self.stage.witness.clock.mono().as_secs();
        let mut line = format!("{at} s: {way} {tool} {arguments}: {outcome}");
        let Some(said) = said else { return self.heard.lines.lock().unwrap().push(line) };
        if outcome != "ok" {
            line.push_str(&format!(" {}", said.text.chars().take(240).collect::<String>()));
        }
        if matches!(outcome, "bug" | "http 500" | "unknown tool" | "no sense") {
            self.wrong(line.clone());
        }
        for text in [&said.text, &said.structured.to_string()] {
            if let Some(word) = self.stage.canaries.find(text) {
                self.wrong(format!("{tool} {arguments} tells a secret ({}…)", &word[..word.len().min(9)]));
            }
        }
        self.heard.lines.lock().unwrap().push(line);
    }

    fn wrong(&self, what: String) {
        self.heard.wrong.lock().unwrap().push(what);
    }

    /// Over the listener, without a session; hangs up at once unless it `stays`.
    async fn over_http(&self, token: &str, tool: &str, arguments: &Value, stays: bool) -> Option<Said> {
        let params = json!({ "name": tool, "arguments": arguments });
        let head = format!("{JSON}Authorization: Bearer {token}\r\n{}", headers("tools/call", &params));
        let bytes = request("POST", "/mcp", &head, &modern("tools/call", params).to_string());
        let Ok(mut stream) = TcpStream::connect(self.running.at).await else { return None };
        let _ = stream.write_all(bytes.as_bytes()).await;
        if !stays {
            self.stage.witness.strike(Kind::HungUp, tool.to_owned());
            // It has come, or part of it has: as it falls.
            tokio::task::yield_now().await;
            return None;
        }
        let mut all = Vec::new();
        let _ = stream.read_to_end(&mut all).await;
        Some(of_answer(parsed(&all)))
    }
}

fn of_reply(reply: Reply) -> Said {
    let outcome = match reply.fault {
        None => "ok",
        Some(_) if reply.unknown_tool => "unknown tool",
        Some(kind) => kind.as_str(),
    };
    Said { outcome: outcome.to_owned(), text: reply.text.clone(), structured: reply.structured }
}

/// What a response says: its status where that is not 200, else what the tool said.
fn of_answer(answer: Answer) -> Said {
    let message: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    let result = &message["result"];
    let outcome = match (answer.status, result["isError"].as_bool()) {
        (200, Some(false)) => "ok".to_owned(),
        (200, Some(true)) => result["structuredContent"]["error"]["kind"].as_str().unwrap_or("no sense").to_owned(),
        (200, None) => "no sense".to_owned(),
        (status, _) => format!("http {status}"),
    };
    Said { outcome, structured: result["structuredContent"].clone(), text: answer.body }
}
