//! What a client waits for, and what a new server must hear before it can carry the session on.
//!
//! Pure: lines go in, lines come out. The rules at a handover: a request that changes nothing is sent again; a call
//! that may have changed something is answered `unknown_outcome`, because repeating it could do it twice.

use crate::base::fault::{Fault, Kind};
use crate::base::ids::CorrelationId;
use crate::mcp::fault::short;
use crate::mcp::message::{self, Id, Refusal, Request};
use crate::mcp::session::MAX_LINE_BYTES;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap, HashSet};

/// A request without its answer yet.
#[derive(Debug)]
pub struct Entry {
    /// As the client wrote it.
    pub id: Id,
    /// As the server sees it: the same, unless rmcp could not repeat it.
    wire: Id,
    /// As it was sent to the server.
    line: Vec<u8>,
    method: String,
    tool: Option<String>,
    version: Option<String>,
    /// The batch it came in.
    pub batch: Option<u64>,
    sends: u32,
}

/// How often a request is sent at most: one that ends two servers will end the third as well.
const MAX_SENDS: u32 = 2;

/// Requests waited for before no more is read from the client. Lanes to routers are far narrower. A cancellation has to
/// wait then too, for as long as the quickest of them takes.
const FULL_IN_FLIGHT: usize = 256;

/// Bytes of requests in flight before no more is read: with the next line at most twice as many are kept.
const FULL_BYTES: usize = MAX_LINE_BYTES;

/// Requests in flight that are taken at all, subscriptions included: room for a batch and for many subscriptions.
const MAX_IN_FLIGHT: usize = 512;

/// Bytes of requests in flight that are kept at all: a batch may add its own length once more.
const MAX_BYTES: usize = 3 * MAX_LINE_BYTES;

/// Subscriptions of a session that are carried over, and the longest line of one: more than a session may have.
const MOST_SUBSCRIBED: (usize, usize) = (2_000, 4_096);

/// The request that stays open until its subscriber or the server ends it.
const LISTEN: &str = "subscriptions/listen";

/// The revision from which requests carry everything themselves.
const STATELESS: &str = "2026-07-28";

/// The one revision with batches.
pub const WITH_BATCHES: &str = "2025-03-26";

/// What one client waits for.
#[derive(Debug, Default)]
pub struct Book {
    /// In order of arrival.
    entries: BTreeMap<u64, Entry>,
    by_wire: HashMap<Id, u64>,
    by_id: HashMap<Id, u64>,
    bytes: usize,
    next: u64,
    /// The `initialize` that was answered.
    greeting: Option<Vec<u8>>,
    initialized: Option<Vec<u8>>,
    /// `resources/subscribe` that was answered, by address.
    subscribed: BTreeMap<String, Vec<u8>>,
    version: Option<String>,
    /// Answers to our own repetitions.
    swallowed: HashSet<Id>,
}

impl Book {
    /// Takes a request in and gives the line for the server.
    ///
    /// # Errors
    /// The answer for the client instead: -32600 for an id still in flight and, without `permissive`, for a second
    /// `initialize`; `busy` when too much is in flight.
    pub fn admit(&mut self, request: Request, line: Vec<u8>, batch: Option<u64>, permissive: bool) -> Result<Vec<u8>, Vec<u8>> {
        let refuse = |said: &str| Err(Refusal::new(message::INVALID_REQUEST, Some(request.id.clone()), said).line());
        if self.by_id.contains_key(&request.id) {
            return refuse("a request with this id is still in flight");
        }
        if request.method == "initialize" && self.greeting.is_some() && !permissive {
            return refuse("the session is initialized already");
        }
        let n = self.number();
        let entry = Entry::new(request, line, batch, permissive, n);
        if self.entries.len() >= MAX_IN_FLIGHT || self.bytes + entry.line.len() > MAX_BYTES {
            return Err(entry.too_busy());
        }
        let line = entry.line.clone();
        self.bytes += line.len();
        self.by_wire.insert(entry.wire.clone(), n);
        self.by_id.insert(entry.id.clone(), n);
        self.entries.insert(n, entry);
        Ok(line)
    }

    /// Notes that the request was handed to the server now behind us.
    pub fn sent(&mut self, id: &Id) {
        if let Some(entry) = self.by_id.get(id).and_then(|n| self.entries.get_mut(n)) {
            entry.sends += 1;
        }
    }

