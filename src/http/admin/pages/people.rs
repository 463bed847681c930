//! Who may come in: users and API tokens.

use super::form::{Form, words_of};
use super::frame::Frame;
use super::sign::prove_first;
use super::view::{ago, ever, items, maybe, text, words};
use super::{Desk, html, seen_other};
use crate::access::PersonId;
use crate::access::role::Role;
use crate::access::token;
use crate::base::fault::Fault;
use crate::base::ids::hex;
use crate::http::Body;
use crate::http::fault::Refusal;
use askama::Template;
use hyper::Response;
use serde_json::{Value, json};

/// Where it is.
const PAGE: &str = "/admin/people";

#[derive(Template)]
#[template(path = "people.html", config = "assets/ui/askama.toml")]
struct People {
    frame: Frame,
    /// A token just made.
    token: Option<String>,
    users: Vec<User>,
    tokens: Vec<Token>,
    roles: Vec<&'static str>,
}

struct User {
    name: String,
    role: String,
    state: String,
    seen: String,
    identities: Vec<String>,
    disabled: bool,
    me: bool,
}

struct Token {
    id: String,
    name: String,
    role: String,
    state: String,
    devices: String,
    owner: String,
    used: String,
    live: bool,
}

/// The page; `token` is one that was just made.
pub async fn page(desk: &Desk<'_>, token: Option<String>) -> Result<Response<Body>, Refusal> {
    let now = desk.edge.dispatch.world().clock.wall();
    let users = desk.all("user.list").await?;
    let tokens = desk.all("token.list").await?;
    let token_row = |row: &Value| {
        let state = text(row, "state");
        Token {
            id: text(row, "id"),
            name: text(row, "name"),
            role: text(row, "role"),
            live: !matches!(state.as_str(), "revoked" | "expired"),
            state,
            devices: words(&row["devices"]),
            owner: text(row, "owner"),
            used: ever(row, "last_used", now),
        }
    };
    html(&People {
        frame: desk.frame(),
        token,
        users: users.iter().map(|row| user(desk, row)).collect(),
        tokens: tokens.iter().map(token_row).collect(),
        roles: Role::ALL.iter().map(|role| role.as_str()).collect(),
    })
}

/// A user as people read it.
fn user(desk: &Desk<'_>, row: &Value) -> User {
    let now = desk.edge.dispatch.world().clock.wall();
    let disabled = row["disabled"].as_bool().unwrap_or_default();
    let state = match (disabled, maybe(row, "locked_until")) {
        (true, _) => "Kept out".to_owned(),
        (false, None) => "May come in".to_owned(),
        (false, Some(until)) => format!("Locked out after too many wrong passwords; that ends {}", ago(&until, now)),
    };
    User {
        me: row["person"].as_str() == desk.session.person.as_ref().map(PersonId::as_str),
        seen: ever(row, "last_seen", now),
        identities: items(&row["identities"]).map(words).collect(),
        name: text(row, "name"),
        role: text(row, "role"),
        state,
        disabled,
    }
}

#[derive(Template)]
#[template(path = "person.html", config = "assets/ui/askama.toml")]
struct Person {
    frame: Frame,
    name: String,
    role: String,
    state: String,
    seen: String,
    identities: Vec<String>,
    disabled: bool,
    me: bool,
    roles: Vec<String>,
}

/// One user, and what can be changed of them.
pub async fn person(desk: &Desk<'_>, name: &str) -> Result<Response<Body>, Refusal> {
    let users = desk.all("user.list").await?;
    let found = users.iter().find(|row| row["name"].as_str().is_some_and(|known| known.eq_ignore_ascii_case(name)));
    let Some(row) = found else { return Err(Fault::not_found("there is no such user").into()) };
    let User { name, role, state, seen, identities, disabled, me } = user(desk, row);
    let roles = Role::ALL.iter().map(|role| role.as_str().to_owned()).collect();
    html(&Person { frame: desk.frame(), name, role, state, seen, identities, disabled, me, roles })
}

/// A new user.
pub async fn add(desk: &mut Desk<'_>, given: Form) -> Result<Response<Body>, Refusal> {
    let arguments = json!({"name": given.need("name")?, "role": given.need("role")?, "password": given.need("password")?});
    changed(desk, &given, "user.add", arguments).await
}

/// Something of a user changed.
pub async fn act(desk: &mut Desk<'_>, name: &str, verb: &str, given: Form) -> Result<Response<Body>, Refusal> {
    let (tool, field) = match verb {
        "disable" => ("user.disable", None),
        "enable" => ("user.enable", None),
        "role" => ("user.set_role", Some("role")),
        "password" => ("user.set_password", Some("password")),
        "link" => ("user.link", Some("identity")),
        "unlink" => ("user.unlink", Some("identity")),
        _ => return Err(Fault::not_found("nothing is done at this address").into()),
    };
    let mut arguments = json!({"name": name});
    if let Some(field) = field {
        arguments[field] = given.need(field)?.into();
    }
    changed(desk, &given, tool, arguments).await
}

/// A token taken back.
pub async fn revoke(desk: &mut Desk<'_>, id: &str, given: Form) -> Result<Response<Body>, Refusal> {
    changed(desk, &given, "token.revoke", json!({"id": id})).await
}

/// A new token: shown in the answer to the form, and nowhere after.
pub async fn make_token(desk: &mut Desk<'_>, given: Form) -> Result<Response<Body>, Refusal> {
    let devices: Vec<&str> = words_of(given.need("devices")?);
    let secret = token::make();
    let mut arguments = json!({
        "name": given.need("name")?, "role": given.need("role")?, "devices": devices, "digest": hex(&token::digest(secret.expose())),
    });
    if !given.get("expires").trim().is_empty() {
        arguments["expires"] = given.get("expires").trim().into();
    }
    if let Some(page) = prove_first(desk, &given, PAGE).await? {
        return Ok(page);
    }
    desk.ask("token.create", arguments).await?;
    page(desk, Some(secret.expose().to_owned())).await
}

/// One change, with a proof of the last five minutes, and back to the page.
async fn changed(desk: &mut Desk<'_>, given: &Form, tool: &str, arguments: Value) -> Result<Response<Body>, Refusal> {
    if let Some(page) = prove_first(desk, given, PAGE).await? {
        return Ok(page);
    }
    desk.ask(tool, arguments).await?;
    Ok(seen_other(PAGE))
}
