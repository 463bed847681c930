//! Signing in and out, and proving again who one is.

use super::form::{self, Form};
use super::frame::Frame;
use super::{Desk, html_as, seen_other};
use crate::access::session::{Session, Way};
use crate::base::secret::Secret;
use crate::http::admin::{client, session};
use crate::http::fault::Refusal;
use crate::http::inflow::Inflow;
use crate::http::{Asked, Body, Edge, query};
use askama::Template;
use hyper::{Method, Request, Response, StatusCode};

#[derive(Template)]
#[template(path = "sign_in.html", config = "assets/ui/askama.toml")]
struct SignIn {
    frame: Frame,
    wrong: Option<String>,
    next: String,
    user: String,
    has_provider: bool,
    first_run: bool,
}

#[derive(Template)]
#[template(path = "prove.html", config = "assets/ui/askama.toml")]
struct Prove {
    frame: Frame,
    wrong: Option<String>,
    next: String,
    by_password: bool,
}

/// The form, and what it sends.
pub async fn sign_in(edge: &Edge, asked: &Asked, request: Request<Inflow>) -> Result<Response<Body>, Refusal> {
    let show = |status, wrong: Option<String>, next: &str, user: &str| {
        let (frame, has_provider) = (Frame::of(edge, None, "/admin/sign-in"), edge.oidc.is_some());
        let first_run = !edge.dispatch.world().access.has_users()?;
        html_as(status, &SignIn { frame, wrong, next: next.into(), user: user.into(), has_provider, first_run })
    };
    if request.method() != Method::POST {
        let query = Form::read(request.uri().query().unwrap_or_default()).unwrap_or_default();
        return show(StatusCode::OK, None, form::next(query.get("next")), "");
    }
    let (client, old) = (client(asked, request.headers()), edge.admin.session(request.headers()).await.ok());
    let given = form::body(request, edge).await?;
    let (user, next) = (given.get("user").trim().to_owned(), form::next(given.get("next")).to_owned());
    match session::signed_in(edge, asked, &user, Secret::new(given.get("password")), client, old).await {
        Ok((id, _)) => Ok(session::with_session(&edge.admin, seen_other(&next), &id)),
        Err(refusal) if matches!(refusal.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
            show(refusal.status, Some(refusal.words().0), &next, &user)
        }
        Err(refusal) => Err(refusal),
    }
}

/// Ends the session.
pub async fn sign_out(edge: &Edge, asked: &Asked, request: Request<Inflow>) -> Result<Response<Body>, Refusal> {
    let ended = session::sign_out(edge, asked, request.headers()).await?;
    let mut response = seen_other("/admin/sign-in");
    response.headers_mut().extend(ended.headers().iter().map(|(name, value)| (name.clone(), value.clone())));
    Ok(response)
}

/// Again, for what takes a fresh proof; then back to the page.
pub async fn prove(edge: &Edge, asked: &Asked, request: Request<Inflow>, session: Session, query: Form) -> Result<Response<Body>, Refusal> {
    let (by_password, client) = (session.way == Way::Local, client(asked, request.headers()));
    let frame = Frame::of(edge, Some(&session.principal(client.clone())), "/admin/prove");
    if request.method() != Method::POST {
        let next = form::next(query.get("next")).to_owned();
        return html_as(StatusCode::OK, &Prove { frame, wrong: None, next, by_password });
    }
    let given = form::body(request, edge).await?;
    let next = form::next(given.get("next")).to_owned();
    match session::proved(edge, asked, &session, Secret::new(given.get("password")), client).await {
        Ok((id, _)) => Ok(session::with_session(&edge.admin, seen_other(&next), &id)),
        Err(refusal) if refusal.status == StatusCode::UNAUTHORIZED => {
            let wrong = Some(refusal.words().0);
            html_as(refusal.status, &Prove { frame, wrong, next, by_password })
        }
        Err(refusal) => Err(refusal),
    }
}

/// A fresh proof for what is about to be done: the one there is, or the password that came with the form, for which the browser gets
/// a new session with whatever is answered. Where there is neither: the page on which they prove who they are, and come back.
pub async fn prove_first(desk: &mut Desk<'_>, given: &Form, back: &str) -> Result<Option<Response<Body>>, Refusal> {
    if desk.is_fresh() {
        return Ok(None);
    }
    let password = given.get("proof");
    if password.is_empty() {
        return Ok(Some(seen_other(&format!("/admin/prove?next={}", query::encoded(back)))));
    }
    let client = desk.principal.client.clone();
    let (id, session) = session::proved(desk.edge, desk.asked, &desk.session, Secret::new(password), client).await?;
    (desk.session, desk.renewed) = (session, Some(id));
    Ok(None)
}
