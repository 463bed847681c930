//! The listener: everything that is reached over the network.
//!
//! One order for every request, written out in `Edge::route`: limits of the connection and of the address, then Host
//! and Origin, then who it is, then the request itself. Nothing behind a step runs before it; bad credentials alone are
//! counted where they turn out to be bad (`limits.rs`). Paths are compared as they are written: there is no second spelling.

pub mod acme;
pub mod admin;
pub mod bearer;
mod door;
pub mod ears;
pub mod fault;
pub mod forwarded;
pub mod gzip;
mod head;
pub mod hosts;
pub mod inflow;
pub mod intake;
pub mod limits;
pub mod mcp;
pub mod metrics;
pub mod ops;
pub mod patience;
pub mod plain;
pub mod query;
pub mod serve;
pub mod tls;
pub mod trouble;

use crate::access::oidc::Oidc;
use crate::access::principal::Principal;
use crate::access::role::Role;
use crate::access::session::Sessions;
use crate::access::token::PREFIX;
use crate::base::ids::CorrelationId;
use crate::dispatch::Dispatch;
use crate::host::metrics::Meter;
use crate::host::sockets::Sockets;
use crate::mcp::subscriptions::Watchers;
use crate::store::Seal;
use bytes::Bytes;
use fault::Refusal;
use http_body_util::combinators::BoxBody;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use inflow::Inflow;
use ipnet::IpNet;
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use limits::Limits;
pub use serve::Listener;

/// The body of every response.
pub type Body = BoxBody<Bytes, Infallible>;

/// A request's thread through answers, log and audit.
pub const CORRELATION: HeaderName = HeaderName::from_static("x-correlation-id");

/// Where the metadata of RFC 9728 is; the one of a path has that path appended.
pub const METADATA: &str = "/.well-known/oauth-protected-resource";

/// The longest path with query that is looked at; the codes of some identity providers have 2 kB.
const MAX_URI: usize = 4_096;

/// How the listener is set up, `[http]` and the addresses of `[mcp]` in the config file.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Address or name to listen on.
    pub host: String,
    /// Port; 0 takes any free one.
    pub port: u16,
    /// Where MCP is mounted, `/mcp`; `None`: not at all.
    pub base: Option<String>,
    /// Where the certificate comes from.
    pub tls: tls::Source,
    /// The address clients use.
    pub public_url: Option<String>,
    /// Further Host headers.
    pub allowed_hosts: Vec<String>,
    /// Origins of web pages that may call MCP.
    pub allowed_origins: Vec<String>,
    /// A proxy in front ends TLS.
    pub behind_proxy: bool,
    /// Whose word about the client is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Static API tokens are accepted.
    pub tokens: bool,
    /// Programs on this machine need no token, and are of this role.
    pub anonymous: Option<Role>,
    /// Cookies may go over plain http: to this machine, and through no proxy.
    pub plain_cookies: bool,
    /// Where metrics are.
    pub metrics: metrics::Offered,
    /// How much of everything.
    pub limits: Limits,
    /// How long what is in flight may take once we are told to stop.
    pub drain: Duration,
}

/// What the listener stands on.
pub struct Parts {
    /// The spine.
    pub dispatch: Arc<Dispatch>,
    /// How MCP is spoken, the same as on stdio.
    pub mcp: Arc<crate::mcp::Settings>,
    /// Seals keys of certificates.
    pub seal: Arc<Seal>,
    /// What the service manager opened for us.
    pub sockets: Sockets,
    /// The identity provider, where there is one.
    pub oidc: Option<Oidc>,
    /// Who is signed in.
    pub sessions: Sessions,
}

/// Who is at the other end of a connection.
#[derive(Debug, Clone, Copy)]
pub struct Peer {
    /// Its address.
    pub address: SocketAddr,
    /// Ours, as it reached us.
    pub local: SocketAddr,
    /// The listener it came to.
    pub face: metrics::Face,
}

