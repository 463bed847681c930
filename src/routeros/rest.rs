//! RouterOS REST: one client a router, over a few kept connections.
//!
//! Rules of the wire:
//! - Requests are never cut off in flight (`wire`).
//! - HTTP/1.1 with keep-alive, no pipelining, no redirects, no proxies from the environment.
//! - Strings only, `Content-Type: application/json` to the letter, `*` of an `.id` as it is.
//! - Concurrency, rate and retries belong to the caller; only a read that meets a dead kept connection is repeated here.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/47579162/REST+API>

use crate::base::secret::Secret;
use crate::routeros::fault::RouterError;
use crate::routeros::path::MenuPath;
use crate::routeros::pin::{Roots, Trust};
use crate::routeros::query::{self, Query};
use crate::routeros::row::Row;
use crate::routeros::wire::{self, MAX_WAIT, Request, Wire};
use crate::routeros::{answer, command, net};
use reqwest::{Method, Url};
use serde_json::{Map, Value};
use std::{sync::Arc, time::Duration};

/// Longest answer taken unless the endpoint says otherwise: 40,000 leases, or 100,000 short rows, on a box with 64 MB to spare.
pub const MAX_ANSWER_BYTES: usize = 24 * 1024 * 1024;
/// Longest request body: RouterOS takes files of text this way, and nothing larger.
const MAX_REQUEST_BYTES: usize = 4 * 1024 * 1024;
/// Longest query string put into a URL; beyond, `print` is posted.
const MAX_QUERY_BYTES: usize = 1000;

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
    /// For name resolution, TCP and TLS together; cut to half of `timeout`.
    pub connect_timeout: Duration,
    /// For a request as a whole, connecting included; cut to 65 s.
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

    pub(crate) fn timeout(&self) -> Duration {
        self.timeout.min(MAX_WAIT)
    }

    /// Always over before the request's own deadline: a change that misses that one may have been sent.
    pub(crate) fn connect_timeout(&self) -> Duration {
        self.connect_timeout.min(self.timeout() / 2)
    }

    pub(crate) fn base(&self) -> String {
        format!("{}://{}", if self.plain { "http" } else { "https" }, net::place(&self.host, self.port))
    }
}

/// A client for one router; clones share its connections. Needs a tokio runtime.
#[derive(Clone)]
pub struct Rest {
    wire: Arc<Wire>,
    timeout: Duration,
}

impl std::fmt::Debug for Rest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Rest").field(&self.at()).finish()
    }
}

impl Rest {
    /// Opens no connection yet.
    ///
    /// # Errors
    /// [`RouterError::Argument`] when host, user or trust cannot be used.
    pub fn new(endpoint: Endpoint) -> Result<Rest, RouterError> {
        let login = wire::login(&endpoint.user, &endpoint.password)?;
        Ok(Rest { wire: Wire::new(&endpoint, Some(login))?, timeout: endpoint.timeout() })
    }

    /// `host:port`, for messages.
    pub fn at(&self) -> &str {
        self.wire.at()
    }

    /// A menu's rows; a singleton is one row. Attributes that a row does not have are absent, and comparisons with them
    /// do not hold. Always brings `.id` where rows have one.
    pub async fn print(&self, path: &MenuPath, query: &Query) -> Result<Vec<Row>, RouterError> {
        query.check()?;
        match query.url_query(MAX_QUERY_BYTES) {
            Some(words) => {
                let mut url = self.wire.url(&path.url())?;
                url.set_query((!words.is_empty()).then_some(&words));
                self.rows(Method::GET, url, None, false, self.timeout).await
            }
            None => self.post(path, "print", query.print_body(), self.timeout).await,
        }
    }

    /// How many rows the query meets, counted by the router.
    pub async fn count(&self, path: &MenuPath, query: &Query) -> Result<u64, RouterError> {
        query.check()?;
        let mut body = query.print_body();
        body.remove(".proplist");
        body.insert("count-only".into(), "".into());
        let rows = self.post(path, "print", body, self.timeout).await?;
        let count = rows.first().and_then(|row| row.get("ret")).and_then(|n| n.parse().ok());
        count.ok_or_else(|| RouterError::Garbage { why: "a count without a number".into() })
    }

    /// One row by `.id`, or by name in menus whose rows have names.
    pub async fn get(&self, path: &MenuPath, id_or_name: &str) -> Result<Row, RouterError> {
        let url = self.row_url(path, id_or_name)?;
        let rows = self.rows(Method::GET, url, None, false, self.timeout).await?;
        rows.into_iter().next().ok_or(RouterError::NotFound)
    }

    /// Adds a row and returns it whole. `place-before` is an attribute like others here, and only here.
    pub async fn add(&self, path: &MenuPath, values: &[(&str, &str)]) -> Result<Row, RouterError> {
        let body = body(values)?;
        let url = self.wire.url(&path.url())?;
        let rows = self.rows(Method::PUT, url, Some(body), true, self.timeout).await?;
        rows.into_iter().next().ok_or_else(|| self.lost("the new row was not shown"))
    }

    /// Changes a row's attributes and returns the row. A refusal is not proof that nothing changed: read it back.
    pub async fn set(&self, path: &MenuPath, id: &str, values: &[(&str, &str)]) -> Result<Option<Row>, RouterError> {
        let url = self.row_url(path, check_id(id)?)?;
        let rows = self.rows(Method::PATCH, url, Some(body(values)?), true, self.timeout).await?;
        Ok(rows.into_iter().next())
    }

    /// Changes a menu that has no rows; those cannot be patched.
    pub async fn set_singleton(&self, path: &MenuPath, values: &[(&str, &str)]) -> Result<(), RouterError> {
        self.post(path, "set", body(values)?, self.timeout).await.map(drop)
    }

