//! rmcp below us: whole messages of known callers go in, responses come out.

use crate::access::principal::Principal;
use crate::base::ids::CorrelationId;
use crate::host::metrics::Meter;
use crate::http::Body;
use crate::http::fault::{self, Refusal};
use crate::http::mcp::redelivery::Redelivery;
use crate::http::mcp::standalone::RETRY;
use crate::mcp::counted::Counted;
use crate::mcp::message;
use crate::mcp::provider::{Ends, Provider};
use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http_body_util::{BodyExt, Full};
use hyper::header::{self, HeaderValue};
use hyper::{Request, Response, StatusCode};
use rmcp::transport::{StreamableHttpServerConfig, StreamableHttpService};
use serde_json::json;
use std::sync::Arc;

/// What speaks the protocol, whoever provides the answers.
pub trait Protocol: Send + Sync {
    /// Answers one request. A session keeps the handler of the request that began it, and only its owner gets that far. `primes`: the
    /// answer of `initialize` begins with an event that says where to go on.
    fn answer(&self, who: Arc<Principal>, primes: bool, request: Request<Full<Bytes>>) -> BoxFuture<'static, Response<Body>>;

    /// Lets go of what nobody will ask for any more; called now and then.
    fn sweep(&self) -> BoxFuture<'_, ()>;
}

/// rmcp, over a provider.
pub struct Rmcp<P> {
    /// Who answers.
    pub provider: Arc<P>,
    /// The sessions there are.
    pub sessions: Arc<Redelivery>,
    /// How it is set up.
    pub config: StreamableHttpServerConfig,
    /// When handlers end.
    pub ends: Ends,
    /// Counts requests.
    pub meter: Meter,
}

impl<P: Provider> Protocol for Rmcp<P> {
    fn answer(&self, who: Arc<Principal>, primes: bool, request: Request<Full<Bytes>>) -> BoxFuture<'static, Response<Body>> {
        let (provider, ends, meter) = (self.provider.clone(), self.ends.clone(), self.meter.clone());
        let make = move || Ok(Counted::new(provider.handler(who.clone(), ends.clone()), meter.clone()));
        let service = StreamableHttpService::new(make, self.sessions.clone(), self.config.clone().with_sse_retry(primes.then_some(RETRY)));
        async move {
            let response = service.handle(request).await;
            let has_no_answer = response.status() == StatusCode::INTERNAL_SERVER_ERROR;
            if has_no_answer && service.config.cancellation_token.is_cancelled() { leaving() } else { response }
        }
        .boxed()
    }

    fn sweep(&self) -> BoxFuture<'_, ()> {
        self.sessions.sweep().boxed()
    }
}

/// The response; a refusal that rmcp put into plain text (no session id, a version nobody knows, an Accept without what we send) becomes
/// an error of JSON-RPC of the same status, as all others are: clients show its message to whoever asked.
pub async fn worded(response: Response<Body>, correlation: &CorrelationId) -> Result<Response<Body>, Refusal> {
    let is_json = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    if !response.status().is_client_error() || is_json {
        return Ok(response);
    }
    let (parts, body) = response.into_parts();
    let Ok(text) = body.collect().await.map(|whole| String::from_utf8_lossy(&whole.to_bytes()).into_owned());
    // "Bad Request: …": the status says that.
    let said = text.split_once(": ").map_or(text.as_str(), |(_, said)| said);
    let refusal = Refusal::of(parts.status, "protocol", said);
    let refusal = match parts.headers.get(header::ALLOW) {
        Some(methods) => refusal.with(header::ALLOW, methods.clone()),
        None => refusal,
    };
    Err(refusal.spoken(correlation))
}

/// The last word to a request that nothing could be said to any more.
fn leaving() -> Response<Body> {
    let error = json!({"code": message::INTERNAL_ERROR, "message": "shutting down before this was answered; what it should have changed may or may not have been"});
    let mut response = fault::json(StatusCode::SERVICE_UNAVAILABLE, &json!({"jsonrpc": "2.0", "id": null, "error": error}));
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
    response
}
