//! One's own page: where one is signed in, the password, and what else counts as oneself.

use super::form::Form;
use super::frame::Frame;
use super::sign::prove_first;
use super::view::{ever, items, maybe, text, words};
use super::{Desk, html_as, seen_other};
use crate::access::session::Way;
use crate::base::fault::Fault;
use crate::base::secret::Secret;
use crate::http::Body;
use crate::http::admin::session;
use crate::http::fault::Refusal;
use askama::Template;
use hyper::header::HeaderMap;
use hyper::{Response, StatusCode};
use serde_json::{Value, json};

/// Where it is.
const PAGE: &str = "/admin/me";

#[derive(Template)]
#[template(path = "me.html", config = "assets/ui/askama.toml")]
struct Me {
    frame: Frame,
    name: String,
    role: String,
    said: Option<&'static str>,
    wrong: Option<String>,
    sessions: Vec<Place>,
    by_password: bool,
    password_set: String,
    identity: String,
    person: Option<String>,
    identities: Vec<String>,
    tokens: Vec<Token>,
}

struct Place {
    client: String,
    address: String,
    way: String,
    began: String,
    used: String,
    ends: String,
    this: bool,
}

struct Token {
    id: String,
    name: String,
    role: String,
    state: String,
    devices: String,
    used: String,
    live: bool,
}

/// The page.
pub async fn page(desk: &Desk<'_>) -> Result<Response<Body>, Refusal> {
    let said = (desk.query.get("done") == "password").then_some("The new password is set, and your other sessions have ended.");
    show(desk, StatusCode::OK, said, None).await
}

async fn show(desk: &Desk<'_>, status: StatusCode, said: Option<&'static str>, wrong: Option<String>) -> Result<Response<Body>, Refusal> {
    let now = desk.edge.dispatch.world().clock.wall();
    let me = desk.ask("person.get", json!({})).await?;
    let when = |row: &Value, name: &str| ever(row, name, now);
    let place = |row: &Value| Place {
        client: maybe(row, "client").unwrap_or_else(|| "unknown".into()),
        address: text(row, "address"),
        way: text(row, "way"),
        began: when(row, "signed_in_at"),
        used: when(row, "last_used"),
        ends: when(row, "ends_at"),
        this: row["this"] == true,
    };
    let token = |row: &Value| Token {
        id: text(row, "id"),
        name: text(row, "name"),
        role: text(row, "role"),
        live: !matches!(text(row, "state").as_str(), "revoked" | "expired"),
        state: text(row, "state"),
        devices: words(&row["devices"]),
        used: when(row, "last_used"),
    };
    let page = Me {
        frame: desk.frame(),
        name: text(&me, "name"),
        role: text(&me, "role"),
        said,
        wrong,
        sessions: session::all_shown(desk.edge, &desk.session)?.iter().map(place).collect(),
        by_password: desk.session.way == Way::Local,
        password_set: when(&me, "password_set_at"),
        identity: text(&me, "identity"),
        person: maybe(&me, "person"),
        identities: items(&me["identities"]).map(words).collect(),
        tokens: items(&me["tokens"]).map(token).collect(),
    };
    html_as(status, &page)
}

/// A token of one's own taken back.
pub async fn revoke(desk: &mut Desk<'_>, id: &str, given: Form) -> Result<Response<Body>, Refusal> {
    if let Some(page) = prove_first(desk, &given, PAGE).await? {
        return Ok(page);
    }
    desk.ask("person.revoke_token", json!({"id": id})).await?;
    Ok(seen_other(PAGE))
}

/// Another password, or the end of all sessions.
pub async fn act(desk: &mut Desk<'_>, verb: &str, given: Form, headers: &HeaderMap) -> Result<Response<Body>, Refusal> {
    match verb {
        "sign-out-everywhere" => {
            let ended = session::sign_out_everywhere(desk.edge, desk.asked, headers).await?;
            let mut response = seen_other("/admin/sign-in");
            response.headers_mut().extend(ended.headers().iter().map(|(name, value)| (name.clone(), value.clone())));
            Ok(response)
        }
        "password" => {
            let (old, new) = (Secret::new(given.need("old")?), Secret::new(given.need("new")?));
            let client = desk.principal.client.clone();
            match session::password_set(desk.edge, desk.asked, &desk.session, old, new, client).await {
                Ok((id, _)) => Ok(session::with_session(&desk.edge.admin, seen_other(&format!("{PAGE}?done=password")), &id)),
                Err(refusal) if matches!(refusal.status.as_u16(), 400 | 401) => {
                    let (status, wrong) = (refusal.status, refusal.words().0);
                    show(desk, status, None, Some(wrong)).await
                }
                Err(refusal) => Err(refusal),
            }
        }
        _ => Err(Fault::not_found("nothing is done at this address").into()),
    }
}
