//! RouterOS REST: one client a router, over a few kept connections.
//!
//! Rules of the wire (see the facts in brackets of each function):
//! - Requests are never cut off in flight: the router would go on with them, and a mix of cut and finished requests has
//!   made its web server answer later connections wrongly (7.21.5). A request runs in a task of its own; when its
//!   caller goes away it still ends by itself or at its deadline. Only the deadline drops a connection.
//! - HTTP/1.1 with keep-alive, no pipelining, no redirects, no proxies from the environment.
//! - Strings only, `Content-Type: application/json` to the letter, `*` of an `.id` as it is.
//! - Concurrency, rate and retries belong to the caller.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/47579162/REST+API>

use crate::base::secret::Secret;
use crate::routeros::answer::{self, Answer};
use crate::routeros::fault::{RouterError, Stage, TlsTrouble};
use crate::routeros::path::MenuPath;
use crate::routeros::pin::{Roots, Trust};
use crate::routeros::query::{self, Query};
use crate::routeros::row::Row;
use crate::routeros::{command, net, pin, tls};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE};
use reqwest::{Client, Method, Response, Url, redirect};
use serde_json::{Map, Value};
use std::{error::Error, io, sync::Arc, time::Duration};
use tokio_util::task::TaskTracker;

/// Longest answer taken unless the endpoint says otherwise: a 100,000-row table has about 30 MB.
pub const MAX_ANSWER_BYTES: usize = 64 * 1024 * 1024;
/// Longest request body: RouterOS takes files of text this way, and nothing larger.
const MAX_REQUEST_BYTES: usize = 4 * 1024 * 1024;
/// Longest query string put into a URL; beyond, `print` is posted.
const MAX_QUERY_BYTES: usize = 1000;
/// Connections kept per router; the router serves requests of one user one by one anyway.
const MAX_IDLE: usize = 2;
/// How long a connection is kept unused.
const IDLE: Duration = Duration::from_secs(30);
/// Longest wait for an answer: the router itself gives up at 60 s.
const MAX_WAIT: Duration = Duration::from_secs(65);

/// A router's REST service and how to talk to it.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// IP address or host name.
    pub host: String,
    /// 443 for www-ssl, 80 for www.
    pub port: u16,
    /// HTTP without TLS: credentials and answers can be read and changed on the way.
    pub plain: bool,
    /// Name of our user on the router.
    pub user: String,
    /// Its password.
    pub password: Secret,
    /// Whom to believe; means nothing on a plain connection.
    pub trust: Trust,
    /// The roots for [`Trust::Ca`].
    pub roots: Roots,
    /// For name resolution, TCP and TLS together.
    pub connect_timeout: Duration,
    /// For the whole answer, once connected; cut to 65 s.
    pub timeout: Duration,
    /// Longest answer taken.
    pub max_answer_bytes: usize,
}

impl Endpoint {
    /// TLS with the default roots, 3 s to connect, 10 s to answer.
    pub fn new(host: impl Into<String>, port: u16, user: impl Into<String>, password: Secret, trust: Trust) -> Self {
        Endpoint {
            host: host.into(),
            port,
            plain: false,
            user: user.into(),
            password,
            trust,
            roots: Roots::default(),
            connect_timeout: Duration::from_secs(3),
            timeout: Duration::from_secs(10),
            max_answer_bytes: MAX_ANSWER_BYTES,
        }
    }

    fn base(&self) -> String {
        format!("{}://{}", if self.plain { "http" } else { "https" }, net::place(&self.host, self.port))
    }
}

/// A client for one router; clones share its connections. Needs a tokio runtime.
#[derive(Clone)]
pub struct Rest(Arc<Inner>);

struct Inner {
    client: Client,
    base: String,
    at: String,
    /// The Basic login; `None` only for the probe.
    login: Option<HeaderValue>,
    connect_timeout: Duration,
    timeout: Duration,
    max_answer_bytes: usize,
    tasks: TaskTracker,
}

impl std::fmt::Debug for Rest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Rest").field(&self.0.at).finish()
    }
}

