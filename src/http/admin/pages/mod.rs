//! The pages: HTML made here, readable without a script, from what the verbs of the API answer.
//!
//! A form is a POST to an address of its own and ends in a redirect, so that nothing is done twice by reloading. Strings
//! of routers are text in templates that escape by themselves; the policy for scripts and styles would stop the rest.

mod add;
mod alerts;
mod assets;
mod audit;
mod backup;
mod clients;
mod device;
mod discovery;
mod docs;
mod fleet;
pub(in crate::http) mod form;
pub(in crate::http) mod frame;
mod import;
mod manage;
mod me;
mod people;
mod plan;
mod plans;
mod registrations;
mod settings;
mod setup;
mod sign;
mod start;
mod update;
mod view;

use crate::access::principal::Principal;
use crate::access::session::{Session, Way};
use crate::base::fault::{Fault, Kind};
use crate::base::secret::Secret;
use crate::http::admin::signed::Signed;
use crate::http::admin::{api, came_from_elsewhere, client, from_our_page, session};
use crate::http::fault::{self, Refusal};
use crate::http::inflow::Inflow;
use crate::http::{Asked, Body, Edge, query};
use crate::shape::page::MOST_ROWS;
use crate::tools;
use askama::Template;
use bytes::Bytes;
use form::Form;
use frame::Frame;
use http_body_util::{BodyExt, Full};
use hyper::header::{self, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};
use std::sync::Arc;

/// Where the pages are.
pub const BASE: &str = "/admin";

/// What pages may load and do: their own files, and nothing of anybody else.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// One person at work: what pages do goes through this.
pub struct Desk<'a> {
    edge: &'a Edge,
    asked: &'a Asked,
    session: Session,
    /// The id of that session, where a form brought the password for it: the browser does not have it yet.
    renewed: Option<Secret>,
    principal: Arc<Principal>,
    /// The query of the address.
    query: Form,
    /// The address itself, to come back to.
    at: String,
}

