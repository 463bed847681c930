//! `session`: signing in and out, who one is, and proving it again.
//!
//! | | |
//! |---|---|
//! | `GET session` | who is signed in, since when, until when |
//! | `POST session` `{user, password}` | sign in as a local user |
//! | `POST session/reauthenticate` `{password}` | prove again who one is |
//! | `DELETE session` | sign out |
//! | `GET session/all` | where one is signed in |
//! | `DELETE session/all` | sign out everywhere |
//! | `POST session/password` `{old, new}` | another password for oneself |
//! | `GET session/oidc/start`, `GET session/oidc/callback` | through the identity provider: `oidc.rs` |
//!
//! Whoever signs in, or fails to, stands in the trail before anything is given out. A local sign-in beside an identity
//! provider is the way in when that one is down; it is marked there as what it is.

use crate::access::person::Identity;
use crate::access::principal::Client;
use crate::access::session::{Proof, Session, Way};
use crate::base::clock::Wall;
use crate::base::fault::{Fault, Kind};
use crate::base::secret::Secret;
use crate::dispatch::Witness;
use crate::http::admin::cookie::Cookie;
use crate::http::admin::{Admin, client, from_our_page, oidc, written};
use crate::http::fault::{self, Refusal};
use crate::http::inflow::Inflow;
use crate::http::{Asked, Body, Edge};
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// Where all of it is.
pub const ROOT: &str = "/admin/api/v1/session";

pub(super) const SIGN_IN: &str = "session.sign_in";
/// The same as a local user beside an identity provider: so that nobody overlooks it.
const BREAK_GLASS: &str = "session.break_glass";
pub(super) const AGAIN: &str = "session.reauthenticate";
const SIGN_OUT: &str = "session.sign_out";
const SIGN_OUT_EVERYWHERE: &str = "session.sign_out_everywhere";
const OWN_PASSWORD: &str = "session.set_password";

/// Answers a request below `session`.
pub async fn answer(edge: &Edge, asked: &Asked, rest: &str, request: Request<Inflow>) -> Result<Response<Body>, Refusal> {
    let method = request.method().clone();
    match (rest, &method) {
        ("", &Method::GET) => Ok(fault::json(StatusCode::OK, &shown(&edge.admin.session(request.headers()).await?))),
        ("", &Method::POST) => sign_in(edge, asked, request).await,
        ("", &Method::DELETE) => sign_out(edge, asked, request.headers()).await,
        ("/all", &Method::GET) => everywhere(edge, request.headers()).await,
        ("/all", &Method::DELETE) => sign_out_everywhere(edge, asked, request.headers()).await,
        ("/password", &Method::POST) => new_password(edge, asked, request).await,
        ("/reauthenticate", &Method::POST) => again(edge, asked, request).await,
        ("/oidc/start", &Method::GET) => oidc::start(edge, asked, &request).await,
        ("/oidc/callback", &Method::GET) => oidc::callback(edge, asked, &request).await,
        ("", _) => Err(Refusal::method("GET, POST, DELETE")),
        ("/all", _) => Err(Refusal::method("GET, DELETE")),
        ("/reauthenticate" | "/password", _) => Err(Refusal::method("POST")),
        ("/oidc/start" | "/oidc/callback", _) => Err(Refusal::method("GET")),
        _ => Err(Refusal::of(StatusCode::NOT_FOUND, "path", "there is nothing at this path")),
    }
}

/// A session as its owner sees it.
pub fn shown(session: &Session) -> Value {
    let fresh = session.authenticated_at.map(|at| Wall(at.0 + crate::access::FRESH.as_millis() as i64));
    json!({
        "name": session.name,
        "identity": session.identity.to_string(),
        "person": session.person.as_ref().map(|person| person.as_str()),
        "role": session.role.as_str(),
        "way": session.way.as_str(),
        "signed_in_at": session.began_at.rfc3339(),
        "authenticated_at": session.authenticated_at.map(Wall::rfc3339),
        "fresh_until": fresh.map(Wall::rfc3339),
        "idle_ends_at": session.idle_ends_at.rfc3339(),
        "ends_at": session.ends_at.rfc3339(),
    })
}

/// Where somebody is signed in.
async fn everywhere(edge: &Edge, headers: &HeaderMap) -> Result<Response<Body>, Refusal> {
    let session = edge.admin.session(headers).await?;
    Ok(fault::json(StatusCode::OK, &json!({"sessions": all_shown(edge, &session)?})))
}

