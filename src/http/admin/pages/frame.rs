//! What every page has around it, and the page that says no.

use super::{assets, form, html_as};
use crate::access::principal::Principal;
use crate::base::ids::CorrelationId;
use crate::http::fault::Refusal;
use crate::http::{Body, Edge};
use askama::Template;
use hyper::{Response, StatusCode};

/// Around every page.
pub struct Frame {
    pub css: String,
    pub js: String,
    pub icon: String,
    pub person: Option<Person>,
    pub server: String,
    pub version: &'static str,
    pub environment: &'static str,
    pub read_only: bool,
    /// Events the page is made anew for.
    pub live: Option<&'static str>,
    at: String,
}

/// Whoever is signed in.
pub struct Person {
    pub name: String,
    pub role: &'static str,
}

impl Frame {
    /// For a page at this address.
    pub fn of(edge: &Edge, principal: Option<&Principal>, at: &str) -> Frame {
        let rules = &edge.dispatch.world().rules;
        Frame {
            css: assets::address("style.css"),
            js: assets::address("app.js"),
            icon: assets::address("icon.svg"),
            person: principal.map(|who| Person { name: who.name.clone(), role: who.role.as_str() }),
            server: edge.server_name.clone(),
            version: env!("CARGO_PKG_VERSION"),
            environment: rules.environment.as_str(),
            read_only: rules.is_read_only(),
            live: None,
            at: at.to_owned(),
        }
    }

    /// Made anew when one of these events happens.
    #[must_use]
    pub fn live(self, events: &'static str) -> Frame {
        Frame { live: Some(events), ..self }
    }

    /// The pages named at the top.
    pub fn tabs(&self) -> [(&'static str, &'static str); 7] {
        [
            ("/admin/", "Fleet"),
            ("/admin/plans", "Plans"),
            ("/admin/alerts", "Alerts"),
            ("/admin/audit", "Audit"),
            ("/admin/people", "People"),
            ("/admin/settings", "Settings"),
            ("/admin/docs", "Help"),
        ]
    }

    /// Whether the page belongs below that one.
    pub fn is_at(&self, tab: &str) -> bool {
        let path = self.at.split('?').next().unwrap_or_default();
        match tab {
            "/admin/" => path == tab || FLEET.iter().any(|root| path.starts_with(root)),
            "/admin/settings" => SETTINGS.iter().any(|root| path.starts_with(root)),
            _ => path == tab || path.strip_prefix(tab).is_some_and(|rest| rest.starts_with('/')),
        }
    }
}

/// Pages below Fleet.
const FLEET: &[&str] = &["/admin/devices", "/admin/add", "/admin/discovery", "/admin/registrations", "/admin/import"];
/// Pages below Settings.
const SETTINGS: &[&str] = &["/admin/settings", "/admin/backup", "/admin/update"];

#[derive(Template)]
#[template(path = "message.html", config = "assets/ui/askama.toml")]
struct Message {
    frame: Frame,
    title: &'static str,
    tone: &'static str,
    said: String,
    hint: Option<String>,
    back: &'static str,
    correlation: Option<String>,
}

/// A refusal as a page.
pub fn refused(edge: &Edge, correlation: &CorrelationId, refusal: Refusal) -> Response<Body> {
    let title = match refusal.status.as_u16() {
        401 => "Sign in first",
        403 => "That is not yours to do",
        404 => "Not here",
        409 => "Not now",
        429 => "Too much at once",
        _ => "That did not work",
    };
    refused_as(title, edge, correlation, refusal)
}

/// The same under another title.
pub fn refused_as(title: &'static str, edge: &Edge, correlation: &CorrelationId, refusal: Refusal) -> Response<Body> {
    let (said, hint) = refusal.words();
    let id = Some(correlation.as_str().to_owned());
    let page = Message { frame: Frame::of(edge, None, ""), title, tone: "bad", said, hint, back: form::HOME, correlation: id };
    match html_as(refusal.status, &page) {
        Ok(mut response) => {
            response.headers_mut().extend(refusal.headers());
            response
        }
        Err(fault) => fault.response(correlation),
    }
}

#[derive(Template)]
#[template(path = "onward.html", config = "assets/ui/askama.toml")]
struct Onward<'t> {
    to: &'t str,
}

/// Goes on to a page of ours, as if somebody had clicked there. A browser that comes from another site brings no `Strict`
/// cookie; the request that this page makes is one of ours.
pub fn onward(to: &str) -> Result<Response<Body>, Refusal> {
    html_as(StatusCode::OK, &Onward { to: form::next(to) })
}