    /// The entry that the server's answer settles. `None`: nobody waits for it (any more).
    pub fn settle(&mut self, wire: &Id) -> Option<Entry> {
        if self.swallowed.remove(wire) {
            return None;
        }
        let n = self.by_wire.get(wire).copied()?;
        self.remove(n)
    }

    /// The client takes a request back: it will not be answered. `initialize` cannot be taken back.
    pub fn cancel(&mut self, id: &Id) -> Option<Entry> {
        let n = self.by_id.get(id).copied()?;
        if self.entries.get(&n).is_some_and(|entry| entry.method == "initialize") { None } else { self.remove(n) }
    }

    /// Remembers what belongs to the session, from an answered request and its answer: how it began, and what it
    /// subscribed to.
    pub fn remember(&mut self, entry: &Entry, answer: &[u8]) {
        match entry.method.as_str() {
            "initialize" => {
                let answer: Option<Value> = serde_json::from_slice(answer).ok();
                let version = answer.as_ref().and_then(|a| a.pointer("/result/protocolVersion")).and_then(Value::as_str);
                self.version = version.map(str::to_owned);
                self.greeting = Some(entry.line.clone());
            }
            "resources/subscribe" if self.subscribed.len() < MOST_SUBSCRIBED.0 && entry.line.len() <= MOST_SUBSCRIBED.1 => {
                if let Some(uri) = entry.uri() {
                    self.subscribed.insert(uri, entry.line.clone());
                }
            }
            "resources/unsubscribe" => {
                if let Some(uri) = entry.uri() {
                    self.subscribed.remove(&uri);
                }
            }
            _ => {}
        }
    }

    /// What the client hears after a handover: nobody watched what it subscribed to for a moment.
    pub fn missed(&self) -> Vec<Vec<u8>> {
        let notice = |uri: &String| json!({"jsonrpc": "2.0", "method": "notifications/resources/updated", "params": {"uri": uri}});
        self.subscribed.keys().map(|uri| notice(uri).to_string().into_bytes()).collect()
    }

    /// Remembers `notifications/initialized`.
    pub fn initialized(&mut self, line: &[u8]) {
        self.initialized.get_or_insert_with(|| line.to_vec());
    }

    /// Whether the negotiated revision knows batches.
    pub fn takes_batches(&self) -> bool {
        self.version.as_deref() == Some(WITH_BATCHES)
    }

    /// The server is gone: takes out what must not be sent again.
    pub fn lost(&mut self, reads: &dyn Fn(&str) -> bool) -> Vec<Entry> {
        self.swallowed.clear();
        let too_often = |entry: &Entry| entry.sends >= MAX_SENDS && entry.method != LISTEN;
        let unsafe_to_repeat = |entry: &Entry| entry.sends > 0 && (!entry.only_reads(reads) || too_often(entry));
        let gone: Vec<u64> = self.entries.iter().filter(|(_, entry)| unsafe_to_repeat(entry)).map(|(n, _)| *n).collect();
        gone.into_iter().filter_map(|n| self.remove(n)).collect()
    }

    /// Everything a new server has to hear, in order: how the session began, what it subscribed to, then every request
    /// still open.
    pub fn replay(&mut self) -> Vec<Vec<u8>> {
        let mut lines = Vec::new();
        if let Some(greeting) = self.greeting.clone() {
            let id = Id::ours(self.number());
            lines.extend(message::rewritten(&greeting, &id, false));
            self.swallowed.insert(id);
            lines.extend(self.initialized.clone());
            for line in self.subscribed.values().cloned().collect::<Vec<_>>() {
                let id = Id::ours(self.number());
                lines.extend(message::rewritten(&line, &id, false));
                self.swallowed.insert(id);
            }
        }
        for entry in self.entries.values_mut() {
            entry.sends += 1;
            lines.push(entry.line.clone());
        }
        lines
    }

    /// Takes everything out, for the end.
    pub fn take_all(&mut self) -> Vec<Entry> {
        let numbers: Vec<u64> = self.entries.keys().copied().collect();
        numbers.into_iter().filter_map(|n| self.remove(n)).collect()
    }

    /// Requests whose answers are waited for; a subscription's comes only when it is cancelled.
    pub fn waiting(&self) -> usize {
        self.entries.values().filter(|entry| entry.method != LISTEN).count()
    }

    /// No more should be read from the client until something is answered.
    pub fn is_full(&self) -> bool {
        self.bytes >= FULL_BYTES || (self.entries.len() >= FULL_IN_FLIGHT && self.waiting() >= FULL_IN_FLIGHT)
    }