/// One request, and whether it may change something.
struct Request {
    method: Method,
    url: Url,
    body: Option<Vec<u8>>,
    write: bool,
    /// For the answer.
    within: Duration,
}

impl Rest {
    /// Opens no connection yet.
    ///
    /// # Errors
    /// [`RouterError::Argument`] when host, user or trust cannot be used.
    pub fn new(endpoint: Endpoint) -> Result<Rest, RouterError> {
        let login = login(&endpoint.user, &endpoint.password)?;
        Rest::build(&endpoint, Some(login))
    }

    fn build(endpoint: &Endpoint, login: Option<HeaderValue>) -> Result<Rest, RouterError> {
        net::check_host(&endpoint.host)?;
        let client = client(endpoint)?;
        Ok(Rest(Arc::new(Inner {
            client,
            base: endpoint.base(),
            at: net::place(&endpoint.host, endpoint.port),
            login,
            connect_timeout: endpoint.connect_timeout,
            timeout: endpoint.timeout.min(MAX_WAIT),
            max_answer_bytes: endpoint.max_answer_bytes,
            tasks: TaskTracker::new(),
        })))
    }

    /// `host:port`, for messages.
    pub fn at(&self) -> &str {
        &self.0.at
    }

    /// A menu's rows; a singleton is one row. Attributes that a row does not have are absent, and comparisons with them
    /// do not hold. Always brings `.id` where rows have one.
    pub async fn print(&self, path: &MenuPath, query: &Query) -> Result<Vec<Row>, RouterError> {
        query.check()?;
        match query.url_query(MAX_QUERY_BYTES) {
            Some(words) => {
                let mut url = self.url(&path.url())?;
                url.set_query((!words.is_empty()).then_some(&words));
                self.rows(Method::GET, url, None, false, self.0.timeout).await
            }
            None => self.post(path, "print", query.print_body(), self.0.timeout).await,
        }
    }

    /// How many rows the query meets, counted by the router.
    pub async fn count(&self, path: &MenuPath, query: &Query) -> Result<u64, RouterError> {
        query.check()?;
        let mut body = query.print_body();
        body.remove(".proplist");
        body.insert("count-only".into(), "".into());
        let rows = self.post(path, "print", body, self.0.timeout).await?;
        let count = rows.first().and_then(|row| row.get("ret")).and_then(|n| n.parse().ok());
        count.ok_or_else(|| RouterError::Garbage { why: "a count without a number".into() })
    }

    /// One row by `.id`, or by name in menus whose rows have names.
    pub async fn get(&self, path: &MenuPath, id_or_name: &str) -> Result<Row, RouterError> {
        let url = self.row_url(path, id_or_name)?;
        let rows = self.rows(Method::GET, url, None, false, self.0.timeout).await?;
        rows.into_iter().next().ok_or(RouterError::NotFound)
    }

    /// Adds a row and returns it whole. `place-before` is an attribute like others here, and only here.
    pub async fn add(&self, path: &MenuPath, values: &[(&str, &str)]) -> Result<Row, RouterError> {
        let body = body(values)?;
        let url = self.url(&path.url())?;
        let rows = self.rows(Method::PUT, url, Some(body), true, self.0.timeout).await?;
        rows.into_iter().next().ok_or_else(|| self.lost("the new row was not shown"))
    }

    /// Changes a row's attributes and returns the row. A refusal is not proof that nothing changed: read it back.
    pub async fn set(&self, path: &MenuPath, id: &str, values: &[(&str, &str)]) -> Result<Option<Row>, RouterError> {
        let url = self.row_url(path, check_id(id)?)?;
        let rows = self.rows(Method::PATCH, url, Some(body(values)?), true, self.0.timeout).await?;
        Ok(rows.into_iter().next())
    }

    /// Changes a menu that has no rows; those cannot be patched.
    pub async fn set_singleton(&self, path: &MenuPath, values: &[(&str, &str)]) -> Result<(), RouterError> {
        self.post(path, "set", body(values)?, self.0.timeout).await.map(drop)
    }