/// The sessions of whoever has this one.
pub fn all_shown(edge: &Edge, session: &Session) -> Result<Vec<Value>, Fault> {
    let row = |one: &Session| {
        json!({
            "this": one.key == session.key,
            "way": one.way.as_str(),
            "client": one.client,
            "address": one.address,
            "signed_in_at": one.began_at.rfc3339(),
            "last_used": one.used_at.rfc3339(),
            "ends_at": one.idle_ends_at.min(one.ends_at).rfc3339(),
        })
    };
    Ok(edge.admin.sessions.of_person(session)?.iter().map(row).collect())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignIn {
    user: String,
    password: Secret,
}

async fn sign_in(edge: &Edge, asked: &Asked, request: Request<Inflow>) -> Result<Response<Body>, Refusal> {
    let (client, old) = (client(asked, request.headers()), edge.admin.session(request.headers()).await.ok());
    let given: SignIn = written(edge, asked, request).await?;
    let (id, session) = signed_in(edge, asked, &given.user, given.password, client, old).await?;
    Ok(with_session(&edge.admin, fault::json(StatusCode::OK, &shown(&session)), &id))
}

/// A session for whoever has that password, in the place of the one this browser had.
pub async fn signed_in(
    edge: &Edge,
    asked: &Asked,
    user: &str,
    given: Secret,
    client: Client,
    old: Option<Session>,
) -> Result<(Secret, Session), Refusal> {
    let operation = if edge.oidc.is_some() { BREAK_GLASS } else { SIGN_IN };
    let proof = password(edge, asked, operation, user, given, client).await?;
    if let Some(old) = old {
        edge.admin.sessions.end(&old).await?;
    }
    Ok(edge.admin.sessions.begin(&proof).await?)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Again {
    password: Secret,
}

async fn again(edge: &Edge, asked: &Asked, request: Request<Inflow>) -> Result<Response<Body>, Refusal> {
    let session = edge.admin.session(request.headers()).await?;
    let client = client(asked, request.headers());
    let given: Again = written(edge, asked, request).await?;
    let (id, session) = proved(edge, asked, &session, given.password, client).await?;
    Ok(with_session(&edge.admin, fault::json(StatusCode::OK, &shown(&session)), &id))
}

/// The session of a local user who proves again who they are: a new one in its place.
pub async fn proved(edge: &Edge, asked: &Asked, session: &Session, given: Secret, client: Client) -> Result<(Secret, Session), Refusal> {
    if session.way != Way::Local {
        return Err(Fault::new(Kind::Conflict, "you signed in through the identity provider")
            .hint("go to session/oidc/start?reauthenticate=1")
            .into());
    }
    let user = edge.dispatch.world().access.user_of(&session.identity)?.map(|user| user.name).unwrap_or_default();
    let proof = password(edge, asked, AGAIN, &user, given, client).await?;
    Ok(edge.admin.sessions.renew(session, &proof).await?)
}

/// Proves a password, and writes down how that went.
async fn password(
    edge: &Edge,
    asked: &Asked,
    operation: &'static str,
    user: &str,
    password: Secret,
    client: Client,
) -> Result<Proof, Refusal> {
    let attempt = edge.attempt(asked.client)?;
    let access = &edge.dispatch.world().access;
    let mut given = Map::new();
    given.insert("way".into(), Way::Local.as_str().into());
    match access.authenticate(user, password).await {
        Ok(proved) => {
            attempt.is_good();
            let principal = proved.principal(client);
            if operation == BREAK_GLASS {
                let user = proved.user.as_str();
                tracing::warn!(
                    user,
                    address = principal.client.address,
                    "a local user signed in beside the identity provider (break glass)"
                );
            }
            witness(edge, asked, Witness::Known(&principal), operation, &given, None).await?;
            Ok(Proof { principal, way: Way::Local, at: Some(proved.at) })
        }
        Err(fault) => {
            // A name that nobody has may be a password in the wrong field: it is not written down.
            let known = access.user(user).ok();
            let identity = known.map(|user| Identity::of_user(&user.name));
            witness(edge, asked, Witness::Unproven { identity, client: &client }, operation, &given, Some(fault.kind)).await?;
            if matches!(fault.kind, Kind::Unauthenticated | Kind::Denied) {
                edge.meter().auth_failed("password");
            } else {
                attempt.is_good();
            }
            // The hints of the command line help nobody here.
            Err(Fault { hint: Some("check both, or ask an administrator for a new password".into()), ..fault }.into())
        }
    }
}

/// Ends the session, and takes the cookie away.
pub async fn sign_out(edge: &Edge, asked: &Asked, headers: &HeaderMap) -> Result<Response<Body>, Refusal> {
    from_our_page(edge, asked, headers)?;
    // Whoever is signed out already is: the cookie goes in any case.
    if let Ok(session) = edge.admin.session(headers).await {
        let principal = session.principal(client(asked, headers));
        edge.admin.sessions.end(&session).await?;
        witness(edge, asked, Witness::Known(&principal), SIGN_OUT, &Map::new(), None).await?;
    }
    Ok(with_cookie(fault::empty(StatusCode::NO_CONTENT), Cookie::Session.clear(edge.admin.secure)))
}

/// Ends all sessions of a person, this one too, and takes the cookie away.
pub async fn sign_out_everywhere(edge: &Edge, asked: &Asked, headers: &HeaderMap) -> Result<Response<Body>, Refusal> {
    from_our_page(edge, asked, headers)?;
    let session = edge.admin.session(headers).await?;
    let principal = session.principal(client(asked, headers));
    edge.admin.sessions.end_all_of(&session).await?;
    witness(edge, asked, Witness::Known(&principal), SIGN_OUT_EVERYWHERE, &Map::new(), None).await?;
    Ok(with_cookie(fault::empty(StatusCode::NO_CONTENT), Cookie::Session.clear(edge.admin.secure)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewPassword {
    old: Secret,
    new: Secret,
}

async fn new_password(edge: &Edge, asked: &Asked, request: Request<Inflow>) -> Result<Response<Body>, Refusal> {
    let session = edge.admin.session(request.headers()).await?;
    let client = client(asked, request.headers());
    let given: NewPassword = written(edge, asked, request).await?;
    let (id, session) = password_set(edge, asked, &session, given.old, given.new, client).await?;
    Ok(with_session(&edge.admin, fault::json(StatusCode::OK, &shown(&session)), &id))
}

/// Another password for oneself, with the old one as proof. All sessions end; this browser gets a new one.
pub async fn password_set(
    edge: &Edge,
    asked: &Asked,
    session: &Session,
    old: Secret,
    new: Secret,
    client: Client,
) -> Result<(Secret, Session), Refusal> {
    let access = &edge.dispatch.world().access;
    let Some(user) = access.user_of(&session.identity)?.filter(|_| session.way == Way::Local) else {
        return Err(Fault::new(Kind::Conflict, "you have no password here").hint("your identity provider keeps it").into());
    };
    if old == new {
        return Err(Fault::bad_input("the new password is the old one").hint("choose another").into());
    }
    let proof = password(edge, asked, OWN_PASSWORD, &user.name, old, client).await?;
    access.set_password(&user.name, new).await?;
    let at = edge.dispatch.world().clock.wall();
    Ok(edge.admin.sessions.begin(&Proof { at: Some(at), ..proof }).await?)
}

pub(super) async fn witness(
    edge: &Edge,
    asked: &Asked,
    who: Witness<'_>,
    operation: &str,
    given: &Map<String, Value>,
    outcome: Option<Kind>,
) -> Result<(), Fault> {
    edge.dispatch.witness(who, operation, given, outcome, &asked.correlation).await
}

/// The response, with the cookie of a session.
pub fn with_session(admin: &Admin, response: Response<Body>, id: &Secret) -> Response<Body> {
    with_cookie(response, Cookie::Session.set(id.expose(), admin.secure, None))
}

/// The answer, good or not, with the cookie of the session that took an old one's place meanwhile: the browser would be signed out
/// without it.
pub fn with_renewed(admin: &Admin, answered: Result<Response<Body>, Refusal>, id: Option<&Secret>) -> Result<Response<Body>, Refusal> {
    let Some(id) = id else { return answered };
    let cookie = Cookie::Session.set(id.expose(), admin.secure, None);
    match (answered, cookie) {
        (Ok(response), cookie) => Ok(with_cookie(response, cookie)),
        (Err(refusal), Some(mut cookie)) => {
            cookie.set_sensitive(true);
            Err(refusal.with(header::SET_COOKIE, cookie))
        }
        (Err(refusal), None) => Err(refusal),
    }
}

pub(super) fn with_cookie(mut response: Response<Body>, cookie: Option<HeaderValue>) -> Response<Body> {
    if let Some(mut cookie) = cookie {
        cookie.set_sensitive(true);
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}
