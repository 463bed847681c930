//! Sessions whose answers outlast a connection.
//!
//! A router may have been changed while the line to the client was down, so an answer must not go with it. rmcp forgets
//! an answer as soon as it was written somewhere; here each request's events are kept until its session has had newer
//! ones, for a minute at most, and `Last-Event-ID` gives what came after it. Kept by session: another's never come up.
//!
//! rmcp gives ids of the streams that answer nothing twice, and tells new ones everything again: what comes on them is
//! numbered and kept here as well (`standalone.rs`). Events that only say where to go on are for clients of revisions that
//! know them; older ones take them for broken messages.
//!
//! Source: <https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#resumability-and-redelivery>

use crate::base::clock::Clock;
use crate::http::mcp::standalone::Standalone;
use futures_util::FutureExt;
use futures_util::stream::{self, Stream, StreamExt};
use rmcp::model::{ClientJsonRpcMessage, ServerJsonRpcMessage, ServerResult};
use rmcp::transport::streamable_http_server::SessionManager;
use rmcp::transport::streamable_http_server::session::local::{LocalSessionManager, LocalSessionManagerError};
use rmcp::transport::streamable_http_server::session::{ServerSseMessage, SessionId};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio_util::task::TaskTracker;

/// Answers kept of one session beside those that are still worked on.
const ANSWERS: usize = 8;
/// How long at most. Clients come back within seconds: they are told to.
const KEPT: Duration = Duration::from_secs(60);
/// Events kept of one request: a few hundred steps of progress and the answer.
const EVENTS: usize = 256;
/// Events that wait for a client; one that reads more slowly comes back for the rest.
const AHEAD: usize = 64;

/// The first revision whose clients know events without data.
const PRIMES_SINCE: &str = "2025-11-25";

/// Whether a client of that revision is told where to go on before there is anything to tell. Revisions are dates.
pub fn primes(version: &str) -> bool {
    version >= PRIMES_SINCE
}

/// rmcp's sessions, with answers that can be asked for again.
pub struct Redelivery {
    local: Arc<LocalSessionManager>,
    kept: Arc<Mutex<HashMap<SessionId, Kept>>>,
    clock: Clock,
    tasks: TaskTracker,
}

/// What is kept of one session.
#[derive(Default)]
struct Kept {
    primes: bool,
    answers: Answers,
    /// From the first of them on.
    standalone: Option<Arc<Mutex<Standalone>>>,
}

/// Of one session, by the number of the request in it.
type Answers = BTreeMap<u64, Arc<Mutex<Answer>>>;

/// What was said to one request.
#[derive(Default)]
struct Answer {
    events: Vec<ServerSseMessage>,
    /// Who listens now.
    listener: Option<Sender<ServerSseMessage>>,
    ended_at: Option<Duration>,
}

impl Answer {
    fn take(&mut self, event: ServerSseMessage) {
        if self.listener.as_ref().is_some_and(|listener| listener.try_send(event.clone()).is_err()) {
            self.listener = None;
        }
        if self.events.len() >= EVENTS {
            self.events.remove(0);
        }
        self.events.push(event);
    }

    /// Everything after an event, and what is still to come; whoever listened before is let go.
    fn listen(&mut self, after: Option<u64>) -> Receiver<ServerSseMessage> {
        let missed = self.events.iter().filter(|event| after.is_none_or(|after| place(event).is_none_or(|(index, _)| index > after)));
        let missed: Vec<ServerSseMessage> = missed.cloned().collect();
        let (sender, receiver) = channel(missed.len() + AHEAD);
        for event in missed {
            // There is room: it was made for them.
            let _ = sender.try_send(event);
        }
        self.listener = self.ended_at.is_none().then_some(sender);
        receiver
    }
}

impl Redelivery {
    /// Over rmcp's own.
    pub fn new(local: Arc<LocalSessionManager>, clock: Clock, tasks: TaskTracker) -> Self {
        Redelivery { local, kept: Arc::default(), clock, tasks }
    }

    /// Lets go of answers that are old, and of sessions that ended.
    pub async fn sweep(&self) {
        // Those that begin meanwhile are in neither.
        let known: HashSet<SessionId> = lock(&self.kept).keys().cloned().collect();
        let alive: HashSet<SessionId> = self.local.sessions.read().await.keys().cloned().collect();
        let now = self.clock.mono();
        lock(&self.kept).retain(|session, kept| {
            kept.answers.retain(|_, answer| lock(answer).ended_at.is_none_or(|at| now.saturating_sub(at) < KEPT));
            if let Some(streams) = &kept.standalone {
                lock(streams).forget(now, KEPT);
            }
            alive.contains(session) || !known.contains(session)
        });
    }

