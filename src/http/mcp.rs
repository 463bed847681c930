//! MCP Streamable HTTP: what stands between a caller and rmcp.
//!
//! rmcp speaks the protocol; whose a session is, how many there are, what a token may ask for, and what is wrong with a
//! broken message are ours. The handler below is the one of stdio, so both give the same answers.
//!
//! Source: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports>

mod greeting;
pub mod listening;
pub mod protocol;
pub mod redelivery;
pub mod sessions;
pub mod standalone;
pub mod stream;

use crate::access::principal::Principal;
use crate::access::scope::Scope;
use crate::access::token::Bearer;
use crate::base::fault::Kind;
use crate::base::tier::Effect;
use crate::dispatch::Dispatch;
use crate::host::metrics::Meter;
use crate::http::fault::{self, Refusal};
use crate::http::inflow::Inflow;
use crate::http::limits::{self, Limits};
use crate::http::{Asked, Body, Edge, bearer, intake};
use crate::mcp::message::{self, Id, Message, Refusal as Broken};
use crate::mcp::news::Handover;
use crate::mcp::provider::{Ends, Provider};
use crate::tools;
use bytes::Bytes;
use greeting::Greeting;
use http_body_util::{BodyExt, Full};
use hyper::header::{self, HeaderMap, HeaderName};
use hyper::http::request::Parts;
use hyper::{Method, Request, Response, StatusCode};
use listening::Listening;
use protocol::{Protocol, Rmcp};
use redelivery::Redelivery;
use rmcp::transport::StreamableHttpServerConfig;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use sessions::Sessions;
use std::sync::Arc;
use std::time::Duration;
use stream::Watched;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A session's id, of revisions that have sessions.
const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");

/// The revision a request is of, and the first that has no sessions. Revisions are dates.
const VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
const SESSIONLESS: &str = "2026-07-28";

/// MCP over HTTP.
pub struct Mcp {
    dispatch: Arc<Dispatch>,
    settings: Arc<crate::mcp::Settings>,
    protocol: Box<dyn Protocol>,
    sessions: Sessions,
    max_body: usize,
    body_time: Duration,
    keep_alive: Duration,
    over: CancellationToken,
}

impl Mcp {
    /// Over what `provider` answers. `ends` says when handlers finish, `end` ends everything.
    pub fn new(
        provider: impl Provider,
        (dispatch, settings): (Arc<Dispatch>, Arc<crate::mcp::Settings>),
        limits: &Limits,
        tasks: TaskTracker,
        ends: Ends,
        end: CancellationToken,
    ) -> Mcp {
        let clock = dispatch.world().clock.clone();
        let mut local = LocalSessionManager::default();
        local.session_config.keep_alive = Some(limits.session_idle);
        let local = Arc::new(local);
        let sessions = Sessions::new(local.clone(), clock.clone(), limits.sessions);
        let resumable = Arc::new(Redelivery::new(local, clock, tasks));
        let config = StreamableHttpServerConfig::default()
            // Host and Origin were checked, with more known than there.
            .disable_allowed_hosts()
            .disable_allowed_origins()
            .with_json_response(true)
            .with_sse_keep_alive(Some(limits.keep_alive))
            // Which answers begin with it is ours to say, and which ids it has.
            .with_sse_retry(None)
            .with_max_request_body_bytes(limits.body_bytes.max(1))
            .with_cancellation_token(end);
        let over = ends.over.clone();
        let protocol =
            Box::new(Rmcp { provider: Arc::new(provider), sessions: resumable, config, ends, meter: dispatch.world().meter().clone() });
        let (max_body, body_time, keep_alive) = (limits.body_bytes, limits.body, limits.keep_alive);
        Mcp { dispatch, settings, protocol, sessions, max_body, body_time, keep_alive, over }
    }

    fn meter(&self) -> &Meter {
        self.dispatch.world().meter()
    }

    /// How many sessions there are.
    pub async fn open_sessions(&self) -> usize {
        self.sessions.open().await
    }

    /// Lets go of what nobody will ask for any more.
    pub async fn sweep(&self) {
        self.protocol.sweep().await;
    }

