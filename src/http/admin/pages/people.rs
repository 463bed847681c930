//! Who may come in: users and API tokens.

use super::form::Form;
use super::frame::Frame;
use super::sign::{Proved, proof_for};
use super::view::{ago, rows, text, words};
use super::{Desk, html, seen_other};
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
    identities: String,
    disabled: bool,
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
    let when = |row: &Value, name: &str| match text(row, name).as_str() {
        "" => "never".to_owned(),
        at => ago(at, now),
    };
    let users = desk.ask("user.list", json!({"limit": 500})).await?;
    let tokens = desk.ask("token.list", json!({"limit": 500})).await?;
    let user = |row: &Value| {
        let disabled = row["disabled"].as_bool().unwrap_or_default();
        let state = match (disabled, text(row, "locked_until").as_str()) {
            (true, _) => "kept out".to_owned(),
            (false, "") => "may come in".to_owned(),
            (false, until) => format!("locked after wrong passwords, {}", ago(until, now)),
        };
        let (name, role, seen) = (text(row, "name"), text(row, "role"), when(row, "last_seen"));
        User { name, role, state, seen, identities: words(&row["identities"]), disabled }
    };
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
            used: when(row, "last_used"),
        }
    };
    html(&People {
        frame: desk.frame(),
        token,
        users: rows(&users).map(user).collect(),
        tokens: rows(&tokens).map(token_row).collect(),
        roles: Role::ALL.iter().map(|role| role.as_str()).collect(),
    })
}

/// A new user.
pub async fn add(desk: &mut Desk<'_>, given: Form) -> Result<Response<Body>, Refusal> {
    let arguments = json!({"name": given.need("name")?, "role": given.need("role")?, "password": given.need("password")?});
    changed(desk, &given, "user.add", arguments).await
}

/// A user kept out, or let in again.
pub async fn act(desk: &mut Desk<'_>, name: &str, verb: &str, given: Form) -> Result<Response<Body>, Refusal> {
    let tool = match verb {
        "disable" => "user.disable",
        "enable" => "user.enable",
        _ => return Err(Fault::not_found("nothing is done at this address").into()),
    };
    changed(desk, &given, tool, json!({"name": name})).await
}

/// A token taken back.
pub async fn revoke(desk: &mut Desk<'_>, id: &str, given: Form) -> Result<Response<Body>, Refusal> {
    changed(desk, &given, "token.revoke", json!({"id": id})).await
}

/// A new token: shown in the answer to the form, and nowhere after.
pub async fn make_token(desk: &mut Desk<'_>, given: Form) -> Result<Response<Body>, Refusal> {
    let devices: Vec<&str> = given.need("devices")?.split([',', ' ']).filter(|part| !part.is_empty()).collect();
    let secret = token::make();
    let mut arguments = json!({
        "name": given.need("name")?, "role": given.need("role")?, "devices": devices, "digest": hex(&token::digest(secret.expose())),
    });
    if !given.get("expires").trim().is_empty() {
        arguments["expires"] = given.get("expires").trim().into();
    }
    if let Proved::First(prove) = proof_for(desk, &given, PAGE).await? {
        return Ok(prove);
    }
    desk.ask("token.create", arguments).await?;
    page(desk, Some(secret.expose().to_owned())).await
}

/// One change, with a proof of the last five minutes, and back to the page.
async fn changed(desk: &mut Desk<'_>, given: &Form, tool: &str, arguments: Value) -> Result<Response<Body>, Refusal> {
    if let Proved::First(prove) = proof_for(desk, given, PAGE).await? {
        return Ok(prove);
    }
    desk.ask(tool, arguments).await?;
    Ok(seen_other(PAGE))
}