/// One request's surroundings.
pub struct Asked {
    /// Where it comes from, after trusted proxies.
    pub client: IpAddr,
    /// Its thread.
    pub correlation: CorrelationId,
    /// How we are called: `https://host:port`, from `http.public_url` or the Host header that was let in.
    pub origin: String,
    /// The Host that was let in.
    pub host: Option<String>,
    /// The connection itself comes from this machine, and nobody says that it stands for somebody else.
    pub is_here: bool,
}

/// Everything that answers requests.
pub struct Edge {
    settings: Settings,
    dispatch: Arc<Dispatch>,
    server_name: String,
    hosts: hosts::Hosts,
    failures: limits::Failures,
    calls: limits::Calls,
    oidc: Option<Oidc>,
    admin: admin::Admin,
    mcp: Option<mcp::Mcp>,
    watchers: Watchers,
    health: ops::Health,
    tls: Option<Arc<tls::Tls>>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Edge {
    /// Answers one request, whatever it is.
    pub async fn answer(self: Arc<Self>, peer: Peer, request: Request<Inflow>) -> Response<Body> {
        let correlation = correlation(request.headers());
        let cors = self.cors(request.uri().path(), request.headers());
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let takes_gzip = gzip::is_taken(request.headers());
        let seen = forwarded::seen(peer.address.ip(), request.headers(), &self.settings.trusted_proxies);
        let (client, is_https) = match &seen {
            Ok(seen) => (seen.client, self.is_https(peer, seen)),
            Err(_) => (peer.address.ip().to_canonical(), self.tls.is_some()),
        };
        let answered = match seen {
            Ok(_) => self.route(peer, client, is_https, &correlation, request).await,
            Err(refusal) => Err(refusal),
        };
        let mut response = match answered {
            Ok(response) => response,
            Err(refusal) => {
                let reason = refusal.reason;
                if reason == "address" {
                    // Whoever is refused so would fill the log at will.
                    tracing::debug!(%client, "request refused: too many bad credentials of its address");
                } else {
                    tracing::info!(%client, %method, path = shown(&path), status = refusal.status.as_u16(), reason, correlation_id = correlation.as_str(), "request refused");
                }
                let speaks_mcp = self.settings.base.as_deref() == Some(&path) && method == Method::POST;
                let refusal = if speaks_mcp { refusal.spoken(&correlation) } else { refusal };
                if self.admin.is_page(&path) {
                    admin::pages::frame::refused(&self, &correlation, refusal)
                } else {
                    refusal.response(&correlation)
                }
            }
        };
        self.dress(response.headers_mut(), &correlation, cors, is_https);
        if self.admin.has(&path) || path == metrics::PATH {
            response = gzip::shrunk(response, &method, takes_gzip).await;
        }
        response = head::fitting(&method, response);
        self.meter().http(metrics::route(&path, self.settings.base.as_deref()), response.status().as_u16());
        response
    }

    /// Who counts.
    fn meter(&self) -> &Meter {
        self.dispatch.world().meter()
    }

    /// Room for one more request of a caller, whatever it asks for. Before its body is read: bodies are what takes memory.
    fn enter(&self, who: &Principal) -> Result<limits::Running, Refusal> {
        self.calls.enter(who).inspect_err(|_| self.meter().rate_limited(who.role.as_str())).map_err(Refusal::closing)
    }

    /// Counts a try of a secret that people type or routers are given once, before it is judged.
    fn attempt(&self, client: IpAddr) -> Result<limits::Try<'_>, Refusal> {
        self.failures.attempt(client).inspect_err(|_| self.meter().rate_limited("anonymous"))
    }

    /// Counts one request of a caller against the limit of its role.
    fn take(&self, who: &Principal) -> Result<Option<limits::Left>, Refusal> {
        self.calls.take(who).inspect_err(|_| self.meter().rate_limited(who.role.as_str()))
    }

