//! `POST /admin/cache/flush`: forgets every answer that is kept, so that the next read of each resource asks its router.
//!
//! What models and pages are given may be as old as `resource_cache.ttl_seconds` says; whoever changed a router by hand need not wait
//! that long. No verb of the catalogue: the cache is the spine's own. It is an administrator's all the same, and stands in the trail.

use crate::access::policy::Target;
use crate::access::scope::Scope;
use crate::base::tier::{Effect, Tier};
use crate::dispatch::Witness;
use crate::http::admin::api::{may, may_use};
use crate::http::admin::routes::Need;
use crate::http::admin::signed::Signed;
use crate::http::admin::{JSON_MAX, JSON_TIME};
use crate::http::fault::{self, Refusal};
use crate::http::inflow::Inflow;
use crate::http::{Asked, Body, Edge, intake, limits};
use hyper::body::Body as _;
use hyper::{Method, Request, Response, StatusCode};
use serde_json::{Map, Value, json};

/// Where it is: beside the pages.
pub const PATH: &str = "/admin/cache/flush";
/// What a token must be good for; its role must administer as well.
pub const SCOPE: Scope = Scope::Write;
/// What the trail calls it.
const OPERATION: &str = "cache.flush";

/// What policy judges.
const TARGET: Target<'static> = Target {
    tool: OPERATION,
    toolset: "core",
    tier: Tier::Free,
    effect: Effect::Administers,
    for_operators: true,
    device: None,
    inner: None,
};

/// Empties it.
pub async fn answer(edge: &Edge, asked: &Asked, request: Request<Inflow>) -> Result<Response<Body>, Refusal> {
    if request.method() != Method::POST {
        return Err(Refusal::method("POST"));
    }
    let signed = Signed::of(edge, asked, &request).await?;
    let _running = edge.enter(signed.principal())?;
    if !request.body().is_end_stream() && !intake::object(request, JSON_MAX, JSON_TIME).await?.is_empty() {
        return Err(Refusal::of(StatusCode::BAD_REQUEST, "arguments", "this takes no arguments"));
    }
    let left = edge.take(signed.principal())?;
    // Nobody is given anything by it, and nothing is lost: a token will do.
    may(edge, asked, Need { token: Some(SCOPE), proof: false }, &signed)?;
    signed.shown()?;
    let judged = may_use(edge, &TARGET, signed.principal());
    let outcome = judged.as_ref().err().map(|fault| fault.kind);
    edge.dispatch.world().alerts.used(signed.principal(), TARGET.effect, outcome);
    edge.dispatch.witness(Witness::Known(signed.principal()), OPERATION, &Map::new(), outcome, &asked.correlation).await?;
    judged?;
    let mut response = fault::json(StatusCode::OK, &json!({"flushed": edge.dispatch.forget_answers()}));
    limits::tell(response.headers_mut(), left);
    Ok(response)
}

/// What it answers, for the OpenAPI document.
pub fn output() -> Map<String, Value> {
    let schema = json!({"type": "object", "properties": {"flushed": {"type": "integer"}}, "required": ["flushed"]});
    schema.as_object().cloned().unwrap_or_default()
}