    fn primes(&self, session: &SessionId) -> bool {
        lock(&self.kept).get(session).is_some_and(|kept| kept.primes)
    }

    /// The streams of a session that answer nothing, and whether they have just begun.
    fn standalone(&self, session: &SessionId) -> (Arc<Mutex<Standalone>>, bool) {
        let mut kept = lock(&self.kept);
        let place = &mut kept.entry(session.clone()).or_default().standalone;
        let is_new = place.is_none();
        (place.get_or_insert_default().clone(), is_new)
    }

    /// Numbers and keeps what rmcp tells on its one stream, as long as the session lasts.
    fn hear(&self, id: &SessionId, streams: &Arc<Mutex<Standalone>>, events: impl Stream<Item = ServerSseMessage> + Send + 'static) {
        // Held weakly: the session's end lets go of its listeners, whatever rmcp's stream does.
        let (streams, clock, kept, id) = (Arc::downgrade(streams), self.clock.clone(), self.kept.clone(), id.clone());
        self.tasks.spawn(async move {
            let mut events = pin!(events);
            while let Some(event) = events.next().await {
                let Some(streams) = streams.upgrade() else { return };
                lock(&streams).tell(event, clock.mono());
            }
            // rmcp's session is over, perhaps by itself: whoever still listens is let go with the list.
            if let Some(kept) = lock(&kept).get_mut(&id) {
                kept.standalone = None;
            }
        });
    }

    /// Keeps what comes for a request, whether or not anybody listens.
    fn keep(
        &self,
        session: &SessionId,
        request: u64,
        first: Option<ServerSseMessage>,
        rest: impl Stream<Item = ServerSseMessage> + Send + 'static,
    ) -> Receiver<ServerSseMessage> {
        let mut answer = Answer::default();
        first.into_iter().for_each(|first| answer.take(first));
        let receiver = answer.listen(None);
        let answer = Arc::new(Mutex::new(answer));
        {
            let mut kept = lock(&self.kept);
            let answers = &mut kept.entry(session.clone()).or_default().answers;
            let ended: Vec<u64> = answers.iter().filter(|(_, answer)| lock(answer).ended_at.is_some()).map(|(n, _)| *n).collect();
            for old in ended.iter().take((ended.len() + 1).saturating_sub(ANSWERS)) {
                answers.remove(old);
            }
            answers.insert(request, answer.clone());
        }
        let clock = self.clock.clone();
        self.tasks.spawn(async move {
            let mut rest = pin!(rest);
            while let Some(event) = rest.next().await {
                lock(&answer).take(event);
            }
            let mut answer = lock(&answer);
            answer.ended_at = Some(clock.mono());
            answer.listener = None;
        });
        receiver
    }

    fn again(&self, session: &SessionId, last: &str) -> Option<Receiver<ServerSseMessage>> {
        let (index, request) = parsed(last)?;
        let answer = lock(&self.kept).get(session)?.answers.get(&request)?.clone();
        let receiver = lock(&answer).listen(Some(index));
        Some(receiver)
    }
}

impl SessionManager for Redelivery {
    type Error = LocalSessionManagerError;
    type Transport = <LocalSessionManager as SessionManager>::Transport;

    async fn create_session(&self) -> Result<(SessionId, Self::Transport), Self::Error> {
        self.local.create_session().await
    }

    async fn initialize_session(&self, id: &SessionId, message: ClientJsonRpcMessage) -> Result<ServerJsonRpcMessage, Self::Error> {
        let answer = self.local.initialize_session(id, message).await?;
        let version = match &answer {
            ServerJsonRpcMessage::Response(response) => match &response.result {
                ServerResult::InitializeResult(result) => result.protocol_version.as_str(),
                _ => "",
            },
            _ => "",
        };
        lock(&self.kept).insert(id.clone(), Kept { primes: primes(version), ..Kept::default() });
        Ok(answer)
    }

    async fn has_session(&self, id: &SessionId) -> Result<bool, Self::Error> {
        self.local.has_session(id).await
    }

    async fn close_session(&self, id: &SessionId) -> Result<(), Self::Error> {
        lock(&self.kept).remove(id);
        self.local.close_session(id).await
    }

    async fn create_stream(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        let mut events = Box::pin(self.local.create_stream(id, message).await?);
        // The first says where its client can go on, and so which request of the session it is.
        let first = events.next().await;
        let receiver = match first {
            Some(first) => match place(&first) {
                Some((_, request)) => {
                    let first = Some(first).filter(|first| first.message.is_some() || self.primes(id));
                    self.keep(id, request, first, events)
                }
                None => return Err(LocalSessionManagerError::SessionNotFound(id.clone())),
            },
            None => return Err(LocalSessionManagerError::SessionNotFound(id.clone())),
        };
        Ok(received(receiver))
    }