    /// The order of every request.
    async fn route(
        &self,
        peer: Peer,
        client: IpAddr,
        is_https: bool,
        correlation: &CorrelationId,
        request: Request<Inflow>,
    ) -> Result<Response<Body>, Refusal> {
        let path = request.uri().path().to_owned();
        well_formed(&request)?;
        // Authorities follow a redirect of whoever has port 80, and call us by any of our names.
        if path.starts_with(acme::proof::PATH) {
            return self.proof(&path).ok_or_else(|| Refusal::of(StatusCode::NOT_FOUND, "path", "no certificate waits for this proof"));
        }
        // Probes and proxies name the box as they like.
        let host = if ops::is_health(&path) { None } else { Some(self.hosts.check(&request, peer.local)?) };
        let is_here = client.is_loopback() && !self.is_proxy(peer) && !forwarded::is_spoken_of(request.headers());
        let origin = self.origin(host.as_deref(), peer.local, is_https);
        let asked = Asked { client, correlation: correlation.clone(), origin, host, is_here };
        let metadata = bearer::metadata(self, &asked);
        bearer::challenging(self.served(peer, asked, request).await, &metadata)
    }

    /// The answer to a request that was let in.
    async fn served(&self, peer: Peer, asked: Asked, request: Request<Inflow>) -> Result<Response<Body>, Refusal> {
        let path = request.uri().path().to_owned();
        let base = self.settings.base.as_deref();
        if path == metrics::PATH && self.settings.metrics.at(peer.face) {
            return metrics::answer(self, peer, &asked, &request).await;
        }
        if peer.face == metrics::Face::Metrics {
            return Err(Refusal::of(StatusCode::NOT_FOUND, "path", "there are only metrics here, at /metrics"));
        }
        if ops::is_health(&path) {
            return ops::health(self, &path, &asked, &request).await;
        }
        if let Some(rest) = path.strip_prefix(METADATA)
            && (rest.is_empty() || Some(rest) == base)
        {
            return ops::metadata(self, &asked, request.method());
        }
        if self.admin.has(&path) {
            return self.admin.answer(self, asked, request).await;
        }
        match &self.mcp {
            Some(mcp) if Some(path.as_str()) == base => {
                if request.method() == Method::OPTIONS {
                    return self.preflight(&request);
                }
                let caller = bearer::caller(self, &asked, request.headers()).await?;
                mcp.answer(self, asked, caller, request).await
            }
            _ => Err(Refusal::of(StatusCode::NOT_FOUND, "path", "there is nothing at this path")
                .hint("MCP is at mcp.http_base_path, when mcp.transport is http or both")),
        }
    }

    /// What an authority that certifies our name looks for.
    fn proof(&self, path: &str) -> Option<Response<Body>> {
        let text = self.tls.as_ref()?.acme()?.text_at(path)?;
        Some(fault::text(StatusCode::OK, text))
    }

    /// How the caller reached us.
    fn origin(&self, host: Option<&str>, local: SocketAddr, is_https: bool) -> String {
        let scheme = if is_https { "https" } else { "http" };
        match (&self.settings.public_url, host) {
            (Some(url), _) => url.trim_end_matches('/').to_owned(),
            (None, Some(host)) => format!("{scheme}://{host}"),
            (None, None) => format!("{scheme}://{local}"),
        }
    }

    /// By what a trusted proxy says, else by how it reached us. A proxy that says nothing is what the public address says.
    fn is_https(&self, peer: Peer, seen: &forwarded::Seen) -> bool {
        let public = self.settings.public_url.as_deref().filter(|_| self.is_proxy(peer) && seen.client != peer.address.ip().to_canonical());
        seen.is_https.unwrap_or_else(|| self.tls.is_some() || public.is_some_and(|url| url.starts_with("https://")))
    }

    /// Whether a connection is one of a proxy whose word about its client is believed.
    fn is_proxy(&self, peer: Peer) -> bool {
        forwarded::is_trusted(peer.address.ip().to_canonical(), &self.settings.trusted_proxies)
    }

