//! What the operator uses: the admin API, and the pages over it, with the session that the browser's cookie names.
//!
//! | file | holds |
//! |---|---|
//! | `session.rs`, `oidc.rs`, `cookie.rs` | signing in and out |
//! | `setup.rs` | the first administrator |
//! | `routes.rs`, `api.rs`, `openapi.rs`, `signed.rs` | verbs of the catalogue under addresses, and who may call them |
//! | `report.rs` | routers that register themselves |
//! | `upload.rs` | bundles with a release |
//! | `events.rs` | what happens, as it happens |
//! | `download.rs` | files |
//! | `export.rs` | the trail as a file |
//! | `cache.rs` | forgetting kept answers |
//! | `pages/` | the UI |
//!
//! A write comes from a page of ours: `Sec-Fetch-Site` says so, or `Origin` where a browser is too old for it; who says
//! neither is no browser, and has no business with a cookie.

pub mod api;
mod cache;
pub mod cookie;
pub mod download;
pub mod events;
pub mod export;
pub mod oidc;
pub mod openapi;
pub mod pages;
pub mod report;
pub mod routes;
pub mod session;
pub mod setup;
pub mod signed;
mod upload;

use crate::access::principal::Client;
use crate::access::session::{Session, Sessions};
use crate::base::fault::{Fault, Kind};
use crate::http::fault::Refusal;
use crate::http::inflow::Inflow;
use crate::http::{Asked, Body, Edge, intake};
use crate::store::Seal;
use cookie::Cookie;
use hyper::header::{self, HeaderMap, HeaderName};
use hyper::{Request, Response, StatusCode};
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::time::Duration;

/// Where all of it is.
pub const ROOT: &str = "/admin/";

/// The longest JSON of a request; nothing people type is longer.
const JSON_MAX: usize = 64 * 1024;
/// It comes within.
const JSON_TIME: Duration = Duration::from_secs(10);

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// What the admin API stands on.
pub struct Admin {
    /// Who is signed in.
    pub sessions: Sessions,
    /// Seals what a browser keeps for us.
    pub seal: Arc<Seal>,
    /// Cookies go over TLS only.
    pub secure: bool,
    /// The path of `oidc.redirect_uri`, where that is not ours.
    pub callback: Option<String>,
}

impl Admin {
    /// Whether the path is one of these.
    pub fn has(&self, path: &str) -> bool {
        path.starts_with(ROOT) || path == pages::BASE || self.callback.as_deref() == Some(path)
    }

    /// Whether a person looks at what is answered there.
    pub fn is_page(&self, path: &str) -> bool {
        self.has(path) && !path.starts_with(api::BASE) && !path.starts_with("/admin/assets/") && path != cache::PATH
    }

    /// Answers.
    pub async fn answer(&self, edge: &Edge, asked: Asked, request: Request<Inflow>) -> Result<Response<Body>, Refusal> {
        let path = request.uri().path().to_owned();
        if self.callback.as_deref() == Some(path.as_str()) {
            return oidc::callback(edge, &asked, &request).await;
        }
        let below = |root: &str| path.strip_prefix(root).filter(|rest| rest.is_empty() || rest.starts_with('/'));
        if let Some(rest) = below(session::ROOT) {
            return session::answer(edge, &asked, rest, request).await;
        }
        if let Some(rest) = below(setup::ROOT) {
            return setup::answer(edge, &asked, rest, request).await;
        }
        if path == cache::PATH {
            return cache::answer(edge, &asked, request).await;
        }
        match below(api::BASE) {
            Some(rest) => api::answer(edge, &asked, rest, request).await,
            None => pages::answer(edge, &asked, below(pages::BASE).unwrap_or_default(), request).await,
        }
    }

    /// Whoever the browser's cookie stands for.
    ///
    /// Errs with `Unauthenticated` when that is nobody.
    pub async fn session(&self, headers: &HeaderMap) -> Result<Session, Refusal> {
        let found = match Cookie::Session.of(headers, self.secure)? {
            Some(id) => self.sessions.find(id).await?,
            None => None,
        };
        found.ok_or_else(|| Fault::new(Kind::Unauthenticated, "nobody is signed in").hint("sign in first").into())
    }
}

/// The program and address behind a request.
fn client(asked: &Asked, headers: &HeaderMap) -> Client {
    let name = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    Client { name: name.chars().take(100).collect(), version: String::new(), address: asked.client.to_string() }
}

/// Whether a link on somebody else's page led here.
fn came_from_elsewhere(headers: &HeaderMap) -> bool {
    headers.get(FETCH_SITE).is_some_and(|site| site == "cross-site" || site == "same-site")
}

/// Refuses a write that no page of ours sent.
pub fn from_our_page(edge: &Edge, asked: &Asked, headers: &HeaderMap) -> Result<(), Refusal> {
    let is_ours = match (headers.get(FETCH_SITE), headers.get(header::ORIGIN)) {
        (Some(site), _) => site == "same-origin",
        (None, Some(origin)) => edge.hosts.is_own_page(origin, asked.host.as_deref()),
        (None, None) => false,
    };
    if is_ours {
        return Ok(());
    }
    Err(Refusal::of(StatusCode::FORBIDDEN, "cross_site", "this must be sent by a page of this appliance")
        .hint("programs use a token: Authorization: Bearer"))
}

/// The JSON of a write that a page of ours sent.
async fn written<T: DeserializeOwned>(edge: &Edge, asked: &Asked, request: Request<Inflow>) -> Result<T, Refusal> {
    from_our_page(edge, asked, request.headers())?;
    let (parts, incoming) = request.into_parts();
    let bytes = intake::of_kind("application/json", &parts.headers, incoming, JSON_MAX, JSON_TIME).await?;
    // The library's words may quote what was sent, and that may be a password.
    serde_json::from_slice(&bytes).map_err(|error| {
        Refusal::of(
            StatusCode::BAD_REQUEST,
            "json",
            format!("the body is not what this takes (line {}, column {})", error.line(), error.column()),
        )
    })
}