    /// Takes an attribute away from a row. Versions differ in which of two ways they know.
    pub async fn unset(&self, path: &MenuPath, id: &str, name: &str) -> Result<(), RouterError> {
        if !query::is_attribute(name) {
            return Err(wrong("not an attribute's name"));
        }
        let asked = body(&[(".id", check_id(id)?), ("value-name", name)])?;
        match self.post(path, "unset", asked, self.0.timeout).await {
            // 7.21.4 answers 400 to `unset`; the other spelling is what Terraform sends.
            Err(first @ (RouterError::Rejected { status: 400, .. } | RouterError::NoSuchMenu { .. })) => {
                let mut patch = Map::new();
                patch.insert(format!("!{name}"), "".into());
                let second = self.rows(Method::PATCH, self.row_url(path, id)?, Some(patch), true, self.0.timeout).await;
                second.map(drop).map_err(|error| if error.is_outage() { error } else { first })
            }
            other => other.map(drop),
        }
    }

    /// Removes a row.
    pub async fn remove(&self, path: &MenuPath, id: &str) -> Result<(), RouterError> {
        let url = self.row_url(path, check_id(id)?)?;
        self.rows(Method::DELETE, url, None, true, self.0.timeout).await.map(drop)
    }

    /// Moves a row before another, or to the end. The router takes an unknown destination as the end without a word,
    /// so look that row up right before.
    pub async fn mv(&self, path: &MenuPath, id: &str, before: Option<&str>) -> Result<(), RouterError> {
        let mut values = vec![("numbers", check_id(id)?)];
        if let Some(before) = before {
            values.push(("destination", check_id(before)?));
        }
        self.post(path, "move", body(&values)?, self.0.timeout).await.map(drop)
    }

    /// Runs a command of a menu: rows, or one row with `ret`. Commands that could run for long need their own end
    /// among the arguments (`count`, `duration`, `once`); see [`run_once`](Self::run_once) and [`run_for`](Self::run_for).
    pub async fn run(&self, path: &MenuPath, command: &str, args: &[(&str, &str)]) -> Result<Vec<Row>, RouterError> {
        self.post(path, command, body(args)?, self.0.timeout).await
    }

    /// As [`run`](Self::run), with another deadline than the endpoint's.
    pub async fn run_within(
        &self,
        path: &MenuPath,
        command: &str,
        args: &[(&str, &str)],
        within: Duration,
    ) -> Result<Vec<Row>, RouterError> {
        self.post(path, command, body(args)?, within.min(MAX_WAIT)).await
    }

    /// One sample of a monitor (`once`).
    pub async fn run_once(&self, path: &MenuPath, command: &str, args: &[(&str, &str)]) -> Result<Vec<Row>, RouterError> {
        let mut body = body(args)?;
        body.insert("once".into(), "".into());
        self.post(path, command, body, self.0.timeout).await
    }

    /// A command that watches for a while; one row for each second, told apart by `.section`.
    ///
    /// # Errors
    /// [`RouterError::Argument`] for less than a second or more than 55: the router ends every request at 60 s.
    pub async fn run_for(
        &self,
        path: &MenuPath,
        command: &str,
        args: &[(&str, &str)],
        duration: Duration,
    ) -> Result<Vec<Row>, RouterError> {
        if duration < Duration::from_secs(1) || duration > command::MAX_DURATION {
            return Err(wrong("a duration is 1 to 55 seconds"));
        }
        let mut body = body(args)?;
        body.insert("duration".into(), format!("{}s", duration.as_secs()).into());
        self.post(path, command, body, (duration + self.0.timeout).min(MAX_WAIT)).await
    }

    /// Runs script source and waits for its printed output. Source must be built with `routeros::script`.
    pub async fn execute(&self, source: &str, within: Duration) -> Result<String, RouterError> {
        let body = body(&[("script", source), ("as-string", "")])?;
        let rows = self.post(&MenuPath::root(), "execute", body, within.min(MAX_WAIT)).await?;
        Ok(rows.first().and_then(|row| row.get("ret")).unwrap_or_default().to_owned())
    }

