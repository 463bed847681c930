//! One HTTP exchange with one router, over a few kept connections.
//!
//! Requests are never cut off in flight: the router would go on with them, and a mix of cut and finished requests has
//! made its web server answer later connections wrongly (7.21.5). A request runs in a task of its own; when its caller
//! goes away it still ends by itself or at its deadline. Only the deadline drops a connection.

use crate::base::secret::Secret;
use crate::base::span::Span;
use crate::routeros::answer::Answer;
use crate::routeros::fault::{RouterError, Stage, TlsTrouble};
use crate::routeros::rest::Endpoint;
use crate::routeros::{net, pin, tls};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE};
use reqwest::{Client, Method, Response, Url, redirect};
use std::sync::atomic::{AtomicBool, Ordering};
use std::{error::Error, io, sync::Arc, time::Duration};
use tokio_util::task::TaskTracker;

/// Connections kept per router; the router serves requests of one user one by one anyway.
const MAX_IDLE: usize = 2;
/// How long a connection is kept unused.
const IDLE: Duration = Duration::from_secs(30);
/// How long the rest of an answer that is too long may take to be read and dropped.
const DRAIN: Duration = Duration::from_secs(3);
/// Longest wait for an answer: the router itself gives up at 60 s.
pub(crate) const MAX_WAIT: Duration = Duration::from_secs(65);

/// The connections to one router, and what is in flight on them.
pub(crate) struct Wire {
    client: Client,
    base: String,
    at: String,
    /// The Basic login; `None` only for the probe.
    login: Option<HeaderValue>,
    connect_timeout: Duration,
    max_answer_bytes: usize,
    /// Some answer came whole, so a connection may be kept, and may be dead.
    has_answered: AtomicBool,
    tasks: TaskTracker,
}

/// One request, and whether it may change something.
#[derive(Clone)]
pub(crate) struct Request {
    pub method: Method,
    pub url: Url,
    pub body: Option<Vec<u8>>,
    pub write: bool,
    /// For all of it.
    pub within: Duration,
}

impl Wire {
    /// Opens no connection yet. Without `login` no credential is ever sent.
    pub(crate) fn new(endpoint: &Endpoint, login: Option<HeaderValue>) -> Result<Arc<Wire>, RouterError> {
        net::check_host(&endpoint.host)?;
        Ok(Arc::new(Wire {
            client: client(endpoint)?,
            base: endpoint.base(),
            at: net::place(&endpoint.host, endpoint.port),
            login,
            connect_timeout: endpoint.connect_timeout(),
            max_answer_bytes: endpoint.max_answer_bytes,
            has_answered: AtomicBool::new(false),
            tasks: TaskTracker::new(),
        }))
    }

    /// `host:port`.
    pub(crate) fn at(&self) -> &str {
        &self.at
    }

    /// `https://host:port` and the path.
    pub(crate) fn url(&self, path: &str) -> Result<Url, RouterError> {
        Url::parse(&format!("{}{path}", self.base)).map_err(|_| RouterError::argument("the address makes no URL"))
    }

