//! `session/oidc`: signing in, and proving again who one is, through the identity provider.
//!
//! | | |
//! |---|---|
//! | `GET session/oidc/start?return_to=/admin/…[&reauthenticate=1]` | off to the provider |
//! | `GET session/oidc/callback` | back from it |
//!
//! What is needed to finish goes sealed into a cookie of the browser that began: nothing is kept here, and another browser can
//! finish nothing.

use crate::access::oidc::Oidc;
use crate::access::oidc::sign_in::{ATTEMPT, Attempt, NotIn, Returned};
use crate::access::person::Identity;
use crate::access::principal::Client;
use crate::access::session::{Proof, Session, Way};
use crate::base::fault::{Fault, Kind};
use crate::base::secret::Secret;
use crate::dispatch::Witness;
use crate::http::admin::cookie::Cookie;
use crate::http::admin::pages::{form, frame};
use crate::http::admin::session::{AGAIN, SIGN_IN, with_cookie, with_session, witness};
use crate::http::admin::{Admin, client};
use crate::http::fault::{self, Refusal};
use crate::http::inflow::Inflow;
use crate::http::{Asked, Body, Edge};
use crate::store::Place;
use data_encoding::BASE64URL_NOPAD;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Request, Response, StatusCode};
use serde_json::{Map, Value};

/// Our own way back from the provider.
const CALLBACK: &str = "/admin/api/v1/session/oidc/callback";
/// Binds what a browser keeps of a sign-in to what it is for.
const SEALED: Place<'_> = Place { purpose: "sign-in", table: "-", key: "attempt", field: "cookie" };

fn provider(edge: &Edge) -> Result<&Oidc, Refusal> {
    let none = || Refusal::of(StatusCode::NOT_FOUND, "oidc", "there is no identity provider here").hint("sign in as a local user");
    edge.oidc.as_ref().ok_or_else(none)
}

/// Off to the provider.
pub async fn start(edge: &Edge, asked: &Asked, request: &Request<Inflow>) -> Result<Response<Body>, Refusal> {
    let oidc = provider(edge)?;
    let (mut return_to, mut again) = (form::HOME.to_owned(), false);
    for (name, value) in query(request) {
        match name.as_str() {
            "return_to" => return_to = form::local(&value).unwrap_or(form::HOME).to_owned(),
            "reauthenticate" => again = value == "1" || value == "true",
            _ => {}
        }
    }
    // Another site could send people off to sign in; it could not send them to prove who they are for something of its own.
    let session = if again { Some(edge.admin.session(request.headers()).await?) } else { None };
    if session.as_ref().is_some_and(|session| session.way != Way::Oidc) {
        return Err(Fault::new(Kind::Conflict, "you signed in with a password").hint("POST session/reauthenticate").into());
    }
    let redirect = oidc.settings().redirect_uri.clone().unwrap_or_else(|| format!("{}{CALLBACK}", asked.origin));
    let (url, attempt) = oidc.begin(&redirect, session.map(|session| session.key), &return_to).await?;
    let plain = zeroize::Zeroizing::new(serde_json::to_vec(&attempt).map_err(Fault::bug)?);
    let sealed = BASE64URL_NOPAD.encode(&edge.admin.seal.seal(SEALED, &plain));
    let mut response = fault::empty(StatusCode::FOUND);
    response.headers_mut().insert(header::LOCATION, HeaderValue::from_str(&url).map_err(Fault::bug)?);
    Ok(with_cookie(response, Cookie::SignIn.set(&sealed, edge.admin.secure, Some(ATTEMPT))))
}

/// Back from the provider: a page either way, since a person looks at it.
pub async fn callback(edge: &Edge, asked: &Asked, request: &Request<Inflow>) -> Result<Response<Body>, Refusal> {
    let attempt = edge.attempt(asked.client)?;
    let response = match returned(edge, asked, request).await {
        Ok((to, id)) => {
            attempt.is_good();
            with_session(&edge.admin, frame::onward(&to)?, &id)
        }
        Err(fault) => {
            tracing::info!(client = %asked.client, correlation_id = asked.correlation.as_str(), "not signed in: {}", fault.chain());
            frame::refused_as("Not signed in", edge, &asked.correlation, fault.into())
        }
    };
    Ok(with_cookie(response, Cookie::SignIn.clear(edge.admin.secure)))
}