    /// Starts script source as a job and returns the job's `.id` in `/system/script/job`.
    pub async fn start(&self, source: &str) -> Result<String, RouterError> {
        let rows = self.post(&MenuPath::root(), "execute", body(&[("script", source)])?, self.0.timeout).await?;
        let id = rows.first().and_then(|row| row.get("ret")).map(str::to_owned);
        id.ok_or_else(|| self.lost("the job's id was not shown"))
    }

    /// Refuses new requests and waits for those in flight, each within its own deadline.
    pub async fn close(&self) {
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }

    async fn post(&self, path: &MenuPath, command: &str, body: Map<String, Value>, within: Duration) -> Result<Vec<Row>, RouterError> {
        command::check(command)?;
        let url = self.url(&format!("{}/{command}", path.url()))?;
        self.rows(Method::POST, url, Some(body), !command::is_read(command), within).await
    }

    async fn rows(
        &self,
        method: Method,
        url: Url,
        body: Option<Map<String, Value>>,
        write: bool,
        within: Duration,
    ) -> Result<Vec<Row>, RouterError> {
        let body = body.map(|map| Value::Object(map).to_string().into_bytes());
        if body.as_ref().is_some_and(|bytes| bytes.len() > MAX_REQUEST_BYTES) {
            return Err(wrong("the request is longer than 4 MB"));
        }
        let answer = self.send(Request { method, url, body, write, within }).await?;
        answer::rows(&self.0.at, write, &answer)
    }

    /// Runs the request in its own task: a caller that goes away does not cut it off.
    async fn send(&self, request: Request) -> Result<Answer, RouterError> {
        let write = request.write;
        if self.0.tasks.is_closed() {
            return Err(RouterError::Closed { at: self.0.at.clone() });
        }
        let inner = self.0.clone();
        let task = self.0.tasks.spawn(async move { inner.exchange(request).await.map(|(answer, _)| answer) });
        match task.await {
            Ok(outcome) => outcome,
            // Only when the runtime goes down.
            Err(_) if write => Err(self.lost("we were stopped")),
            Err(_) => Err(RouterError::Closed { at: self.0.at.clone() }),
        }
    }

    fn lost(&self, why: &str) -> RouterError {
        RouterError::LostAnswer { at: self.0.at.clone(), why: why.into() }
    }

    fn url(&self, path: &str) -> Result<Url, RouterError> {
        Url::parse(&format!("{}{path}", self.0.base)).map_err(|_| wrong("the address makes no URL"))
    }

    fn row_url(&self, path: &MenuPath, id_or_name: &str) -> Result<Url, RouterError> {
        // A URL would take these as steps up the path.
        if matches!(id_or_name, "" | "." | "..") {
            return Err(wrong("not a row's id or name"));
        }
        self.url(&format!("{}/{}", path.url(), encode(id_or_name)))
    }
}

/// Asks for `/rest/` without a login.
pub(crate) async fn probe(endpoint: &Endpoint) -> Result<(), RouterError> {
    let rest = Rest::build(endpoint, None)?;
    let url = rest.url("/rest/")?;
    let request = Request { method: Method::GET, url, body: None, write: false, within: rest.0.timeout };
    let inner = rest.0.clone();
    let task = rest.0.tasks.spawn(async move { inner.exchange(request).await });
    let (answer, offers_basic) = task.await.map_err(|_| RouterError::Closed { at: rest.0.at.clone() })??;
    answer::is_routeros(&rest.0.at, &answer, offers_basic)
}

