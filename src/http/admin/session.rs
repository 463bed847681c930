//! `session`: signing in, proving it again, signing out.
//!
//! - A cookie that only this host's own pages send (`__Host-`, `SameSite=Strict`), and that no script can read.
//! - What changes something is taken from our own pages, or from what is no browser at all: `Sec-Fetch-Site`, else `Origin`.
//! - Every attempt is in the audit trail, with where it came from. Signing in with a password while an identity provider is
//!   configured is the way in when that is down, and is said loudly.

use crate::access::principal::{Client, Limits, Principal};
use crate::access::role::Role;
use crate::access::session::{Holder, Open};
use crate::base::fault::{Fault, Kind};
use crate::base::secret::Secret;
use crate::http::fault::{self, Refusal};
use crate::http::{Asked, Body, Edge, body};
use hyper::body::Incoming;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use serde_json::{Map, Value, json};

/// The cookie over TLS, and its name on loopback without.
const COOKIE: &str = "__Host-rmcp";
const PLAIN_COOKIE: &str = "rmcp";
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Answers a request below `/session`; `path` is what follows it.
pub async fn answer(edge: &Edge, asked: &Asked, path: &str, request: Request<Incoming>) -> Result<Response<Body>, Refusal> {
    match (path, request.method()) {
        ("", &Method::GET) => {
            let open = current(edge, asked, request.headers()).await?.ok_or_else(nobody)?;
            Ok(fault::json(StatusCode::OK, &shown(edge, &open)))
        }
        ("", &Method::POST) => sign_in(edge, asked, request).await,
        ("", &Method::DELETE) => sign_out(edge, asked, request.headers(), false).await,
        ("/all", &Method::DELETE) => sign_out(edge, asked, request.headers(), true).await,
        ("/reauthenticate", &Method::POST) => prove(edge, asked, request).await,
        ("", _) => Err(Refusal::method("GET, POST, DELETE")),
        ("/all", _) => Err(Refusal::method("DELETE")),
        ("/reauthenticate", _) => Err(Refusal::method("POST")),
        _ => Err(Refusal::of(StatusCode::NOT_FOUND, "path", "there is nothing at this path")),
    }
}

/// The session a request is of, if its cookie opens one.
pub async fn current(edge: &Edge, asked: &Asked, headers: &HeaderMap) -> Result<Option<Open>, Refusal> {
    let Some(secret) = cookie(headers, name(asked)) else { return Ok(None) };
    Ok(edge.sessions.find(secret, client(asked, headers)).await?)
}

/// Refuses what another site's page makes a browser send. Programs that are no browser say neither where they come from
/// nor carry somebody's cookies.
pub fn own_page(asked: &Asked, headers: &HeaderMap) -> Result<(), Refusal> {
    let one = |name: &HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or("?").to_owned());
    let foreign = match (one(&FETCH_SITE), one(&header::ORIGIN)) {
        (Some(site), _) => !matches!(site.as_str(), "same-origin" | "none"),
        (None, Some(origin)) => origin != asked.origin && Some(origin.as_str()) != asked.called.as_deref(),
        (None, None) => false,
    };
    if foreign {
        return Err(Refusal::of(StatusCode::FORBIDDEN, "site", "this comes from a page of another site"));
    }
    Ok(())
}

async fn sign_in(edge: &Edge, asked: &Asked, request: Request<Incoming>) -> Result<Response<Body>, Refusal> {
    own_page(asked, request.headers())?;
    let client = client(asked, request.headers());
    safe(asked)?;
    let mut given = body::object(request, edge.settings.limits.body_bytes, edge.settings.limits.body).await?;
    let (user, password) = (text(&mut given, "user")?, Secret::new(text(&mut given, "password")?));
    known(&given, &["user", "password"])?;
    let (secret, open) = with_password(edge, asked, &user, password, client).await?;
    let mut response = fault::json(StatusCode::OK, &shown(edge, &open));
    set(edge, asked, response.headers_mut(), Some(&secret));
    Ok(response)
}