async fn returned(edge: &Edge, asked: &Asked, request: &Request<Inflow>) -> Result<(String, Secret), Fault> {
    let oidc = provider(edge).map_err(|_| Fault::not_found("there is no identity provider here"))?;
    let client = client(asked, request.headers());
    let attempt = attempt(&edge.admin, request.headers());
    let operation = if attempt.as_ref().is_some_and(|attempt| attempt.session.is_some()) { AGAIN } else { SIGN_IN };
    let given: Map<String, Value> = [("way".to_owned(), Way::Oidc.as_str().into())].into_iter().collect();
    let outcome = match &attempt {
        None => Err(NotIn::from(
            Fault::new(Kind::Unauthenticated, "not signed in: this browser did not begin a sign-in here, or too long ago")
                .hint("sign in again"),
        )),
        Some(attempt) => settle(edge, oidc, attempt, &came(request), client.clone()).await,
    };
    match outcome {
        Ok((proof, old)) => {
            witness(edge, asked, Witness::Known(&proof.principal), operation, &given, None).await?;
            let (id, _) = match old {
                Some(old) => edge.admin.sessions.renew(&old, &proof).await?,
                None => edge.admin.sessions.begin(&proof).await?,
            };
            Ok((attempt.map_or_else(|| form::HOME.to_owned(), |attempt| attempt.return_to), id))
        }
        Err(NotIn { identity, fault }) => {
            witness(edge, asked, Witness::Unproven { identity, client: &client }, operation, &given, Some(fault.kind)).await?;
            Err(fault)
        }
    }
}

/// Who came back, and the session in whose place theirs goes.
async fn settle(
    edge: &Edge,
    oidc: &Oidc,
    attempt: &Attempt,
    returned: &Returned,
    client: Client,
) -> Result<(Proof, Option<Session>), NotIn> {
    let who = oidc.finish(attempt, returned, client).await?;
    let identity = Identity::of(&who.principal);
    let proof = Proof { principal: who.principal, way: Way::Oidc, at: who.proved_at };
    let Some(key) = &attempt.session else { return Ok((proof, None)) };
    match edge.admin.sessions.with_key(key)? {
        Some(old) if old.identity == identity => Ok((proof, Some(old))),
        Some(_) => {
            let fault = Fault::denied("somebody else proved who they are").hint("sign out, and sign in as the one you are");
            Err(NotIn { identity: Some(identity), fault })
        }
        None => {
            let fault = Fault::new(Kind::Unauthenticated, "your session ended meanwhile").hint("sign in again");
            Err(NotIn { identity: Some(identity), fault })
        }
    }
}

/// What the provider sent them back with.
fn came(request: &Request<Inflow>) -> Returned {
    let mut came = Returned::default();
    for (name, value) in query(request) {
        match name.as_str() {
            "code" => came.code = Some(value),
            "state" => came.state = Some(value),
            "iss" => came.issuer = Some(value),
            "error" => came.error = Some(value),
            _ => {}
        }
    }
    came
}

/// What the browser kept of the sign-in that it began.
fn attempt(admin: &Admin, headers: &HeaderMap) -> Option<Attempt> {
    let sealed = Cookie::SignIn.of(headers, admin.secure).ok()??;
    let plain = admin.seal.open(SEALED, &BASE64URL_NOPAD.decode(sealed.as_bytes()).ok()?).ok()?;
    serde_json::from_slice(&plain).ok()
}

/// The query, however it is spelled: what a provider says beside code and state is not ours to judge.
fn query(request: &Request<Inflow>) -> Vec<(String, String)> {
    let query = request.uri().query().unwrap_or_default();
    let base = reqwest::Url::parse(&format!("http://x/?{query}"));
    base.map(|url| url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect()).unwrap_or_default()
}