impl Inner {
    /// The whole exchange; the flag tells whether a Basic login was asked for.
    async fn exchange(&self, request: Request) -> Result<(Answer, bool), RouterError> {
        let (write, within) = (request.write, request.within);
        // Connecting has its own, shorter deadline below, so whoever runs into this one was connected.
        match tokio::time::timeout(self.connect_timeout + within, self.attempt(request)).await {
            Ok(outcome) => outcome,
            Err(_) if write => Err(RouterError::LostAnswer { at: self.at.clone(), why: format!("no answer within {within:?}") }),
            Err(_) => Err(RouterError::Timeout { at: self.at.clone(), after: within, stage: Stage::Answer }),
        }
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
        if expected > self.max_answer_bytes {
            return Err(too_large());
        }
        let mut body = Vec::with_capacity(expected);
        while let Some(piece) = response.chunk().await.map_err(|error| self.broken(write, &error))? {
            if body.len() + piece.len() > self.max_answer_bytes {
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
        let io = net::find_cause::<io::Error>(error);
        let why = match io {
            _ if is_foreign(error) => return self.foreign(),
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
            return RouterError::Unreachable { at, why: "the name does not resolve".into() };
        }
        if let Some(error) = net::find_cause::<rustls::Error>(error) {
            return tls::tls_error(&at, error);
        }
        match net::find_cause::<io::Error>(error) {
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

/// Whether the peer answered with something that is not HTTP. The HTTP library is not a direct dependency, so its
/// words are all there is: `invalid HTTP version parsed`, `invalid HTTP header parsed`.
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
        .tcp_nodelay(true)
        .connect_timeout(endpoint.connect_timeout)
        .pool_max_idle_per_host(MAX_IDLE)
        .pool_idle_timeout(IDLE);
    builder.build().map_err(|_| wrong("the HTTP client cannot be set up"))
}

/// `Basic base64(user:password)`, kept out of debug output.
fn login(user: &str, password: &Secret) -> Result<HeaderValue, RouterError> {
    if user.is_empty() || user.contains(':') || user.chars().any(char::is_control) {
        return Err(wrong("a user's name is not empty and has no colon or control characters"));
    }
    let plain = zeroize::Zeroizing::new(format!("{user}:{}", password.expose()));
    let header = zeroize::Zeroizing::new(format!("Basic {}", data_encoding::BASE64.encode(plain.as_bytes())));
    let mut value = HeaderValue::from_str(&header).map_err(|_| wrong("user and password make no login"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// The JSON of a request; every value a string, because the router misreads some numbers.
fn body(values: &[(&str, &str)]) -> Result<Map<String, Value>, RouterError> {
    let mut map = Map::new();
    for (name, value) in values {
        if !query::is_attribute(name) {
            return Err(wrong("an attribute's name is made of letters, digits, dots, hyphens and underscores"));
        }
        map.insert((*name).to_owned(), Value::from(*value));
    }
    Ok(map)
}

/// A row is addressed by `.id` alone: the router takes a bare number as a position.
fn check_id(id: &str) -> Result<&str, RouterError> {
    let digits = id.strip_prefix('*').unwrap_or("");
    if digits.is_empty() || digits.len() > 16 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(wrong("a row's id is an asterisk and hexadecimal digits, as in *1A"));
    }
    Ok(id)
}

/// Percent-encodes what RouterOS decodes, and leaves `*`, which it does not.
fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'*') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn wrong(why: &str) -> RouterError {
    RouterError::Argument { why: why.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn urls_keep_the_asterisk_and_encode_the_rest() {
        let rest = Rest::new(Endpoint::new("2001:db8::1", 443, "u", Secret::new("p"), Trust::Off)).unwrap();
        let path = MenuPath::parse("/ip/address").unwrap();
        assert_eq!(rest.row_url(&path, "*1A").unwrap().as_str(), "https://[2001:db8::1]/rest/ip/address/*1A");
        let path = MenuPath::parse("/file").unwrap();
        let url = rest.row_url(&path, "flash/a b?#%ü.rsc").unwrap();
        assert_eq!(url.path(), "/rest/file/flash%2Fa%20b%3F%23%25%C3%BC.rsc");
        for climb in ["", ".", ".."] {
            assert!(rest.row_url(&path, climb).is_err());
        }
        assert_eq!(rest.row_url(&path, "../x").unwrap().path(), "/rest/file/..%2Fx");
    }

    #[test]
    fn positions_and_names_are_no_ids() {
        for id in ["*0", "*1A", "*FFFFFFFF", "*80000001"] {
            assert!(check_id(id).is_ok(), "{id}");
        }
        for id in ["", "*", "0", "12", "ether1", "*x", "*1,*2", "**1"] {
            assert!(check_id(id).is_err(), "{id}");
        }
    }

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