    /// Takes an attribute away from a row. Versions differ in which of two ways they know.
    pub async fn unset(&self, path: &MenuPath, id: &str, name: &str) -> Result<(), RouterError> {
        if !query::is_attribute(name) {
            return Err(RouterError::argument("not an attribute's name"));
        }
        let asked = body(&[(".id", check_id(id)?), ("value-name", name)])?;
        match self.post(path, "unset", asked, self.timeout).await {
            // 7.21.4 answers 400 to `unset`; the other spelling is what Terraform sends.
            Err(first @ (RouterError::Rejected { status: 400, .. } | RouterError::NoSuchMenu { .. })) => {
                let mut patch = Map::new();
                patch.insert(format!("!{name}"), "".into());
                let second = self.rows(Method::PATCH, self.row_url(path, id)?, Some(patch), true, self.timeout).await;
                second.map(drop).map_err(|error| if error.is_outage() { error } else { first })
            }
            other => other.map(drop),
        }
    }

    /// Removes a row.
    pub async fn remove(&self, path: &MenuPath, id: &str) -> Result<(), RouterError> {
        let url = self.row_url(path, check_id(id)?)?;
        self.rows(Method::DELETE, url, None, true, self.timeout).await.map(drop)
    }

    /// Moves a row before another, or to the end. The router takes an unknown destination as the end without a word,
    /// so look that row up right before.
    pub async fn mv(&self, path: &MenuPath, id: &str, before: Option<&str>) -> Result<(), RouterError> {
        let mut values = vec![("numbers", check_id(id)?)];
        if let Some(before) = before {
            values.push(("destination", check_id(before)?));
        }
        self.post(path, "move", body(&values)?, self.timeout).await.map(drop)
    }

    /// Runs a command of a menu: rows, or one row with `ret`. Commands that could run for long need their own end
    /// among the arguments (`count`, `duration`, `once`).
    pub async fn run(&self, path: &MenuPath, command: &str, args: &[(&str, &str)]) -> Result<Vec<Row>, RouterError> {
        self.post(path, command, body(args)?, self.timeout).await
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

    /// Runs script source and waits for its printed output. Source must be built with `routeros::script`.
    pub async fn execute(&self, source: &str, within: Duration) -> Result<String, RouterError> {
        let body = body(&[("script", source), ("as-string", "")])?;
        let rows = self.post(&MenuPath::root(), "execute", body, within.min(MAX_WAIT)).await?;
        Ok(rows.first().and_then(|row| row.get("ret")).unwrap_or_default().to_owned())
    }

    /// Starts script source as a job and returns the job's `.id` in `/system/script/job`.
    pub async fn start(&self, source: &str) -> Result<String, RouterError> {
        let rows = self.post(&MenuPath::root(), "execute", body(&[("script", source)])?, self.timeout).await?;
        let id = rows.first().and_then(|row| row.get("ret")).map(str::to_owned);
        id.ok_or_else(|| self.lost("the job's id was not shown"))
    }

    /// Refuses new requests and waits for those in flight, each within its own deadline.
    pub async fn close(&self) {
        self.wire.close().await;
    }

    async fn post(&self, path: &MenuPath, command: &str, body: Map<String, Value>, within: Duration) -> Result<Vec<Row>, RouterError> {
        command::check(command)?;
        let url = self.wire.url(&format!("{}/{command}", path.url()))?;
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
            return Err(RouterError::argument("the request is longer than 4 MB"));
        }
        let (answer, _) = self.wire.send(Request { method, url, body, write, within }).await?;
        answer::rows(self.at(), write, &answer)
    }

    fn lost(&self, why: &str) -> RouterError {
        RouterError::LostAnswer { at: self.at().to_owned(), why: why.into() }
    }

    fn row_url(&self, path: &MenuPath, id_or_name: &str) -> Result<Url, RouterError> {
        // A URL would take these as steps up the path.
        if matches!(id_or_name, "" | "." | "..") {
            return Err(RouterError::argument("not a row's id or name"));
        }
        self.wire.url(&format!("{}/{}", path.url(), encode(id_or_name)))
    }
}

/// Asks `GET /rest/system/resource`, which every router has, without a login: RouterOS answers 401 and offers Basic
/// authentication. The endpoint's user and password are not sent; its trust is applied, so a pinned device is checked too.
///
/// # Errors
/// [`RouterError::NotRouterOs`] when something else answers; otherwise as any request.
pub async fn probe_is_routeros(endpoint: &Endpoint) -> Result<(), RouterError> {
    let wire = Wire::new(endpoint, None)?;
    let url = wire.url("/rest/system/resource")?;
    let (answer, offers_basic) =
        wire.send(Request { method: Method::GET, url, body: None, write: false, within: endpoint.timeout() }).await?;
    answer::is_routeros(wire.at(), &answer, offers_basic)
}

/// The JSON of a request; every value a string, because the router misreads some numbers.
fn body(values: &[(&str, &str)]) -> Result<Map<String, Value>, RouterError> {
    let mut map = Map::new();
    for (name, value) in values {
        if !query::is_attribute(name) {
            return Err(RouterError::argument("an attribute's name is made of letters, digits, dots, hyphens and underscores"));
        }
        map.insert((*name).to_owned(), Value::from(*value));
    }
    Ok(map)
}

/// A row is addressed by `.id` alone: the router takes a bare number as a position.
fn check_id(id: &str) -> Result<&str, RouterError> {
    let digits = id.strip_prefix('*').unwrap_or("");
    if digits.is_empty() || digits.len() > 16 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(RouterError::argument("a row's id is an asterisk and hexadecimal digits, as in *1A"));
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
}