/// A session for whoever has that password; the attempt is written down either way.
pub async fn with_password(edge: &Edge, asked: &Asked, user: &str, password: Secret, client: Client) -> Result<(Secret, Open), Refusal> {
    let access = &edge.dispatch.world().access;
    let proved = match access.authenticate(user, password).await {
        Ok(proved) => proved,
        Err(fault) => {
            edge.failures.count(asked.client);
            // A password typed where the name belongs is not written down.
            let known = access.user(user).is_ok();
            let name = if known { user } else { "(nobody)" };
            noted(edge, &stranger(name, client), "session.sign_in", Some(fault.kind)).await?;
            return Err(fault.into());
        }
    };
    let secret = edge.sessions.begin(Holder::User(proved.user.clone()), &client).await?;
    let operation = if edge.settings.has_provider { "session.break_glass" } else { "session.sign_in" };
    if edge.settings.has_provider {
        tracing::warn!(user = proved.user, client = %asked.client, "break-glass: signed in with a password although an identity provider is configured");
    }
    noted(edge, &proved.principal(client.clone()), operation, None).await?;
    let open = edge.sessions.find(secret.expose(), client).await?.ok_or_else(nobody)?;
    Ok((secret, open))
}

/// Again, for what takes a proof of the last five minutes.
async fn prove(edge: &Edge, asked: &Asked, request: Request<Incoming>) -> Result<Response<Body>, Refusal> {
    own_page(asked, request.headers())?;
    let open = current(edge, asked, request.headers()).await?.ok_or_else(nobody)?;
    let mut given = body::object(request, edge.settings.limits.body_bytes, edge.settings.limits.body).await?;
    let password = Secret::new(text(&mut given, "password")?);
    known(&given, &["password"])?;
    let (secret, open) = again(edge, asked, open, password).await?;
    let mut response = fault::json(StatusCode::OK, &shown(edge, &open));
    set(edge, asked, response.headers_mut(), Some(&secret));
    Ok(response)
}

/// The session of a local user, proved again with their password.
pub async fn again(edge: &Edge, asked: &Asked, open: Open, password: Secret) -> Result<(Secret, Open), Refusal> {
    let Holder::User(user) = &open.session.holder else {
        return Err(Refusal::of(StatusCode::CONFLICT, "provider", "you signed in through the identity provider: prove it there")
            .hint("GET /admin/api/v1/session/oidc/start?again=1"));
    };
    if let Err(fault) = edge.dispatch.world().access.authenticate(user, password).await {
        edge.failures.count(asked.client);
        noted(edge, &open.principal, "session.reauthenticate", Some(fault.kind)).await?;
        return Err(fault.into());
    }
    let secret = edge.sessions.proved(&open).await?;
    noted(edge, &open.principal, "session.reauthenticate", None).await?;
    let open = edge.sessions.find(secret.expose(), open.principal.client).await?.ok_or_else(nobody)?;
    Ok((secret, open))
}

async fn sign_out(edge: &Edge, asked: &Asked, headers: &HeaderMap, everywhere: bool) -> Result<Response<Body>, Refusal> {
    own_page(asked, headers)?;
    if let Some(open) = current(edge, asked, headers).await? {
        close(edge, asked, headers, &open, everywhere).await?;
    }
    let mut response = fault::empty(StatusCode::NO_CONTENT);
    set(edge, asked, response.headers_mut(), None);
    Ok(response)
}

/// Ends a session, or all of its holder.
pub async fn close(edge: &Edge, asked: &Asked, headers: &HeaderMap, open: &Open, everywhere: bool) -> Result<(), Refusal> {
    if everywhere {
        edge.sessions.end_all(&open.session.holder).await?;
    } else if let Some(secret) = cookie(headers, name(asked)) {
        edge.sessions.end(secret).await?;
    }
    let operation = if everywhere { "session.sign_out_everywhere" } else { "session.sign_out" };
    Ok(noted(edge, &open.principal, operation, None).await?)
}

/// What a person may know of their session.
fn shown(edge: &Edge, open: &Open) -> Value {
    let now = edge.dispatch.world().clock.wall();
    json!({
        "name": open.principal.name,
        "role": open.principal.role.as_str(),
        "issuer": open.principal.issuer,
        "authenticated_at": open.proof.at.rfc3339(),
        "proof_is_fresh": open.proof.is_fresh(now),
        "ends_at": open.ends_at.rfc3339(),
        "created_at": open.session.created_at.rfc3339(),
    })
}