impl Desk<'_> {
    /// Calls a verb as this person.
    async fn ask(&self, tool: &str, arguments: Value) -> Result<Value, Fault> {
        let tool = tools::find(tool).ok_or_else(|| Fault::bug("a page names a verb that is none"))?;
        let signed = Signed::Person { principal: self.principal.clone(), session: Box::new(self.session.clone()) };
        let arguments = arguments.as_object().cloned().unwrap_or_default();
        let reply = api::called(self.edge, self.asked, tool, arguments, &signed).await;
        match reply.fault {
            None => Ok(reply.structured),
            Some(kind) => {
                let word = |name: &str| reply.structured["error"][name].as_str().map(str::to_owned);
                let fault = Fault::new(kind, word("message").unwrap_or_default());
                Err(match word("hint") {
                    Some(hint) => fault.hint(hint),
                    None => fault,
                })
            }
        }
    }

    /// All rows of a list, page by page.
    async fn all(&self, tool: &str) -> Result<Vec<Value>, Fault> {
        let (mut all, mut asked) = (Vec::new(), json!({"limit": MOST_ROWS}));
        loop {
            let mut page = self.ask(tool, asked.clone()).await?;
            if let Value::Array(rows) = page["rows"].take() {
                all.extend(rows);
            }
            match page["next_cursor"].as_str() {
                Some(next) => asked["cursor"] = next.into(),
                None => return Ok(all),
            }
        }
    }

    /// The same for what this person may not see: then it is not there.
    async fn ask_if_allowed(&self, tool: &str, arguments: Value) -> Result<Option<Value>, Fault> {
        match self.ask(tool, arguments).await {
            Ok(value) => Ok(Some(value)),
            Err(fault) if matches!(fault.kind, Kind::Denied | Kind::NotFound) => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    fn is_fresh(&self) -> bool {
        self.session.is_fresh(self.edge.dispatch.world().clock.wall())
    }

    /// Whether forms ask for the password beside everything else.
    fn takes_password(&self) -> bool {
        !self.is_fresh() && self.session.way == Way::Local
    }

    fn frame(&self) -> Frame {
        Frame::of(self.edge, Some(&self.principal), &self.at)
    }
}

/// Answers a request for a page; `path` is what follows [`BASE`].
pub async fn answer(edge: &Edge, asked: &Asked, path: &str, request: Request<Inflow>) -> Result<Response<Body>, Refusal> {
    let is_get = matches!(*request.method(), Method::GET | Method::HEAD);
    if !is_get && request.method() != Method::POST {
        return Err(Refusal::method("GET, HEAD, POST"));
    }
    if let Some(name) = path.strip_prefix("/assets/") {
        return assets::answer(name, request.headers());
    }
    if !is_get {
        from_our_page(edge, asked, request.headers())?;
    }
    let at = request.uri().path_and_query().map_or_else(|| BASE.to_owned(), |all| all.as_str().to_owned());
    match path {
        "" => Ok(seen_other(form::HOME)),
        "/setup" => setup::page(edge, asked, request).await,
        "/sign-in" => sign::sign_in(edge, asked, request).await,
        _ => match edge.admin.session(request.headers()).await {
            Ok(session) => inside(edge, asked, path, request, session).await,
            Err(refusal) if refusal.status != StatusCode::UNAUTHORIZED => Err(refusal),
            // A link in a mail: whoever followed it may well be signed in.
            Err(_) if is_get && came_from_elsewhere(request.headers()) => frame::onward(&at),
            Err(_) if is_get && at == form::HOME => Ok(seen_other(door(edge)?)),
            Err(_) if is_get => Ok(seen_other(&format!("/admin/sign-in?next={}", query::encoded(&at)))),
            Err(_) => Err(Fault::new(Kind::Unauthenticated, "you are not signed in any more").hint("sign in, then do it again").into()),
        },
    }
}

/// Where somebody begins who is not signed in: where nobody can, with making the first who will.
fn door(edge: &Edge) -> Result<&'static str, Fault> {
    let is_first_run = edge.oidc.is_none() && !edge.dispatch.world().access.has_users()?;
    Ok(if is_first_run { setup::PAGE } else { "/admin/sign-in" })
}

async fn inside(edge: &Edge, asked: &Asked, path: &str, request: Request<Inflow>, session: Session) -> Result<Response<Body>, Refusal> {
    let query = Form::read(request.uri().query().unwrap_or_default()).ok_or_else(unreadable)?;
    let at = request.uri().path_and_query().map_or_else(|| BASE.to_owned(), |all| all.as_str().to_owned());
    let is_get = request.method() != Method::POST;
    let parts: Vec<String> = path.split('/').skip(1).map(|part| query::decoded(part).ok_or_else(unreadable)).collect::<Result<_, _>>()?;
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    if !is_get && parts[..] == ["sign-out"] {
        return sign::sign_out(edge, asked, request).await;
    }
    if parts[..] == ["prove"] {
        return sign::prove(edge, asked, request, session, query).await;
    }
    let principal = Arc::new(session.principal(client(asked, request.headers())));
    let _running = edge.enter(&principal)?;
    edge.take(&principal)?;
    let mut desk = Desk { edge, asked, session, renewed: None, principal, query, at };
    if is_get {
        return shown(&desk, &parts).await;
    }
    let answered = done(&mut desk, &parts, request).await;
    session::with_renewed(&edge.admin, answered, desk.renewed.as_ref())
}

