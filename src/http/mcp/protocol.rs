//! rmcp below us: whole messages of known callers go in, responses come out.

use crate::access::principal::Principal;
use crate::host::metrics::Meter;
use crate::http::Body;
use crate::mcp::counted::Counted;
use crate::mcp::provider::Provider;
use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http_body_util::Full;
use hyper::{Request, Response};
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::{StreamableHttpServerConfig, StreamableHttpService};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// What speaks the protocol, whoever provides the answers.
pub trait Protocol: Send + Sync {
    /// Answers one request. A session keeps the handler of the request that began it, and only its owner gets that far.
    fn answer(&self, who: Arc<Principal>, request: Request<Full<Bytes>>) -> BoxFuture<'static, Response<Body>>;
}

/// rmcp, over a provider.
pub struct Rmcp<P> {
    /// Who answers.
    pub provider: Arc<P>,
    /// The sessions there are.
    pub manager: Arc<LocalSessionManager>,
    /// How it is set up.
    pub config: StreamableHttpServerConfig,
    /// Ends subscriptions, with their last answer.
    pub over: CancellationToken,
    /// Counts requests.
    pub meter: Meter,
}

impl<P: Provider> Protocol for Rmcp<P> {
    fn answer(&self, who: Arc<Principal>, request: Request<Full<Bytes>>) -> BoxFuture<'static, Response<Body>> {
        let (provider, over, meter) = (self.provider.clone(), self.over.clone(), self.meter.clone());
        let make = move || Ok(Counted::new(provider.handler(who.clone(), over.clone()), meter.clone()));
        let service = StreamableHttpService::new(make, self.manager.clone(), self.config.clone());
        async move { service.handle(request).await }.boxed()
    }
}
