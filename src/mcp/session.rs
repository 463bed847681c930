//! One MCP byte stream, from its first message to its end.
//!
//! rmcp stops reading and gives handlers a few seconds when a stream ends; a router may need longer for an answer that
//! has already been paid for. So the [`Gate`] between the two holds the end back until what is in flight is answered,
//! within the drain bound. It also forgives messages that come before a session began, for which rmcp would hang up.

use crate::access::principal::Principal;
use crate::base::fault::Fault;
use crate::dispatch::Dispatch;
use crate::mcp::counted::Counted;
use crate::mcp::fault::McpError;
use crate::mcp::handler::Handler;
use crate::mcp::provider::Ends;
use crate::mcp::settings::Settings;
use rmcp::RoleServer;
use rmcp::model::{
    ClientJsonRpcMessage, ClientNotification, ClientRequest, GetMeta, JsonRpcMessage, ProtocolVersion, RequestId, ServerJsonRpcMessage,
};
use rmcp::service::ServerInitializeError;
use rmcp::transport::Transport;
use rmcp::transport::async_rw::AsyncRwTransport;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Longest message of a client, in bytes; the same at every edge.
pub const MAX_LINE_BYTES: usize = 4 * 1024 * 1024;

/// Serves one MCP byte stream (newline-delimited JSON) until it ends or `stop` fires; then calls in flight may finish
/// within `settings.drain`.
///
/// # Errors
/// `bad_input` when the stream begins with what is no MCP session, `bug` when the session's task died.
pub async fn serve<IO>(
    dispatch: Arc<Dispatch>,
    principal: Arc<Principal>,
    settings: Arc<Settings>,
    io: IO,
    stop: CancellationToken,
) -> Result<(), Fault>
where
    IO: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (read, write) = tokio::io::split(io);
    // A little wider than the front, which answers what it refuses; rmcp only drops it.
    let wire = AsyncRwTransport::new_server(read, write).with_max_line_length(4 * MAX_LINE_BYTES);
    let over = CancellationToken::new();
    let _ends = over.clone().drop_guard();
    let gate = Gate::new(wire, settings.drain, stop, over.clone());
    let meter = dispatch.world().meter().clone();
    let _open = meter.session();
    let handler = Counted::new(Handler::new(dispatch, principal, settings, Ends { over, ..Ends::default() }), meter);
    match rmcp::service::serve_server(handler, gate).await {
        Ok(session) => session.waiting().await.map(drop).map_err(|error| McpError::Broken(error).into()),
        // Nobody said anything, or the client left in the middle of a handshake: no fault of ours.
        Err(ServerInitializeError::ConnectionClosed(_) | ServerInitializeError::TransportError { .. }) => Ok(()),
        Err(error) => Err(McpError::NoSession(Box::new(error)).into()),
    }
}

/// What rmcp still owes the client.
#[derive(Default)]
struct Owed {
    ids: Mutex<HashSet<RequestId>>,
    changed: Notify,
}

impl Owed {
    fn ids(&self) -> std::sync::MutexGuard<'_, HashSet<RequestId>> {
        self.ids.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn settle(&self, id: &RequestId) {
        self.ids().remove(id);
        self.changed.notify_one();
    }

    async fn nothing(&self) {
        while !self.ids().is_empty() {
            self.changed.notified().await;
        }
    }
}

/// A transport that ends only when nothing is owed any more.
struct Gate<T> {
    wire: T,
    owed: Arc<Owed>,
    /// The client made a beginning that rmcp accepts.
    begun: bool,
    /// No more messages are taken; when the last answers are due.
    ends: Option<Instant>,
    drain: Duration,
    stop: CancellationToken,
    /// Fired when no more messages are taken: what is open without end, subscriptions, is answered then.
    over: CancellationToken,
}

impl<T: Transport<RoleServer>> Gate<T> {
    fn new(wire: T, drain: Duration, stop: CancellationToken, over: CancellationToken) -> Self {
        Gate { wire, owed: Arc::default(), begun: false, ends: None, drain, stop, over }
    }

    /// Whether rmcp should see the message; keeps the account of what is owed.
    fn admits(&mut self, message: &ClientJsonRpcMessage) -> bool {
        match message {
            JsonRpcMessage::Request(request) => {
                self.begun = self.begun || begins(&request.request);
                if !matches!(request.request, ClientRequest::SubscriptionsListenRequest(_)) {
                    self.owed.ids().insert(request.id.clone());
                }
                true
            }
            JsonRpcMessage::Notification(notification) => {
                if let ClientNotification::CancelledNotification(cancelled) = &notification.notification
                    && let Some(id) = &cancelled.params.request_id
                {
                    // rmcp sends no answer to a cancelled request.
                    self.owed.settle(id);
                }
                self.begun
            }
            _ => self.begun,
        }
    }
}

