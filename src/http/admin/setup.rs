//! `setup`: the first run, while nobody can sign in.
//!
//! | | |
//! |---|---|
//! | `GET setup` | whether the first administrator can be made now; nothing else |
//! | `POST setup` `{token, user, password}` | makes them, and signs them in |
//!
//! The token came in the fragment of an address, which no browser sends; a page of ours put it into a form. Who guesses is
//! counted like who guesses tokens and passwords.

use crate::access::Authenticated;
use crate::access::principal::Client;
use crate::access::session::{Proof, Session, Way};
use crate::base::fault::{Fault, Kind};
use crate::base::secret::Secret;
use crate::dispatch::Witness;
use crate::http::admin::session::{shown, with_session};
use crate::http::admin::{client, written};
use crate::http::fault::{self, Refusal};
use crate::http::inflow::Inflow;
use crate::http::limits::Try;
use crate::http::{Asked, Body, Edge};
use hyper::{Method, Request, Response, StatusCode};
use serde::Deserialize;
use serde_json::{Map, json};

/// Where it is.
pub const ROOT: &str = "/admin/api/v1/setup";

/// A token was shown that is good: before anything is made.
const SHOWN: &str = "setup.token";
const MADE: &str = "setup.administrator";

/// Answers a request at [`ROOT`].
pub async fn answer(edge: &Edge, asked: &Asked, rest: &str, request: Request<Inflow>) -> Result<Response<Body>, Refusal> {
    match (rest, request.method()) {
        ("", &Method::GET) => Ok(fault::json(StatusCode::OK, &json!({"open": edge.dispatch.world().access.is_setup_open()?}))),
        ("", &Method::POST) => {
            let client = client(asked, request.headers());
            let given: Given = written(edge, asked, request).await?;
            let (id, session) = made(edge, asked, &given.token, &given.user, given.password, client).await?;
            Ok(with_session(&edge.admin, fault::json(StatusCode::CREATED, &shown(&session)), &id))
        }
        ("", _) => Err(Refusal::method("GET, POST")),
        _ => Err(Refusal::of(StatusCode::NOT_FOUND, "path", "there is nothing at this path")),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    token: Secret,
    user: String,
    password: Secret,
}

/// The first administrator, signed in.
pub async fn made(
    edge: &Edge,
    asked: &Asked,
    token: &Secret,
    user: &str,
    password: Secret,
    client: Client,
) -> Result<(Secret, Session), Refusal> {
    let attempt = edge.attempt(asked.client)?;
    let access = &edge.dispatch.world().access;
    let refused = async |fault: Fault, attempt: Try<'_>| {
        if fault.kind == Kind::Unauthenticated {
            edge.meter().auth_failed("setup");
        } else {
            attempt.is_good();
        }
        witness(edge, asked, Witness::Unproven { identity: None, client: &client }, MADE, Some(fault.kind)).await?;
        Err::<(Secret, Session), Refusal>(fault.into())
    };
    if let Err(fault) = access.check_setup(token) {
        return refused(fault, attempt).await;
    }
    // No trail, no administrator.
    witness(edge, asked, Witness::Unproven { identity: None, client: &client }, SHOWN, None).await?;
    let user = match access.claim_setup(token, user, password).await {
        Ok(user) => user,
        Err(fault) => return refused(fault, attempt).await,
    };
    attempt.is_good();
    let at = edge.dispatch.world().clock.wall();
    let principal = Authenticated { person: user.person, user: user.name, role: user.role, at }.principal(client.clone());
    witness(edge, asked, Witness::Known(&principal), MADE, None).await?;
    Ok(edge.admin.sessions.begin(&Proof { principal, way: Way::Local, at: Some(at) }).await?)
}

async fn witness(edge: &Edge, asked: &Asked, who: Witness<'_>, operation: &str, outcome: Option<Kind>) -> Result<(), Fault> {
    edge.dispatch.witness(who, operation, &Map::new(), outcome, &asked.correlation).await
}