    /// Requests in flight.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Nothing is in flight.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Bytes of the requests in flight, which are kept for a handover.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The id the server knows a client's id by.
    pub fn wire_of(&self, id: &Id) -> Option<&Id> {
        self.by_id.get(id).and_then(|n| self.entries.get(n)).map(|entry| &entry.wire)
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn remove(&mut self, n: u64) -> Option<Entry> {
        let entry = self.entries.remove(&n)?;
        self.by_wire.remove(&entry.wire);
        self.by_id.remove(&entry.id);
        self.bytes -= entry.line.len();
        Some(entry)
    }
}

impl Entry {
    fn new(request: Request, line: Vec<u8>, batch: Option<u64>, permissive: bool, n: u64) -> Self {
        let Request { id, method, tool, version, is_quirky } = request;
        let mend = permissive && is_quirky;
        let wire = if id.is_plain() { id.clone() } else { Id::ours(n) };
        let line = match mend || wire != id {
            true => message::rewritten(&line, &wire, mend).unwrap_or(line),
            false => line,
        };
        Entry { id, wire, line, method, tool, version, batch, sends: 0 }
    }

    /// Only a tool can change something, and only one that does not just read.
    fn only_reads(&self, reads: &dyn Fn(&str) -> bool) -> bool {
        self.method != "tools/call" || self.tool.as_deref().is_none_or(reads)
    }

    /// The server's answer under the client's own id.
    pub fn answer(&self, line: Vec<u8>) -> Vec<u8> {
        if self.wire == self.id {
            return line;
        }
        message::rewritten(&line, &self.id, false).unwrap_or(line)
    }

    /// The address the request is about.
    fn uri(&self) -> Option<String> {
        let message: Value = serde_json::from_slice(&self.line).ok()?;
        message.pointer("/params/uri").and_then(Value::as_str).map(str::to_owned)
    }

    /// The answer when the server left with it: a subscription ends, the outcome of a write is unknown, a read may be
    /// asked again.
    pub fn lost_answer(&self, reads: &dyn Fn(&str) -> bool) -> Vec<u8> {
        if self.method == LISTEN {
            let id = self.id.json();
            let meta = format!("{{\"io.modelcontextprotocol/subscriptionId\":{id}}}");
            return format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{{\"resultType\":\"complete\",\"_meta\":{meta}}}}}").into_bytes();
        }
        if self.sends == 0 || self.only_reads(reads) {
            let said = "the server left before it answered, and no other one took over";
            return self.fault(&Fault::new(Kind::Busy, said).hint("send the request again"));
        }
        let tool = self.tool.as_deref().unwrap_or_default();
        let tool = short(tool);
        let fault = Fault::new(
            Kind::UnknownOutcome,
            format!("{tool}: the server left before it answered; the change may or may not have been made"),
        );
        self.fault(&fault.hint("read back what it should have changed (plan.get for a plan) before sending it again"))
    }

    /// The answer when too much is in flight.
    fn too_busy(&self) -> Vec<u8> {
        self.fault(
            &Fault::new(Kind::Busy, "too many requests are in flight on this connection").hint("wait for answers, then send it again"),
        )
    }

    /// A fault as the contract shapes it: a tool result for a call, a JSON-RPC error for anything else.
    fn fault(&self, fault: &Fault) -> Vec<u8> {
        if self.method != "tools/call" {
            let hint = fault.hint.as_deref().unwrap_or_default();
            return Refusal::new(message::INTERNAL_ERROR, Some(self.id.clone()), format!("{}; {hint}", fault.said)).line();
        }
        let id = CorrelationId::random();
        let hint = fault.hint.as_deref().unwrap_or_default();
        let error = json!({
            "kind": fault.kind.as_str(), "message": fault.said, "hint": hint, "retryable": fault.kind.may_retry(), "correlation_id": id.as_str(),
        });
        let mut result = json!({
            "content": [{"type": "text", "text": format!("{}\nhint: {hint}", fault.said)}],
            "structuredContent": {"error": error},
            "isError": true,
            "_meta": {"correlation_id": id.as_str()},
        });
        if self.version.as_deref().is_some_and(|version| version >= STATELESS) {
            result["resultType"] = "complete".into();
        }
        format!("{{\"jsonrpc\":\"2.0\",\"id\":{},\"result\":{result}}}", self.id.json()).into_bytes()
    }
}

#[cfg(test)]
mod tests;