    /// Answers a known caller.
    pub async fn answer(&self, edge: &Edge, asked: Asked, caller: Bearer, request: Request<Inflow>) -> Result<Response<Body>, Refusal> {
        let who = Arc::new(caller.principal);
        let (scopes, expires_at) = (caller.scopes, caller.expires_at);
        let (mut parts, body) = request.into_parts();
        parts.extensions.insert(asked.correlation.clone());
        let method = parts.method.clone();
        if !matches!(method, Method::POST | Method::GET | Method::DELETE) {
            return Err(Refusal::method("GET, POST, DELETE"));
        }
        // Before the body is read: bodies are what takes memory.
        let running = Arc::new(edge.enter(&who)?);
        let taken = if method == Method::POST { Some(self.message(&parts.headers, body).await?) } else { None };
        let session = self.session(&parts, &who)?;
        let left = edge.take(&who)?;
        let needed = taken.as_ref().map_or(Ok(Scope::Read), |taken| needed(&taken.message))?;
        if !scopes.contains(&needed) {
            self.meter().denied(who.role.as_str(), "scope");
            self.dispatch.world().alerts.used(&who, Effect::Reads, Some(Kind::Denied));
            return Err(bearer::insufficient(edge, &asked, &[needed]));
        }
        let asks = |method: &str| matches!(&taken, Some(Taken { message: Message::Request(request), .. }) if request.method == method);
        let greeting = match &taken {
            Some(Taken { message: Message::Request(request), line }) if request.method == "initialize" => {
                // Since 2026-07-28 there is no such method, whatever its params.
                let is_of_old = request.version.is_none() && parts.headers.get(VERSION).is_none_or(|version| version < SESSIONLESS);
                Some(if is_of_old { Greeting::read(line).map_err(|said| unfit(&request.id, said))? } else { Greeting::default() })
            }
            _ => None,
        };
        let begins = greeting.is_some();
        let handover = (session.is_none() && asks("subscriptions/listen")).then(Handover::default);
        let line = taken.map(|taken| taken.line).unwrap_or_default();
        if let Some(handover) = &handover {
            parts.extensions.insert(handover.clone());
        }
        if !begins {
            // In a session the answer begins at once and the work goes on: it counts until the handler is done with its request.
            parts.extensions.insert(running.clone());
        }
        let response = match greeting {
            Some(greeting) => self.begin(&who, &greeting, parts, line).await?,
            None => self.pass(&who, session.as_deref(), parts, line).await?,
        };
        let mut response = protocol::worded(response, &asked.correlation).await?;
        limits::tell(response.headers_mut(), left);
        let is_stream = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == "text/event-stream");
        if !is_stream {
            return Ok(response);
        }
        let response = match handover {
            Some(handover) => response.map(|body| Listening::new(body, handover, self.over.clone(), self.keep_alive, running).boxed()),
            None => response,
        };
        let (access, meter) = (&self.dispatch.world().access, self.meter());
        Ok(response.map(|body| Watched::new(body, access.clone(), who, expires_at, meter.stream()).boxed()))
    }

    /// The message in a body, as far as it can be judged without its meaning.
    async fn message(&self, headers: &HeaderMap, body: Inflow) -> Result<Taken, Refusal> {
        let line = intake::of_kind("application/json", headers, body, self.max_body, self.body_time).await?;
        let broken = |broken: &Broken| Refusal::rpc(StatusCode::BAD_REQUEST, "message", broken.line());
        if line.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[') {
            let said = "batches are not taken over HTTP: send one message a request";
            let code = if serde_json::from_slice::<serde::de::IgnoredAny>(&line).is_ok() {
                message::INVALID_REQUEST
            } else {
                message::PARSE_ERROR
            };
            return Err(broken(&Broken::new(code, None, said)));
        }
        let message = message::inspect(&line).map_err(|refusal| broken(&refusal))?;
        let Message::Request(request) = &message else { return Ok(Taken { message, line }) };
        if !request.id.is_plain() {
            // rmcp could not repeat it; nobody but a test has such ids.
            return Err(broken(&Broken::new(message::INVALID_REQUEST, Some(request.id.clone()), "id must be a string or a whole number")));
        }
        let line = match request.is_quirky && self.settings.permissive {
            true => message::rewritten(&line, &request.id, true).map_or(line, Bytes::from),
            false => line,
        };
        Ok(Taken { message, line })
    }

    /// The session the request names, if it is the caller's. Somebody else's answers as one that there never was.
    fn session(&self, parts: &Parts, who: &Principal) -> Result<Option<String>, Refusal> {
        let mut ids = parts.headers.get_all(&SESSION).iter();
        let Some(id) = ids.next() else { return Ok(None) };
        match id.to_str() {
            Ok(id) if ids.next().is_none() && self.sessions.is_of(id, who) => Ok(Some(id.to_owned())),
            _ => Err(gone()),
        }
    }

    /// What rmcp answers to anything but the beginning of a session.
    async fn pass(&self, who: &Arc<Principal>, session: Option<&str>, parts: Parts, line: Bytes) -> Result<Response<Body>, Refusal> {
        let method = parts.method.clone();
        let response = self.protocol.answer(who.clone(), false, Request::from_parts(parts, Full::new(line))).await;
        match session {
            Some(id) if method == Method::DELETE && response.status().is_success() => {
                self.sessions.forget(id);
                // What rmcp says, 202, clients take for a failure.
                Ok(fault::empty(StatusCode::NO_CONTENT))
            }
            Some(id) if response.status() == StatusCode::INTERNAL_SERVER_ERROR => {
                // It ended while the request was on its way in: all that rmcp fails at in a session is to reach it.
                self.sessions.forget(id);
                Err(gone())
            }
            _ => Ok(response),
        }
    }

    /// A new session, within the caller's number of them.
    async fn begin(&self, who: &Arc<Principal>, greeting: &Greeting, parts: Parts, line: Bytes) -> Result<Response<Body>, Refusal> {
        let place = self.sessions.place(who).await.inspect_err(|_| self.meter().rate_limited(who.role.as_str()))?;
        let primes = redelivery::primes(&greeting.version);
        let response = self.protocol.answer(who.clone(), primes, Request::from_parts(parts, Full::new(line))).await;
        if let Some(id) = response.headers().get(&SESSION).and_then(|id| id.to_str().ok()) {
            place.taken(id);
        }
        Ok(response)
    }
}

