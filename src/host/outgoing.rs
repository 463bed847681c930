//! Requests to addresses that people configure: identity providers, and whatever else is not a router.
//!
//! - https only; plain http to this very machine where the caller allows it (lab).
//! - Never to link-local or metadata addresses. A name is judged by what it resolves to, and the connection goes to exactly the
//!   addresses that were judged: there is no second look at DNS that could say something else.
//! - No redirects, no proxies from the environment, a time limit, and answers of bounded size, cut off while they come.
//! - Trust: the system's roots (`SSL_CERT_FILE`, `SSL_CERT_DIR`), or Mozilla's where the system has none.

use crate::base::address::{canonical, forbidden, forbidden_among};
use futures_util::future::BoxFuture;
use http::{HeaderMap, Request, Response};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, Url};
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use std::error::Error;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::sync::OnceCell;

/// A connection stands within.
const CONNECT: Duration = Duration::from_secs(5);
/// A whole exchange takes no longer.
const WHOLE: Duration = Duration::from_secs(10);
/// A download takes no longer: 64 MB over a weak link.
const DOWNLOAD: Duration = Duration::from_secs(15 * 60);
/// The longest answer, bytes. Key sets of large providers have some 20 kB.
const ANSWER_MAX: usize = 1 << 20;

/// Why there is no answer. The words may be shown to whoever configured the address.
#[derive(Debug, thiserror::Error)]
pub enum OutgoingError {
    /// Nobody asks there.
    #[error("{url} is not called: {why}")]
    Refused {
        /// Without its query.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// No connection, no TLS, or no whole answer.
    #[error("no answer from {url}: {why}")]
    Unreachable {
        /// Without its query.
        url: String,
        /// The last cause.
        why: String,
    },
    /// Longer than anything we ask for.
    #[error("the answer from {url} is longer than {most} bytes")]
    TooLong {
        /// Without its query.
        url: String,
        /// What is taken.
        most: u64,
    },
    /// A file is not given there.
    #[error("{url} answers {status}")]
    NoFile {
        /// Without its query.
        url: String,
        /// What it says instead.
        status: u16,
    },
    /// A file could not be written here.
    #[error("writing what {url} gives: {cause}")]
    Write {
        /// Without its query.
        url: String,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// The client itself cannot be made.
    #[error("no TLS client")]
    Client(#[source] Box<dyn Error + Send + Sync>),
}

/// Asks. Clones share connections.
#[derive(Clone)]
pub struct Outgoing {
    client: Arc<OnceCell<Client>>,
    resolver: Arc<Judged>,
    plain_loopback: bool,
    /// Believed beside the system's.
    more_roots: Arc<Vec<CertificateDer<'static>>>,
}

impl Outgoing {
    /// With `plain_loopback`, http to this very machine is allowed. Reads and connects nothing yet.
    pub fn new(plain_loopback: bool) -> Self {
        Outgoing::over(plain_loopback, Box::new(system))
    }

    fn over(plain_loopback: bool, lookup: Lookup) -> Self {
        let resolver = Arc::new(Judged(Arc::new(lookup)));
        Outgoing { client: Arc::default(), resolver, plain_loopback, more_roots: Arc::default() }
    }

    /// With further authorities to believe, beside those of the system.
    #[must_use]
    pub fn with_roots(self, roots: Vec<CertificateDer<'static>>) -> Self {
        Outgoing { client: Arc::default(), more_roots: Arc::new(roots), ..self }
    }

    /// The answer of a GET.
    pub async fn get(&self, url: &str) -> Result<Response<Vec<u8>>, OutgoingError> {
        let request = Request::get(url).header(http::header::ACCEPT, "application/json").body(Vec::new());
        self.send(request.map_err(|error| refused(url, error.to_string()))?).await
    }

    /// The answer of any request. A status that says no is an answer.
    pub async fn send(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, OutgoingError> {
        let (client, url, name) = self.judged(&request.uri().to_string()).await?;
        let (parts, body) = request.into_parts();
        let sent = client.request(parts.method, url).headers(parts.headers).body(body).send();
        let mut response = sent.await.map_err(|error| unreachable(&name, &error, WHOLE))?;
        let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
        let too_long = || OutgoingError::TooLong { url: name.clone(), most: ANSWER_MAX as u64 };
        if response.content_length().is_some_and(|length| length > ANSWER_MAX as u64) {
            return Err(too_long());
        }
        let mut body = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(|error| unreachable(&name, &error, WHOLE))? {
            if body.len() + piece.len() > ANSWER_MAX {
                return Err(too_long());
            }
            body.extend_from_slice(&piece);
        }
        Ok(answer(status, headers, body))
    }

    /// A file of at most so many bytes, written as it comes, into one that is open already; flushed to the disk.
    pub async fn download(&self, url: &str, most: u64, to: std::fs::File) -> Result<(), OutgoingError> {
        let (client, url, name) = self.judged(url).await?;
        let sent = client.get(url).timeout(DOWNLOAD).send().await;
        let mut response = sent.map_err(|error| unreachable(&name, &error, DOWNLOAD))?;
        if response.status() != http::StatusCode::OK {
            return Err(OutgoingError::NoFile { url: name, status: response.status().as_u16() });
        }
        let too_long = || OutgoingError::TooLong { url: name.clone(), most };
        if response.content_length().is_some_and(|length| length > most) {
            return Err(too_long());
        }
        let write = |cause| OutgoingError::Write { url: name.clone(), cause };
        let (mut to, mut taken) = (tokio::fs::File::from_std(to), 0);
        while let Some(piece) = response.chunk().await.map_err(|error| unreachable(&name, &error, DOWNLOAD))? {
            taken += piece.len() as u64;
            if taken > most {
                return Err(too_long());
            }
            to.write_all(&piece).await.map_err(write)?;
        }
        to.sync_all().await.map_err(write)
    }

    /// The client, and an address that may be called, with how it is shown.
    async fn judged(&self, url: &str) -> Result<(&Client, Url, String), OutgoingError> {
        let url: Url = url.parse().map_err(|_| refused(url, "it is no address".into()))?;
        let name = shown(&url);
        self.judge(&url).map_err(|why| refused(&name, why.into()))?;
        let client = self.client.get_or_try_init(|| connect(self.resolver.clone(), self.more_roots.clone())).await?;
        Ok((client, url, name))
    }

    /// What an address says by itself; what a name resolves to is judged when it is.
    fn judge(&self, url: &Url) -> Result<(), &'static str> {
        let host = url.host_str().unwrap_or_default();
        if !url.username().is_empty() || url.password().is_some() {
            return Err("passwords do not go into addresses");
        }
        let address = host.trim_matches(['[', ']']).parse::<IpAddr>().ok().map(canonical);
        if let Some(why) = address.and_then(forbidden) {
            return Err(why);
        }
        let is_here = is_localhost(host) || address.is_some_and(|address| address.is_loopback());
        match url.scheme() {
            "https" => Ok(()),
            "http" if is_here && self.plain_loopback => Ok(()),
            "http" if is_here => Err("plain http to this machine is for lab only"),
            _ => Err("only https is"),
        }
    }
}

fn answer(status: http::StatusCode, headers: HeaderMap, body: Vec<u8>) -> Response<Vec<u8>> {
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    *answer.headers_mut() = headers;
    answer
}

/// On a thread of its own: the system's roots are read from some hundred files.
async fn connect(resolver: Arc<Judged>, more_roots: Arc<Vec<CertificateDer<'static>>>) -> Result<Client, OutgoingError> {
    let make = move || -> Result<Client, Box<dyn Error + Send + Sync>> {
        let tls = tls(&more_roots)?;
        let client = Client::builder()
            .tls_backend_preconfigured(tls)
            .user_agent(concat!("routeros-mcp/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .dns_resolver(resolver)
            .connect_timeout(CONNECT)
            .timeout(WHOLE)
            .pool_max_idle_per_host(1);
        Ok(client.build()?)
    };
    let made = tokio::task::spawn_blocking(make).await.map_err(|error| OutgoingError::Client(error.into()))?;
    made.map_err(OutgoingError::Client)
}

/// TLS towards what people configure: the system's authorities are believed, and these. Reads some hundred files.
pub fn tls(more_roots: &[CertificateDer<'static>]) -> Result<ClientConfig, rustls::Error> {
    let mut roots = roots();
    for root in more_roots {
        roots.add(root.clone())?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

/// Where a name or address that people configured is, for what is no HTTP; never at a link-local or metadata address.
pub async fn resolve(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    let found: Vec<SocketAddr> = tokio::net::lookup_host((host, port)).await?.collect();
    match forbidden_among(found.iter().map(SocketAddr::ip)) {
        Some(why) => Err(io::Error::other(format!("{host} is at a {why} address"))),
        None => Ok(found),
    }
}

/// Whom to believe. A certificate that cannot be read is left out, with a word.
fn roots() -> RootCertStore {
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::warn!(%error, "trust roots of the system");
    }
    let mut store = RootCertStore::empty();
    let (_, unread) = store.add_parsable_certificates(found.certs);
    if unread > 0 {
        tracing::warn!(unread, "trust roots of the system that cannot be read");
    }
    if store.is_empty() {
        tracing::info!("the system has no trust roots: Mozilla's are used");
        store.roots = webpki_roots::TLS_SERVER_ROOTS.to_vec();
    }
    store
}

/// Finds the addresses of a name.
type Lookup = Box<dyn Fn(String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> + Send + Sync>;

fn system(name: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
    Box::pin(async move { Ok(tokio::net::lookup_host((name.as_str(), 0)).await?.map(|at| at.ip()).collect()) })
}

/// Resolves, and gives only what may be connected to.
struct Judged(Arc<Lookup>);

impl Resolve for Judged {
    fn resolve(&self, name: Name) -> Resolving {
        let (lookup, name) = (self.0.clone(), name.as_str().to_owned());
        Box::pin(async move {
            let found = lookup(name.clone()).await?;
            if let Some(why) = forbidden_among(found.iter().copied()) {
                return Err(format!("{name} is at a {why} address").into());
            }
            if is_localhost(&name) && !found.iter().all(|ip| canonical(*ip).is_loopback()) {
                return Err(format!("{name} is not this machine").into());
            }
            let found: Vec<SocketAddr> = found.into_iter().map(|ip| SocketAddr::new(ip, 0)).collect();
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

fn is_localhost(name: &str) -> bool {
    name.trim_end_matches('.').eq_ignore_ascii_case("localhost")
}

fn refused(url: &str, why: String) -> OutgoingError {
    OutgoingError::Refused { url: url.chars().filter(|c| !c.is_control()).take(200).collect(), why }
}

/// An exchange that had `whole` to end in, and did not.
fn unreachable(url: &str, error: &reqwest::Error, whole: Duration) -> OutgoingError {
    let mut last: &dyn Error = error;
    while let Some(source) = last.source() {
        last = source;
    }
    let within = if error.is_connect() { CONNECT } else { whole };
    let why = if error.is_timeout() { format!("nothing within {} s", within.as_secs()) } else { last.to_string() };
    OutgoingError::Unreachable { url: url.into(), why }
}

/// Queries may hold codes and states.
fn shown(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.to_string().chars().take(200).collect()
}

#[cfg(test)]
mod tests;