/// The secret a request carries, whatever it is worth.
pub fn secret(asked: &Asked, headers: &HeaderMap) -> Option<Secret> {
    cookie(headers, name(asked)).map(Secret::new)
}

/// Sets the cookie, or takes it away.
pub fn set(edge: &Edge, asked: &Asked, headers: &mut HeaderMap, secret: Option<&Secret>) {
    let (value, age) = match secret {
        Some(secret) => (secret.expose(), edge.sessions.most().as_secs()),
        None => ("", 0),
    };
    let secure = if asked.is_https { "; Secure" } else { "" };
    let cookie = format!("{}={value}; Path=/; Max-Age={age}; HttpOnly; SameSite=Strict{secure}", name(asked));
    if let Ok(mut value) = HeaderValue::from_str(&cookie) {
        value.set_sensitive(true);
        headers.append(header::SET_COOKIE, value);
    }
}

fn name(asked: &Asked) -> &'static str {
    if asked.is_https { COOKIE } else { PLAIN_COOKIE }
}

/// Passwords and cookies go over TLS, or never leave this machine.
pub fn safe(asked: &Asked) -> Result<(), Refusal> {
    if asked.is_https || asked.client.is_loopback() {
        return Ok(());
    }
    Err(Refusal::of(StatusCode::FORBIDDEN, "tls", "signing in takes TLS: what is sent here can be read on the way")
        .hint("set http.tls, or let the proxy in http.trusted_proxies say X-Forwarded-Proto: https"))
}

/// The value of one of our cookies; none when it is there twice.
fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut found = all.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('=')).filter(|(key, _)| *key == name);
    let (_, value) = found.next()?;
    if found.next().is_some() { None } else { Some(value) }
}

/// The browser, as it names itself.
pub fn client(asked: &Asked, headers: &HeaderMap) -> Client {
    let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or("a browser");
    let name = agent.chars().filter(|c| !c.is_control()).take(120).collect();
    Client { name, address: asked.client.to_string(), ..Client::default() }
}

/// Somebody who has proved nothing, for the trail.
fn stranger(name: &str, client: Client) -> Principal {
    let limits = Limits { devices: Vec::new(), toolsets: Some(Vec::new()), tiers: Vec::new() };
    Principal { issuer: "local".into(), subject: format!("user:{name}"), name: name.into(), role: Role::ReadOnly, limits, client }
}

async fn noted(edge: &Edge, who: &Principal, operation: &str, outcome: Option<Kind>) -> Result<(), Fault> {
    edge.dispatch.note(who, operation, &Map::new(), outcome).await
}

fn nobody() -> Refusal {
    Refusal::of(StatusCode::UNAUTHORIZED, "session", "sign in first").hint("POST /admin/api/v1/session with user and password")
}

fn text(given: &mut Map<String, Value>, name: &str) -> Result<String, Refusal> {
    match given.remove(name) {
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(Refusal::of(StatusCode::BAD_REQUEST, "arguments", format!("{name} is a text"))),
        None => Err(Refusal::of(StatusCode::BAD_REQUEST, "arguments", format!("{name} is missing"))),
    }
}

fn known(rest: &Map<String, Value>, names: &[&str]) -> Result<(), Refusal> {
    if rest.is_empty() {
        return Ok(());
    }
    Err(Refusal::of(StatusCode::BAD_REQUEST, "arguments", format!("this takes {} and nothing else", names.join(" and "))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_read_once_and_by_its_whole_name() {
        let of = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(header::COOKIE, HeaderValue::from_str(value).unwrap());
            }
            cookie(&headers, "__Host-rmcp").map(str::to_owned)
        };
        assert_eq!(of(&["a=1; __Host-rmcp=secret; b=2"]).as_deref(), Some("secret"));
        assert_eq!(of(&["a=1", "__Host-rmcp=secret"]).as_deref(), Some("secret"));
        for bad in [&["__Host-rmcp=one; __Host-rmcp=two"][..], &["__Host-rmcpx=1"], &["rmcp=1"], &["__host-rmcp=1"], &[]] {
            assert_eq!(of(bad), None, "{bad:?}");
        }
    }
}