    async fn accept_message(&self, id: &SessionId, message: ClientJsonRpcMessage) -> Result<(), Self::Error> {
        self.local.accept_message(id, message).await
    }

    async fn create_standalone_stream(
        &self,
        id: &SessionId,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        let (streams, is_new) = self.standalone(id);
        if is_new {
            let heard = self.local.create_standalone_stream(id).await.inspect_err(|_| {
                lock(&self.kept).remove(id);
            });
            let mut events = Box::pin(heard?);
            // What was told before anybody listened is there already, and old.
            while let Some(Some(_)) = events.next().now_or_never() {}
            self.hear(id, &streams, events);
        }
        let primes = self.primes(id);
        let receiver = lock(&streams).begin(primes);
        Ok(received(receiver))
    }

    async fn resume(
        &self,
        id: &SessionId,
        last_event_id: String,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        let found = match parsed(&last_event_id) {
            Some(_) => self.again(id, &last_event_id),
            None => {
                let streams = lock(&self.kept).get(id).and_then(|kept| kept.standalone.clone());
                streams.and_then(|streams| lock(&streams).again(&last_event_id))
            }
        };
        // What is not kept any more, or never was, ends at once, and its client gives up.
        let (_, nothing) = channel(1);
        Ok(received(found.unwrap_or(nothing)))
    }
}

/// An event of a request: how many came before it, and which request of the session it is.
fn parsed(id: &str) -> Option<(u64, u64)> {
    let (index, request) = id.split_once('/')?;
    Some((index.parse().ok()?, request.parse().ok()?))
}

fn place(event: &ServerSseMessage) -> Option<(u64, u64)> {
    parsed(event.event_id.as_deref()?)
}

fn received(mut events: Receiver<ServerSseMessage>) -> impl Stream<Item = ServerSseMessage> + Send + Sync + 'static {
    stream::poll_fn(move |cx| events.poll_recv(cx))
}

fn lock<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::Wall;

    fn event(index: usize) -> ServerSseMessage {
        ServerSseMessage::priming(format!("{index}/3"), Duration::from_secs(3))
    }

    fn indexes(mut receiver: Receiver<ServerSseMessage>) -> Vec<u64> {
        std::iter::from_fn(|| receiver.try_recv().ok()).filter_map(|event| place(&event)).map(|(index, _)| index).collect()
    }

    #[test]
    fn whoever_reads_too_slowly_is_let_go_and_comes_back_for_the_rest() {
        let mut answer = Answer::default();
        let slow = answer.listen(None);
        (0..AHEAD + 10).for_each(|index| answer.take(event(index)));
        assert!(answer.listener.is_none());
        let got = indexes(slow);
        assert_eq!(got, (0..AHEAD as u64).collect::<Vec<_>>());
        let back = answer.listen(got.last().copied());
        answer.take(event(AHEAD + 10));
        assert_eq!(indexes(back), (AHEAD as u64..AHEAD as u64 + 11).collect::<Vec<_>>());
    }

    #[test]
    fn only_so_many_events_are_kept() {
        let mut answer = Answer::default();
        (0..EVENTS + 5).for_each(|index| answer.take(event(index)));
        assert_eq!(indexes(answer.listen(None)).first(), Some(&5));
    }

    #[tokio::test]
    async fn an_answer_is_kept_for_a_minute_and_never_longer_than_its_session() {
        let (clock, hand) = Clock::by_hand(Wall(0));
        let local = Arc::new(LocalSessionManager::default());
        let sessions = Redelivery::new(local.clone(), clock, TaskTracker::new());
        let (session, _transport) = local.create_session().await.unwrap();
        let keep = async |request: u64| {
            drop(sessions.keep(&session, request, Some(event(0)), stream::iter([event(1)])));
            sessions.tasks.close();
            sessions.tasks.wait().await;
            sessions.tasks.reopen();
        };
        keep(3).await;
        sessions.sweep().await;
        assert_eq!(indexes(sessions.again(&session, "0/3").unwrap()), [1]);
        assert!(sessions.again(&session, "0/4").is_none() && sessions.again(&"another".into(), "0/3").is_none());
        hand.advance(KEPT);
        sessions.sweep().await;
        assert!(sessions.again(&session, "0/3").is_none());
        keep(5).await;
        local.close_session(&session).await.unwrap();
        sessions.sweep().await;
        assert!(lock(&sessions.kept).is_empty());
    }
}