    /// The origin of a web page that an operator lets call MCP; nothing else is ever shared across origins.
    fn cors(&self, path: &str, headers: &HeaderMap) -> Option<HeaderValue> {
        let origin = headers.get(header::ORIGIN).filter(|_| Some(path) == self.settings.base.as_deref())?;
        let allowed = self.settings.allowed_origins.iter().any(|allowed| allowed.as_bytes() == origin.as_bytes());
        allowed.then(|| origin.clone())
    }

    fn preflight(&self, request: &Request<Inflow>) -> Result<Response<Body>, Refusal> {
        if self.cors(request.uri().path(), request.headers()).is_none() {
            return Err(Refusal::method("GET, POST, DELETE"));
        }
        let mut response = fault::empty(StatusCode::NO_CONTENT);
        let headers = response.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST, DELETE"));
        let asked = "authorization, content-type, accept, last-event-id, mcp-session-id, mcp-protocol-version, mcp-method, mcp-name, x-correlation-id";
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(asked));
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
        Ok(response)
    }

    /// What every response says.
    fn dress(&self, headers: &mut HeaderMap, correlation: &CorrelationId, cors: Option<HeaderValue>, is_https: bool) {
        if let Ok(id) = HeaderValue::from_str(correlation.as_str()) {
            headers.insert(CORRELATION, id);
        }
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.entry(header::REFERRER_POLICY).or_insert(HeaderValue::from_static("no-referrer"));
        // Pages say what they load; everything else loads nothing.
        let nothing = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
        headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(nothing);
        headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
        if is_https {
            headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
        }
        if let Some(origin) = cors {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            let exposed = "mcp-session-id, www-authenticate, retry-after, x-correlation-id";
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(exposed));
            headers.insert(header::VARY, HeaderValue::from_static("origin"));
        }
    }
}

/// What no honest client sends, whoever it is: smuggling, tunnels, and tokens where logs and histories see them.
fn well_formed<B>(request: &Request<B>) -> Result<(), Refusal> {
    let wrong = |reason, said: &str| Err(Refusal::of(StatusCode::BAD_REQUEST, reason, said).closing());
    let (uri, headers) = (request.uri(), request.headers());
    if uri.path_and_query().map_or(0, |all| all.as_str().len()) > MAX_URI {
        return Err(Refusal::of(StatusCode::URI_TOO_LONG, "uri", "the address is too long"));
    }
    if request.method() == Method::CONNECT || !uri.path().starts_with('/') {
        return wrong("uri", "the request names no path of ours");
    }
    if headers.contains_key(header::TRANSFER_ENCODING) && headers.contains_key(header::CONTENT_LENGTH) {
        return wrong("framing", "a body has a length or a transfer encoding, not both");
    }
    let query = uri.query().unwrap_or_default();
    let names_token = |part: &str| matches!(part.split('=').next(), Some("access_token" | "token" | "authorization" | "api_key"));
    if query.split('&').any(names_token) || uri.path_and_query().is_some_and(|all| all.as_str().contains(PREFIX)) {
        return wrong("token_in_url", "tokens do not go into addresses: send Authorization: Bearer, and revoke a token that was sent so");
    }
    Ok(())
}

/// The client's id when it is a UUID, else one of ours.
fn correlation(headers: &HeaderMap) -> CorrelationId {
    let given = headers.get(CORRELATION).and_then(|id| id.to_str().ok());
    let is_uuid = |id: &&str| {
        let parts: Vec<&str> = id.split('-').collect();
        parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12]) && parts.concat().bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    given.filter(is_uuid).map_or_else(CorrelationId::random, |id| CorrelationId(id.to_ascii_lowercase()))
}

/// A path as the log may have it: never one that a token may stand in, in whatever spelling.
fn shown(path: &str) -> String {
    if path.contains('%') || path.to_ascii_lowercase().contains(PREFIX) {
        return "(hidden)".to_owned();
    }
    path.chars().filter(|c| !c.is_control()).take(100).collect()
}

#[cfg(test)]
mod tests;