/// What clients of the protocol's own libraries take as a session that is gone.
const SESSION_GONE: i32 = -32001;

fn gone() -> Refusal {
    let error = Broken::new(SESSION_GONE, None, "no such session: it ended, or never was yours; initialize again");
    Refusal::rpc(StatusCode::NOT_FOUND, "session", error.line())
}

/// Arguments of `initialize` that are none: whoever writes a client is told what is wrong, and to which request.
fn unfit(id: &Id, said: String) -> Refusal {
    Refusal::rpc(StatusCode::BAD_REQUEST, "message", Broken::new(message::INVALID_PARAMS, Some(id.clone()), said).line())
}

/// A message, looked at from outside.
struct Taken {
    message: Message,
    line: Bytes,
}

/// What the token must be good for. An unknown tool is for the spine to refuse.
fn needed(message: &Message) -> Result<Scope, Refusal> {
    let Message::Request(request) = message else { return Ok(Scope::Read) };
    let Some(tool) = request.tool.as_deref().and_then(tools::find).filter(|tool| tool.audience == tools::spec::Audience::Model) else {
        return Ok(Scope::Read);
    };
    Scope::of(tool.effect, tool.category()).ok_or_else(|| never(&request.id))
}

/// A verb that no bearer token reaches. There is none of that kind for models; should one come, this is its answer.
fn never(id: &Id) -> Refusal {
    let said = "this is done in the UI or on the command line, by a person who proves who they are";
    Refusal::rpc(StatusCode::FORBIDDEN, "person", Broken::new(message::INVALID_REQUEST, Some(id.clone()), said).line())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_needs_the_scope_of_what_it_does() {
        let needs = |method: &str, tool: &str| {
            let line = serde_json::json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": {"name": tool}}).to_string();
            needed(&message::inspect(line.as_bytes()).unwrap()).unwrap().as_str()
        };
        for (tool, scope) in [
            ("device.list", "mcp:read"),
            ("device_list", "mcp:read"),
            ("system.set_identity", "mcp:write"),
            ("system_set_identity", "mcp:write"),
            ("plan.create", "mcp:plan"),
            ("plan.apply", "mcp:plan"),
            ("no.such_tool", "mcp:read"),
            // Not there for models: the spine says so, in the words for what does not exist.
            ("device.remove", "mcp:read"),
        ] {
            assert_eq!(needs("tools/call", tool), scope, "{tool}");
        }
        assert_eq!(needs("resources/read", "plan.create"), "mcp:read", "no tool is called");
        assert!(
            tools::all()
                .filter(|tool| tool.audience == tools::spec::Audience::Model)
                .all(|tool| Scope::of(tool.effect, tool.category()).is_some())
        );
    }
}
