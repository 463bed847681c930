//! Who may come in: users and API tokens.

use super::form::Form;
use super::frame::Frame;
use super::sign::proof_for;
use super::view::{ago, rows, text, words};
use super::{Desk, html, seen_other};
use crate::access::role::Role;
use crate::access::token;
use crate::base::fault::Fault;
use crate::base::ids::hex;
use crate::http::Body;
use crate::http::admin::session;
use crate::http::fault::Refusal;
use askama::Template;
use hyper::Response;
use serde_json::{Value, json};

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
    fresh(desk)?;
    let arguments = json!({"name": given.need("name")?, "role": given.need("role")?, "password": given.need("password")?});
    desk.ask("user.add", arguments).await?;
    Ok(seen_other("/admin/people"))
}

/// A user kept out, or let in again.
pub async fn act(desk: &mut Desk<'_>, name: &str, verb: &str, given: Form) -> Result<Response<Body>, Refusal> {
    let tool = match verb {
        "disable" => "user.disable",
        "enable" => "user.enable",
        _ => return Err(Fault::not_found("nothing is done at this address").into()),
    };
    let secret = proof_for_or_ask(desk, &given).await?;
    desk.ask(tool, json!({"name": name})).await?;
    Ok(kept(desk, secret))
}

/// A new token: shown in the answer to the form, and nowhere after.
pub async fn make_token(desk: &mut Desk<'_>, given: Form) -> Result<Response<Body>, Refusal> {
    fresh(desk)?;
    let devices: Vec<&str> = given.need("devices")?.split([',', ' ']).filter(|part| !part.is_empty()).collect();
    let secret = token::make();
    let mut arguments = json!({
        "name": given.need("name")?, "role": given.need("role")?, "devices": devices, "digest": hex(&token::digest(secret.expose())),
    });
    if !given.get("expires").trim().is_empty() {
        arguments["expires"] = given.get("expires").trim().into();
    }
    desk.ask("token.create", arguments).await?;
    page(desk, Some(secret.expose().to_owned())).await
}

/// A token taken back.
pub async fn revoke(desk: &mut Desk<'_>, id: &str, given: Form) -> Result<Response<Body>, Refusal> {
    let secret = proof_for_or_ask(desk, &given).await?;
    desk.ask("token.revoke", json!({"id": id})).await?;
    Ok(kept(desk, secret))
}

async fn proof_for_or_ask(desk: &mut Desk<'_>, given: &Form) -> Result<Option<crate::base::secret::Secret>, Refusal> {
    if given.get("password").is_empty() {
        fresh(desk)?;
    }
    proof_for(desk, given).await
}

/// What is done here takes a proof of the last five minutes; without one the page for it comes first.
fn fresh(desk: &Desk<'_>) -> Result<(), Refusal> {
    if desk.is_fresh() {
        return Ok(());
    }
    Err(Refusal::elsewhere("/admin/prove?next=/admin/people"))
}

fn kept(desk: &Desk<'_>, secret: Option<crate::base::secret::Secret>) -> Response<Body> {
    session::with_renewed(&desk.edge.admin, seen_other("/admin/people"), secret.as_ref())
}
