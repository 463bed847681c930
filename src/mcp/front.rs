//! Our front before rmcp: one client on one pipe, whoever serves it.
//!
//! It reads lines in bounded memory, answers broken ones as JSON-RPC asks, and passes the others on to a
//! [`Backend`]: a session served in this process, or a stream to the process that holds the store. When that process
//! leaves, the front finds another one (the CLI says how), tells it how the session began, and carries on: the client
//! notices nothing but a pause, except for calls whose outcome nobody can know.
//!
//! Everything runs in one task: nothing is spawned, and no peer that stops reading can block the others.

use crate::base::fault::{Fault, Kind};
use crate::mcp::backend::{Backend, Reopen, find};
use crate::mcp::batch::Batches;
use crate::mcp::book::{Book, Entry};
use crate::mcp::fault::McpError;
use crate::mcp::lines::{Line, Lines};
use crate::mcp::message::{self, Id, Message, Refusal};
use crate::mcp::outbox::Outbox;
use crate::mcp::session::MAX_LINE_BYTES;
use futures_util::future::BoxFuture;
use std::io;
use std::pin::Pin;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, BufReader};
use tokio::time::Sleep;
use tokio_util::sync::CancellationToken;

/// Longest answer of a server, in bytes. Token budgets keep answers far below it.
const MAX_ANSWER_BYTES: usize = 16 * 1024 * 1024;

/// Bytes that wait for a peer before we stop reading those who make more.
const MAX_WAITING_BYTES: usize = 8 * 1024 * 1024;

/// Longest message without an answer, in bytes: cancellations and the like are short.
const MAX_NOTICE_BYTES: usize = 64 * 1024;

/// Servers lost one after the other without a single answer before we give up: starting one more would not help.
const MAX_FRUITLESS: u32 = 5;

/// How long the last answers may take to be written when the drain time is over.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// How long is waited for what.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Longest message of the client, in bytes.
    pub line_bytes: usize,
    /// For answers in flight after the client's end of stream or our stop signal.
    pub drain: Duration,
    /// For another server when one left.
    pub reopen: Duration,
    /// Tolerate the quirks listed in [`crate::mcp::message`], and a second `initialize`.
    pub permissive: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { line_bytes: MAX_LINE_BYTES, drain: Duration::from_secs(30), reopen: Duration::from_secs(30), permissive: false }
    }
}

/// Serves the client on `input` and `output` through `first`, and through what `reopen` finds when that goes away,
/// until its stream ends or `stop` fires; then answers in flight have `limits.drain`.
///
/// `reads` says of a tool's name, in either spelling, whether calling it twice does no harm.
///
/// # Errors
/// What `reopen` said last, when no other server could be found within `limits.reopen`. The client has its answers
/// then: errors.
pub async fn run<R, W, O, F>(
    input: R,
    output: W,
    first: Backend,
    mut reopen: O,
    reads: impl Fn(&str) -> bool + Send + Sync,
    limits: Limits,
    stop: CancellationToken,
) -> Result<(), Fault>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
    O: FnMut() -> F + Send + 'static,
    F: Future<Output = Result<Backend, Fault>> + Send + 'static,
{
    let mut front = Front {
        client: Lines::new(BufReader::new(input), limits.line_bytes),
        answers: Outbox::new(output),
        server: None,
        orders: None,
        opening: None,
        reopen: Some(Box::new(move || Box::pin(reopen()))),
        book: Book::default(),
        batches: Batches::default(),
        reads: &reads,
        limits,
        deadline: None,
        stopping: false,
        fruitless: 0,
    };
    front.attach(first);
    front.serve(stop).await
}

struct Front<'a, R, W> {
    client: Lines<BufReader<R>>,
    answers: Outbox<W>,
    server: Option<Lines<BufReader<Box<dyn AsyncRead + Send + Unpin>>>>,
    orders: Option<Outbox<Box<dyn AsyncWrite + Send + Unpin>>>,
    opening: Option<BoxFuture<'static, (Reopen, Result<Backend, Fault>)>>,
    reopen: Option<Reopen>,
    book: Book,
    batches: Batches,
    reads: &'a (dyn Fn(&str) -> bool + Send + Sync),
    limits: Limits,
    /// Set once no more is read from the client: when what is left is given up.
    deadline: Option<Pin<Box<Sleep>>>,
    stopping: bool,
    fruitless: u32,
}

enum Event {
    Client(io::Result<Line>),
    Server(io::Result<Line>),
    Answered(io::Result<()>),
    Ordered(io::Result<()>),
    Opened(Reopen, Result<Backend, Fault>),
    Stop,
    Deadline,
}

impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin> Front<'_, R, W> {
    async fn serve(&mut self, stop: CancellationToken) -> Result<(), Fault> {
        while !self.is_done() {
            match self.event(&stop).await {
                Event::Client(Ok(Line::Whole(line))) => self.heard_client(line),
                Event::Client(Ok(Line::TooLong)) => {
                    let said = format!("a message is at most {} bytes", self.limits.line_bytes);
                    self.answers.push(Refusal::new(message::INVALID_REQUEST, None, said).line());
                }
                Event::Client(Ok(Line::End) | Err(_)) => self.begin_to_end(),
                Event::Stop => {
                    self.stopping = true;
                    self.begin_to_end();
                }
                Event::Server(Ok(Line::Whole(line))) => self.heard_server(line),
                Event::Server(_) | Event::Ordered(Err(_)) => {
                    if let Some(fault) = self.lost_server() {
                        return self.give_up(fault).await;
                    }
                }
                Event::Answered(Ok(())) | Event::Ordered(Ok(())) => {}
                // Nobody reads our answers any more.
                Event::Answered(Err(_)) => return Ok(()),
                Event::Opened(reopen, Ok(backend)) => {
                    self.reopen = Some(reopen);
                    self.attach(backend);
                    for line in self.book.replay() {
                        self.order(line);
                    }
                    for line in self.book.missed() {
                        self.answers.push(line);
                    }
                }
                Event::Opened(_, Err(fault)) => return self.give_up(fault).await,
                Event::Deadline => {
                    self.answer_all();
                    self.last_words().await;
                    return Ok(());
                }
            }
        }
        // Only subscriptions are still open: their answer says that they end.
        self.answer_all();
        self.last_words().await;
        Ok(())
    }

    /// The next thing that happens. Each of the futures may be dropped without loss.
    async fn event(&mut self, stop: &CancellationToken) -> Event {
        let ending = self.deadline.is_some();
        let orders_bytes = self.orders.as_ref().map_or(0, Outbox::bytes);
        let answers_bytes = self.answers.bytes();
        let hears_client = !ending && !self.book.is_full() && answers_bytes < MAX_WAITING_BYTES && orders_bytes < MAX_WAITING_BYTES;
        let has_orders = self.orders.as_ref().is_some_and(|orders| !orders.is_empty());
        tokio::select! {
            // Our own end comes first: a local server hears it too, and its leaving must not look like a loss.
            biased;
            () = stop.cancelled(), if !self.stopping => Event::Stop,
            () = of(&mut self.deadline, |deadline| deadline), if ending => Event::Deadline,
            (reopen, found) = of(&mut self.opening, |opening| opening) => {
                self.opening = None;
                Event::Opened(reopen, found)
            }
            done = self.answers.pump(), if !self.answers.is_empty() => Event::Answered(done),
            done = of(&mut self.orders, |orders| orders.pump()), if has_orders => Event::Ordered(done),
            line = of(&mut self.server, |server| server.next()), if answers_bytes < MAX_WAITING_BYTES => Event::Server(line),
            line = self.client.next(), if hears_client => Event::Client(line),
        }
    }

    /// The client has gone or we are told to, and everything is answered.
    fn is_done(&self) -> bool {
        let orders_are_out = self.orders.as_ref().is_none_or(Outbox::is_empty);
        self.deadline.is_some() && self.book.waiting() == 0 && self.answers.is_empty() && orders_are_out
    }

    fn begin_to_end(&mut self) {
        if self.deadline.is_none() {
            self.deadline = Some(Box::pin(tokio::time::sleep(self.limits.drain)));
        }
    }

    fn attach(&mut self, backend: Backend) {
        self.server = Some(Lines::new(BufReader::new(backend.input), MAX_ANSWER_BYTES));
        self.orders = Some(Outbox::new(backend.output));
    }

    fn order(&mut self, line: Vec<u8>) {
        if let Some(orders) = &mut self.orders {
            orders.push(line);
        }
    }

    fn heard_client(&mut self, line: Vec<u8>) {
        let line = match line.strip_prefix(b"\xef\xbb\xbf") {
            Some(rest) => rest.to_vec(),
            None => line,
        };
        match line.iter().find(|byte| !byte.is_ascii_whitespace()) {
            None => {}
            Some(b'[') => self.take_batch(&line),
            Some(_) => self.take_message(line, None),
        }
    }

    fn take_message(&mut self, line: Vec<u8>, batch: Option<u64>) {
        match message::inspect(&line) {
            Err(refusal) => self.deliver(refusal.line(), batch),
            Ok(Message::Request(request)) => {
                let id = request.id.clone();
                match self.book.admit(request, line, batch, self.limits.permissive) {
                    Err(answer) => self.deliver(answer, batch),
                    // Without a server it waits for the replay.
                    Ok(line) if self.orders.is_some() => {
                        self.book.sent(&id);
                        self.order(line);
                    }
                    Ok(_) => {}
                }
            }
            Ok(Message::Notification { method, cancels }) => self.take_notification(line, &method, cancels),
            Ok(Message::Answer { .. }) => self.order_notice(line),
        }
    }

    fn take_notification(&mut self, line: Vec<u8>, method: &str, cancels: Option<Id>) {
        if method == "notifications/initialized" {
            self.book.initialized(&line);
        }
        let Some(id) = cancels else { return self.order_notice(line) };
        let wire = self.book.wire_of(&id).cloned();
        let Some(entry) = self.book.cancel(&id) else { return };
        if let Some(batch) = entry.batch {
            let whole = self.batches.close_one(batch);
            whole.into_iter().for_each(|answers| self.answers.push(answers));
        }
        match wire {
            Some(wire) if wire != id => self.order_notice(message::cancellation(&line, &wire).unwrap_or_default()),
            _ => self.order_notice(line),
        }
    }

    fn order_notice(&mut self, line: Vec<u8>) {
        match line.len() {
            1..=MAX_NOTICE_BYTES => self.order(line),
            bytes => tracing::warn!(bytes, "dropped a message of the client that wants no answer"),
        }
    }

    /// Splits a batch; the answers come back as one.
    fn take_batch(&mut self, line: &[u8]) {
        let split = match self.book.takes_batches() {
            true => self.batches.split(line),
            false => {
                let said = "batches belong to protocol version 2025-03-26; send one message a line";
                Err(Refusal::new(message::INVALID_REQUEST, None, said))
            }
        };
        match split {
            Ok((batch, lines)) => lines.into_iter().for_each(|line| self.take_message(line, Some(batch))),
            Err(refusal) => self.answers.push(refusal.line()),
        }
    }

    /// Sends an answer, or keeps it until its batch is complete.
    fn deliver(&mut self, answer: Vec<u8>, batch: Option<u64>) {
        let out = match batch {
            Some(batch) => self.batches.answered(batch, answer),
            None => Some(answer),
        };
        out.into_iter().for_each(|answer| self.answers.push(answer));
    }

    fn heard_server(&mut self, line: Vec<u8>) {
        let (wire, is_error) = match message::answered(&line)
            .map_or_else(|| message::inspect(&line).ok(), |(id, is_error)| Some(Message::Answer { id, is_error }))
        {
            Some(Message::Answer { id, is_error }) => (id, is_error),
            // Notifications and requests of the server, and errors without an id.
            _ => return self.answers.push(line),
        };
        self.fruitless = 0;
        let Some(entry) = self.book.settle(&wire) else { return };
        if !is_error {
            self.book.remember(&entry, &line);
        }
        self.deliver(entry.answer(line), entry.batch);
    }

    /// Answers what must not be repeated and looks for another server. `Some`: there is no point in looking.
    fn lost_server(&mut self) -> Option<Fault> {
        self.server = None;
        self.orders = None;
        let reads = self.reads;
        let lost = self.book.lost(&|tool| reads(tool));
        self.answer_lost(lost);
        if self.stopping || (self.deadline.is_some() && self.book.waiting() == 0) {
            self.answer_all();
            return None;
        }
        self.fruitless += 1;
        if self.fruitless > MAX_FRUITLESS {
            return Some(Fault::new(Kind::Conflict, "one server after the other left without an answer"));
        }
        tracing::info!(in_flight = self.book.len(), "the server of this session left; looking for another");
        let reopen = self.reopen.take()?;
        self.opening = Some(Box::pin(find(reopen, self.limits.reopen)));
        None
    }

    fn answer_lost(&mut self, lost: Vec<Entry>) {
        let reads = self.reads;
        for entry in lost {
            self.deliver(entry.lost_answer(&|tool| reads(tool)), entry.batch);
        }
    }

    fn answer_all(&mut self) {
        let left = self.book.take_all();
        self.answer_lost(left);
    }

    async fn give_up(&mut self, fault: Fault) -> Result<(), Fault> {
        self.answer_all();
        self.last_words().await;
        Err(McpError::NoBackend(fault).into())
    }

    /// Writes what is left, as far as the client takes it.
    async fn last_words(&mut self) {
        let all = async { while !self.answers.is_empty() && self.answers.pump().await.is_ok() {} };
        let _ = tokio::time::timeout(LAST_WORDS, all).await;
    }
}

/// What `work` makes of `slot`; never ready while it is empty.
async fn of<'a, T, F: Future>(slot: &'a mut Option<T>, work: impl FnOnce(&'a mut T) -> F) -> F::Output {
    match slot {
        Some(content) => work(content).await,
        None => std::future::pending().await,
    }
}