/// Whether rmcp enters its session loop on this request; until then it hangs up on anything but requests.
fn begins(request: &ClientRequest) -> bool {
    match request {
        ClientRequest::InitializeRequest(_) => true,
        ClientRequest::PingRequest(_) | ClientRequest::DiscoverRequest(_) => false,
        other => {
            let meta = other.get_meta();
            let known = |version: ProtocolVersion| ProtocolVersion::KNOWN_VERSIONS.contains(&version);
            meta.missing_required_keys(&ProtocolVersion::V_2026_07_28).is_empty() && meta.protocol_version().is_some_and(known)
        }
    }
}

impl<T: Transport<RoleServer> + Send> Transport<RoleServer> for Gate<T> {
    type Error = T::Error;

    fn send(&mut self, item: ServerJsonRpcMessage) -> impl Future<Output = Result<(), Self::Error>> + Send + 'static {
        let answered = match &item {
            JsonRpcMessage::Response(response) => Some(response.id.clone()),
            JsonRpcMessage::Error(error) => error.id.clone(),
            _ => None,
        };
        let owed = self.owed.clone();
        let sent = self.wire.send(item);
        async move {
            let outcome = sent.await;
            if let Some(id) = answered {
                owed.settle(&id);
            }
            outcome
        }
    }

    async fn receive(&mut self) -> Option<ClientJsonRpcMessage> {
        // rmcp drops this future whenever something else happens: all state is in `self`.
        while self.ends.is_none() {
            let message = tokio::select! {
                message = self.wire.receive() => message,
                () = self.stop.cancelled() => None,
            };
            match message {
                Some(message) if self.admits(&message) => return Some(message),
                Some(_) => {}
                None => {
                    self.ends = Some(Instant::now() + self.drain);
                    self.over.cancel();
                }
            }
        }
        let ends = self.ends.unwrap_or_else(Instant::now);
        if tokio::time::timeout_at(ends, self.owed.nothing()).await.is_err() {
            tracing::warn!(left = self.owed.ids().len(), "calls still in flight at the end of the drain time");
        }
        None
    }

    async fn close(&mut self) -> Result<(), Self::Error> {
        self.wire.close().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use std::collections::VecDeque;
    use std::io;

    /// Gives what it has been given, then ends.
    struct Script(VecDeque<ClientJsonRpcMessage>);

    impl Transport<RoleServer> for Script {
        type Error = io::Error;

        fn send(&mut self, _: ServerJsonRpcMessage) -> impl Future<Output = io::Result<()>> + Send + 'static {
            std::future::ready(Ok(()))
        }

        async fn receive(&mut self) -> Option<ClientJsonRpcMessage> {
            self.0.pop_front()
        }

        async fn close(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn gate(messages: &[Value], drain: Duration) -> Gate<Script> {
        let script = messages.iter().map(|message| serde_json::from_value(message.clone()).unwrap()).collect();
        Gate::new(Script(script), drain, CancellationToken::new(), CancellationToken::new())
    }

    fn initialize() -> Value {
        json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
            "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}})
    }

    fn ping(id: u32) -> Value {
        json!({"jsonrpc": "2.0", "id": id, "method": "ping"})
    }

    fn answer(id: i64) -> ServerJsonRpcMessage {
        ServerJsonRpcMessage::response(rmcp::model::ServerResult::empty(()), RequestId::Number(id))
    }

    /// Whether the gate has an answer for rmcp now.
    async fn is_ready(gate: &mut Gate<Script>) -> bool {
        futures_util::poll!(std::pin::pin!(gate.receive())).is_ready()
    }

    const LONG: Duration = Duration::from_secs(600);

    #[tokio::test]
    async fn the_end_waits_for_the_answers() {
        let mut gate = gate(&[initialize(), ping(1)], LONG);
        assert!(gate.receive().await.is_some() && gate.receive().await.is_some());
        for id in [0, 1] {
            assert!(!is_ready(&mut gate).await, "before {id} is answered");
            gate.send(answer(id)).await.unwrap();
        }
        assert!(gate.receive().await.is_none());
    }

    #[tokio::test]
    async fn the_end_waits_for_no_cancelled_request_and_not_for_ever() {
        let cancelled = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 0}});
        let mut taken_back = gate(&[initialize(), cancelled], LONG);
        assert!(taken_back.receive().await.is_some() && taken_back.receive().await.is_some());
        assert!(taken_back.receive().await.is_none());
        let mut late = gate(&[initialize()], Duration::from_millis(1));
        late.receive().await.unwrap();
        assert!(late.receive().await.is_none());
    }

    #[tokio::test]
    async fn when_told_to_stop_nothing_more_is_taken() {
        let mut gate = gate(&[initialize()], LONG);
        gate.receive().await.unwrap();
        gate.send(answer(0)).await.unwrap();
        gate.wire.0.clear();
        gate.stop.cancel();
        assert!(gate.receive().await.is_none());
    }

    #[tokio::test]
    async fn only_requests_pass_before_a_beginning() {
        let notice = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
        let mut gate = gate(&[notice.clone(), ping(1), notice.clone(), initialize(), notice], LONG);
        for _ in 0..3 {
            assert!(gate.receive().await.is_some());
        }
        assert!(gate.wire.0.is_empty(), "two of five were swallowed");
    }
}