/// The page at an address.
async fn shown(desk: &Desk<'_>, parts: &[&str]) -> Result<Response<Body>, Refusal> {
    match *parts {
        [""] => fleet::page(desk).await,
        ["add"] => add::page(desk).await,
        ["discovery"] => discovery::page(desk).await,
        ["registrations"] => registrations::page(desk).await,
        ["import"] => import::page(desk),
        ["devices", id, "manage"] => manage::page(desk, id, manage::Said::default()).await,
        ["devices", id] => device::page(desk, id).await,
        ["devices", id, "diff"] => device::diff(desk, id).await,
        ["plans"] => plans::page(desk).await,
        ["plans", id] => plan::page(desk, id).await,
        ["alerts"] => alerts::page(desk, Vec::new()).await,
        ["audit"] => audit::page(desk).await,
        ["people"] => people::page(desk, None).await,
        ["backup"] => backup::page(desk, None).await,
        ["update"] => update::page(desk).await,
        ["people", name] => people::person(desk, name).await,
        ["me"] => me::page(desk).await,
        ["settings"] => settings::page(desk).await,
        ["start"] => start::page(desk, None).await,
        ["docs"] => docs::page(desk, None),
        ["docs", name] => docs::page(desk, Some(name)),
        _ => Err(Fault::not_found("there is no such page").hint("the pages are named at the top").into()),
    }
}

/// What the form at an address does.
async fn done(desk: &mut Desk<'_>, parts: &[&str], request: Request<Inflow>) -> Result<Response<Body>, Refusal> {
    // Text of many lines is for these two alone.
    match *parts {
        ["import"] => {
            let given = form::long_body(request, desk.edge, import::FORM_MAX).await?;
            return import::act(desk, given).await;
        }
        ["registrations", id, verb] => {
            let given = form::long_body(request, desk.edge, desk.edge.settings.limits.body_bytes).await?;
            return registrations::act(desk, id, verb, given).await;
        }
        _ => {}
    }
    let headers = request.headers().clone();
    let given = form::body(request, desk.edge).await?;
    match *parts {
        ["add", step] => add::act(desk, step, given).await,
        ["discovery"] => discovery::listen(desk, given).await,
        ["registrations"] => registrations::create(desk, given).await,
        ["devices", id, verb] => manage::act(desk, id, verb, given).await,
        ["me", "tokens", id, "revoke"] => me::revoke(desk, id, given).await,
        ["me", verb] => me::act(desk, verb, given, &headers).await,
        ["plans", id, verb] => plan::act(desk, id, verb, given).await,
        ["alerts", verb] => alerts::act(desk, verb, given).await,
        ["people"] => people::add(desk, given).await,
        ["people", name, verb] => people::act(desk, name, verb, given).await,
        ["backup"] => backup::create(desk, given).await,
        ["backup", name, verb] => backup::act(desk, name, verb, given).await,
        ["update", verb] => update::act(desk, verb, given).await,
        ["audit", "verify"] => audit::verify(desk).await,
        ["settings", switch] => settings::switch(desk, switch, given).await,
        ["start"] => start::make_token(desk, given).await,
        ["tokens"] => people::make_token(desk, given).await,
        ["tokens", id, "revoke"] => people::revoke(desk, id, given).await,
        _ => Err(Fault::not_found("nothing is done at this address").into()),
    }
}

fn unreadable() -> Refusal {
    Fault::bad_input("the address cannot be read").into()
}

/// A page.
fn html(page: &impl Template) -> Result<Response<Body>, Refusal> {
    html_as(StatusCode::OK, page)
}

fn html_as(status: StatusCode, page: &impl Template) -> Result<Response<Body>, Refusal> {
    let text = page.render().map_err(|error| Refusal::from(Fault::bug(error)))?;
    let mut response = Response::new(Full::new(Bytes::from(text)).boxed());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    // With no referrer at all browsers say `Origin: null` of our own forms.
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    Ok(response)
}

/// Elsewhere on this host, by GET.
fn seen_other(to: &str) -> Response<Body> {
    let mut response = fault::empty(StatusCode::SEE_OTHER);
    let to = HeaderValue::from_str(to).unwrap_or(HeaderValue::from_static("/admin/"));
    response.headers_mut().insert(header::LOCATION, to);
    response
}