    /// Refuses new requests and waits for those in flight, each within its own deadline.
    pub(crate) async fn close(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Runs the request in its own task, so that a caller that goes away does not cut it off. The flag tells whether a
    /// Basic login was asked for.
    pub(crate) async fn send(self: &Arc<Self>, request: Request) -> Result<(Answer, bool), RouterError> {
        let (at, write) = (self.at.clone(), request.write);
        if self.tasks.is_closed() {
            return Err(RouterError::Closed { at });
        }
        let wire = self.clone();
        match self.tasks.spawn(async move { wire.exchange(request).await }).await {
            Ok(outcome) => outcome,
            // Only when the runtime goes down.
            Err(_) if write => Err(RouterError::LostAnswer { at, why: "we were stopped".into() }),
            Err(_) => Err(RouterError::Closed { at }),
        }
    }

    async fn exchange(&self, request: Request) -> Result<(Answer, bool), RouterError> {
        let (write, within) = (request.write, request.within);
        match tokio::time::timeout(within, self.persist(request)).await {
            Ok(outcome) => outcome,
            Err(_) if write => Err(RouterError::LostAnswer { at: self.at.clone(), why: format!("no answer within {}", Span(within)) }),
            Err(_) => Err(RouterError::Timeout { at: self.at.clone(), after: within, stage: Stage::Answer }),
        }
    }

    /// Once more for a read that met a kept connection just as the router closed it. A write is never repeated here.
    async fn persist(&self, request: Request) -> Result<(Answer, bool), RouterError> {
        let may_be_stale = !request.write && self.has_answered.load(Ordering::Relaxed);
        let mut outcome = self.attempt(request.clone()).await;
        if may_be_stale && matches!(outcome, Err(RouterError::Unreachable { .. })) {
            outcome = self.attempt(request).await;
        }
        self.has_answered.store(outcome.is_ok(), Ordering::Relaxed);
        outcome
    }

    async fn attempt(&self, request: Request) -> Result<(Answer, bool), RouterError> {
        let write = request.write;
        let mut asking = self.client.request(request.method, request.url);
        if let Some(login) = &self.login {
            asking = asking.header(AUTHORIZATION, login.clone());
        }
        if let Some(body) = request.body {
            asking = asking.header(CONTENT_TYPE, HeaderValue::from_static("application/json")).body(body);
        }
        let response = asking.send().await.map_err(|error| self.broken(write, &error))?;
        let offers_basic = offers_basic(&response);
        let status = response.status().as_u16();
        Ok((Answer { status, body: self.body(write, response).await? }, offers_basic))
    }

    async fn body(&self, write: bool, mut response: Response) -> Result<Vec<u8>, RouterError> {
        let expected = response.content_length().and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
        let too_large = || {
            if write {
                return RouterError::LostAnswer { at: self.at.clone(), why: "it is too long".into() };
            }
            RouterError::TooLarge { limit: self.max_answer_bytes }
        };
        let mut body = Vec::with_capacity(expected.min(self.max_answer_bytes));
        while let Some(piece) = response.chunk().await.map_err(|error| self.broken(write, &error))? {
            if body.len() + piece.len() > self.max_answer_bytes {
                drop(body);
                drain(response).await;
                return Err(too_large());
            }
            body.extend_from_slice(&piece);
        }
        Ok(body)
    }

    /// Why there is no whole answer. A change is lost unless the connection never stood.
    fn broken(&self, write: bool, error: &reqwest::Error) -> RouterError {
        let at = self.at.clone();
        if error.is_connect() {
            return self.unconnected(error);
        }
        let io = net::find_io(error);
        let why = match io {
            _ if is_foreign(error) && !write => return self.foreign(),
            _ if is_foreign(error) => "it is not HTTP".into(),
            Some(io) if io.kind() != io::ErrorKind::UnexpectedEof => net::io_words(io),
            _ => "the connection was closed before the whole answer came".into(),
        };
        if write { RouterError::LostAnswer { at, why } } else { RouterError::Unreachable { at, why } }
    }

    fn unconnected(&self, error: &reqwest::Error) -> RouterError {
        let at = self.at.clone();
        if error.is_timeout() {
            return RouterError::Timeout { at, after: self.connect_timeout, stage: Stage::Connect };
        }
        if error.is_dns() {
            return RouterError::Unreachable { at, why: net::unresolved(error) };
        }
        if let Some(error) = net::find_cause::<rustls::Error>(error) {
            return tls::tls_error(&at, error);
        }
        match net::find_io(error) {
            Some(io) if io.kind() == io::ErrorKind::UnexpectedEof => RouterError::Tls { at, trouble: TlsTrouble::ClosedEarly },
            Some(io) => RouterError::Unreachable { at, why: net::io_words(io) },
            None => RouterError::Unreachable { at, why: "the connection could not be opened".into() },
        }
    }

    fn foreign(&self) -> RouterError {
        let at = self.at.clone();
        if self.base.starts_with("http://") {
            RouterError::TlsOnPlain { at }
        } else {
            RouterError::NotRouterOs { at, why: "it does not speak HTTP".into() }
        }
    }
}

/// Whether the peer answered with something that is not HTTP, by the library's words: `invalid HTTP version parsed`,
/// `invalid HTTP header parsed`. Its error types tell this no better from an answer whose head is only too long.
fn is_foreign(error: &reqwest::Error) -> bool {
    let mut next: Option<&(dyn Error + 'static)> = error.source();
    while let Some(error) = next {
        if error.to_string().starts_with("invalid HTTP") {
            return true;
        }
        next = error.source();
    }
    false
}

/// Reads the rest of an answer into nothing: RouterOS mixes up connections when an answer is cut off half-way. One that
/// does not end soon is cut off all the same.
async fn drain(mut response: Response) {
    let rest = async { while let Ok(Some(_)) = response.chunk().await {} };
    let _ = tokio::time::timeout(DRAIN, rest).await;
}

fn offers_basic(response: &Response) -> bool {
    let offers = response.headers().get_all(WWW_AUTHENTICATE);
    offers.iter().any(|offer| offer.as_bytes().get(..5).is_some_and(|word| word.eq_ignore_ascii_case(b"basic")))
}

fn client(endpoint: &Endpoint) -> Result<Client, RouterError> {
    let tls = pin::client_config(endpoint.trust, &endpoint.roots)?;
    let builder = Client::builder()
        .tls_backend_preconfigured(tls)
        .user_agent(concat!("routeros-mcp/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::none())
        .referer(false)
        .no_proxy()
        .http1_only()
        // As curl and browsers write them: small servers have been seen to compare bytes.
        .http1_title_case_headers()
        .tcp_nodelay(true)
        .dns_resolver(Arc::new(net::Judged))
        .connect_timeout(endpoint.connect_timeout())
        .pool_max_idle_per_host(MAX_IDLE)
        .pool_idle_timeout(IDLE);
    builder.build().map_err(|_| RouterError::argument("the HTTP client cannot be set up"))
}

/// `Basic base64(user:password)`, kept out of debug output.
pub(crate) fn login(user: &str, password: &Secret) -> Result<HeaderValue, RouterError> {
    if user.is_empty() || user.contains(':') || user.chars().any(char::is_control) {
        return Err(RouterError::argument("a user's name is not empty and has no colon or control characters"));
    }
    let plain = zeroize::Zeroizing::new(format!("{user}:{}", password.expose()));
    let header = zeroize::Zeroizing::new(format!("Basic {}", data_encoding::BASE64.encode(plain.as_bytes())));
    let mut value = HeaderValue::from_str(&header).map_err(|_| RouterError::argument("user and password make no login"))?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routeros::pin::Trust;

    #[test]
    fn logins_cannot_be_split_and_do_not_print() {
        assert!(login("a:b", &Secret::new("")).is_err());
        assert!(login("", &Secret::new("x")).is_err());
        let value = login("admin", &Secret::new("pä:ss")).unwrap();
        assert!(value.is_sensitive());
        let endpoint = Endpoint::new("192.0.2.1", 443, "admin", Secret::new("hunter2"), Trust::Ca);
        assert!(!format!("{endpoint:?}").contains("hunter2"));
    }
}
