//! The first run: the page that makes the first administrator. Its token comes in the fragment of the address, which the
//! browser keeps to itself; a script puts it into the form, or a person does.

use super::form;
use super::frame::Frame;
use super::{html_as, seen_other};
use crate::base::secret::Secret;
use crate::http::admin::{client, session, setup};
use crate::http::fault::Refusal;
use crate::http::inflow::Inflow;
use crate::http::{Asked, Body, Edge};
use askama::Template;
use hyper::{Method, Request, Response, StatusCode};

/// Where it is.
pub const PAGE: &str = "/admin/setup";

#[derive(Template)]
#[template(path = "setup.html", config = "assets/ui/askama.toml")]
struct Setup {
    frame: Frame,
    open: bool,
    has_users: bool,
    wrong: Option<String>,
    user: String,
}

/// The form, and what it sends.
pub async fn page(edge: &Edge, asked: &Asked, request: Request<Inflow>) -> Result<Response<Body>, Refusal> {
    let access = &edge.dispatch.world().access;
    let show = |status, wrong: Option<String>, user: String| {
        let (open, has_users) = (access.is_setup_open()?, access.has_users()?);
        html_as(status, &Setup { frame: Frame::of(edge, None, PAGE), open, has_users, wrong, user })
    };
    if request.method() != Method::POST {
        return show(StatusCode::OK, None, String::new());
    }
    let client = client(asked, request.headers());
    let given = form::body(request, edge).await?;
    let (token, user) = (Secret::new(given.get("token")), given.get("user").trim().to_owned());
    match setup::made(edge, asked, &token, &user, Secret::new(given.get("password")), client).await {
        Ok((id, _)) => Ok(session::with_session(&edge.admin, seen_other(super::start::PAGE), &id)),
        Err(refusal) if matches!(refusal.status.as_u16(), 400 | 401 | 409) => show(refusal.status, Some(refusal.words().0), user),
        Err(refusal) => Err(refusal),
    }
}
