//! One request of the admin API: its arguments gathered, its verb called through the spine, the answer as JSON.
//!
//! Policy, arguments, audit and shaping are those of every other edge; nothing is decided here but whether the caller is
//! the kind of caller the verb is for.

use crate::access::policy::{self, Decision, Target};
use crate::access::principal::Principal;
use crate::access::token;
use crate::base::fault::{Fault, Kind};
use crate::base::ids::hex;
use crate::base::secret::Secret;
use crate::base::tier::Effect;
use crate::dispatch::{Call, Reply};
use crate::fleet::roster;
use crate::http::admin::download;
use crate::http::admin::events;
use crate::http::admin::export;
use crate::http::admin::openapi;
use crate::http::admin::report;
use crate::http::admin::routes::{self, Need, Route};
use crate::http::admin::signed::Signed;
use crate::http::admin::upload;
use crate::http::fault::{self, Refusal};
use crate::http::inflow::Inflow;
use crate::http::{Asked, Body, Edge, bearer, intake, limits, query};
use crate::tools::arguments;
use crate::tools::spec::{Audience, Tool};
use hyper::{Request, Response, StatusCode};
use serde_json::{Map, Value};

/// Where the API is.
pub const BASE: &str = "/admin/api/v1";

/// What JSON adds to a list of routers: escapes, and the other arguments.
const JSON_ROOM: usize = 1024 * 1024;

/// Answers a request below [`BASE`]; `path` is what follows it.
pub async fn answer(edge: &Edge, asked: &Asked, path: &str, request: Request<Inflow>) -> Result<Response<Body>, Refusal> {
    match path {
        "/openapi.json" => {
            fault::only_reads(request.method())?;
            Ok(fault::json(StatusCode::OK, &openapi::document(&asked.origin)))
        }
        events::PATH => events::answer(edge, asked, &request).await,
        export::PATH => export::answer(edge, asked, request).await,
        report::PATH => report::answer(edge, asked, request).await,
        upload::PATH => upload::answer(edge, asked, request).await,
        _ => verb(edge, asked, path, request).await,
    }
}

/// Calls the verb that a path names.
async fn verb(edge: &Edge, asked: &Asked, path: &str, request: Request<Inflow>) -> Result<Response<Body>, Refusal> {
    let signed = Signed::of(edge, asked, &request).await?;
    let _running = edge.enter(signed.principal())?;
    let (route, in_path) = match routes::find(request.method().as_str(), path) {
        Ok(found) => found,
        Err(others) if others.is_empty() => {
            return Err(Refusal::of(StatusCode::NOT_FOUND, "path", "the admin API has nothing at this address")
                .hint("GET /admin/api/v1/openapi.json lists all of it"));
        }
        Err(others) => return Err(Refusal::method(&others.join(", "))),
    };
    let Some(tool) = route.verb() else {
        return Err(Refusal::of(StatusCode::NOT_FOUND, "path", "that is not in this build"));
    };
    let mut arguments = gathered(edge, route, tool, in_path, request).await?;
    let left = edge.take(signed.principal())?;
    may(edge, asked, route.need(), &signed)?;
    if tool.audience == Audience::Operator {
        signed.shown()?;
    }
    let made = (tool.name == "token.create").then(token::make);
    if let Some(secret) = &made {
        arguments::check_but(tool.name, &(tool.input)(), &arguments, "digest")?;
        arguments.insert("digest".into(), hex(&token::digest(secret.expose())).into());
    }
    let reply = called(edge, asked, tool, arguments, &signed).await;
    if tool.name == "backup.download" && reply.fault.is_none() {
        let name = reply.structured["name"].as_str().unwrap_or_default();
        return Ok(download::backup(&edge.dispatch.world().backups, name)?);
    }
    let mut response = told(route, reply, made.as_ref());
    limits::tell(response.headers_mut(), left);
    Ok(response)
}

/// What the verb is given: out of the query or the body, and out of the path.
async fn gathered(
    edge: &Edge,
    route: &Route,
    tool: &Tool,
    in_path: Vec<(&'static str, &str)>,
    request: Request<Inflow>,
) -> Result<Map<String, Value>, Refusal> {
    let mut arguments = Map::new();
    if let Some(text) = request.uri().query() {
        if route.method != "GET" && route.method != "DELETE" {
            return Err(wrong("what a request changes stands in its body, not in the address"));
        }
        arguments = queried(&(tool.input)(), text)?;
    }
    if matches!(route.method, "POST" | "PUT" | "PATCH") {
        let most = edge.settings.limits.body_bytes;
        // A fleet's list is longer than anything else people send.
        let most = if tool.name == "device.import" { most.max(roster::TEXT_MAX + JSON_ROOM) } else { most };
        arguments = intake::object(request, most, edge.settings.limits.body).await?;
    }
    for (name, text) in in_path {
        let text = query::decoded(text).ok_or_else(|| wrong("the address is not percent-encoded UTF-8"))?;
        if arguments.get(name).is_some_and(|given| given.as_str() != Some(text.as_str())) {
            return Err(wrong(format!("{name} is one thing in the address and another in the body")));
        }
        arguments.insert(name.to_owned(), text.into());
    }
    Ok(arguments)
}

/// Whether the caller is of the kind that is needed.
pub(super) fn may(edge: &Edge, asked: &Asked, need: Need, signed: &Signed) -> Result<(), Refusal> {
    match signed {
        Signed::Bearer { principal, scopes, .. } => {
            let refusal = match need.token {
                Some(scope) if scopes.contains(&scope) => return Ok(()),
                Some(scope) => bearer::insufficient(edge, asked, &[scope]),
                None => Refusal::of(StatusCode::FORBIDDEN, "person", "no bearer token can do this, whatever its role")
                    .hint("a person does it in the admin pages, or with the command line and a password"),
            };
            edge.meter().denied(principal.role.as_str(), refusal.reason);
            edge.dispatch.world().alerts.used(principal, Effect::Reads, Some(Kind::Denied));
            Err(refusal)
        }
        Signed::Person { session, .. } if need.proof && !session.is_fresh(edge.dispatch.world().clock.wall()) => {
            Err(Refusal::of(StatusCode::UNAUTHORIZED, "proof", "prove again that it is you: this takes a proof of the last five minutes")
                .hint("POST /admin/api/v1/session/reauthenticate, then send this again"))
        }
        Signed::Person { .. } => Ok(()),
    }
}

/// Refuses a caller whom policy does not let do it: for what is done here and not by a verb.
pub(super) fn may_use(edge: &Edge, target: &Target<'_>, principal: &Principal) -> Result<(), Fault> {
    match policy::decide(principal, target, &edge.dispatch.world().rules) {
        Decision::Allow | Decision::AllowLoosely(_) => Ok(()),
        Decision::Deny(refusal) => {
            edge.meter().denied(principal.role.as_str(), refusal.reason);
            Err(Fault { hint: refusal.hint, ..Fault::denied(refusal.said) })
        }
    }
}

/// Calls a verb as whoever signed in.
pub async fn called(edge: &Edge, asked: &Asked, tool: &'static Tool, arguments: Map<String, Value>, signed: &Signed) -> Reply {
    let (principal, proven, audience) = match signed {
        // Which verbs a token reaches was decided by `may`.
        Signed::Bearer { principal, .. } => (principal.clone(), None, tool.audience),
        Signed::Person { principal, session } => (principal.clone(), session.proven(), Audience::Operator),
    };
    let mut call = Call::new(tool.name, arguments, principal, audience);
    call.correlation_id = asked.correlation.clone();
    call.proven = proven;
    call.for_person = matches!(signed, Signed::Person { .. });
    // The API and the pages stay what they are when models are given no tools.
    call.as_tool = false;
    let cancel = call.cancel.clone();
    // Whoever closes the connection drops this future.
    let _gone = cancel.drop_guard();
    edge.dispatch.call(call).await
}

fn told(route: &Route, reply: Reply, made: Option<&Secret>) -> Response<Body> {
    let mut document = reply.structured;
    let status = match reply.fault {
        Some(kind) => fault::status(kind),
        None => StatusCode::from_u16(route.status).unwrap_or(StatusCode::OK),
    };
    if let (Some(secret), None, Some(members)) = (made, reply.fault, document.as_object_mut()) {
        // The one time it is seen.
        members.insert("token".into(), secret.expose().into());
    }
    fault::json(status, &document)
}

/// A query as arguments. What is no argument of a list is a condition on its rows: `?status=unreachable&name~=edge`.
pub(super) fn queried(schema: &Map<String, Value>, query: &str) -> Result<Map<String, Value>, Refusal> {
    let properties = schema.get("properties").and_then(Value::as_object);
    let property = |name: &str| properties.and_then(|properties| properties.get(name));
    let (mut arguments, mut conditions) = (Map::new(), Map::new());
    let fields = query::fields(query).ok_or_else(|| wrong("the query is too long, or not percent-encoded UTF-8"))?;
    for (name, value) in fields {
        let (into, value) = match property(&name) {
            Some(property) if name != "where" => (&mut arguments, typed(property, &value)),
            None if property("where").is_some() => (&mut conditions, Value::from(value)),
            // Left as it is: the verb says what it takes.
            _ => (&mut arguments, Value::from(value)),
        };
        if into.insert(name.clone(), value).is_some() {
            return Err(wrong(format!("{name} is given twice")));
        }
    }
    if !conditions.is_empty() {
        arguments.insert("where".into(), conditions.into());
    }
    Ok(arguments)
}

/// Whether a schema takes values of that type, among others.
pub(super) fn takes(schema: &Value, wanted: &str) -> bool {
    match schema.get("type") {
        Some(Value::String(kind)) => kind == wanted,
        Some(Value::Array(kinds)) => kinds.iter().any(|kind| kind == wanted),
        _ => false,
    }
}

/// A value of a query in the type its argument has. What does not fit stays text, for the verb to refuse by name.
fn typed(property: &Value, text: &str) -> Value {
    let is = |wanted: &str| takes(property, wanted);
    if is("array") {
        return text.split(',').filter(|item| !item.is_empty()).map(Value::from).collect();
    }
    let read = match text {
        "true" | "false" if is("boolean") => Some(Value::from(text == "true")),
        _ if is("integer") => text.parse::<i64>().ok().map(Value::from),
        _ if is("number") => text.parse::<f64>().ok().map(Value::from),
        _ => None,
    };
    read.unwrap_or_else(|| text.into())
}

fn wrong(said: impl Into<String>) -> Refusal {
    Refusal::of(StatusCode::BAD_REQUEST, "arguments", said)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_query_becomes_arguments_of_their_types_and_the_rest_conditions() {
        let schema = (crate::tools::find("device.list").unwrap().input)();
        let of = |query: &str| Value::Object(queried(&schema, query).unwrap());
        assert_eq!(
            of("limit=5&fields=name,status&status=reachable&address=router&name~=ed+ge%21"),
            json!({"limit": 5, "fields": ["name", "status"], "status": "reachable", "where": {"address": "router", "name~": "ed ge!"}})
        );
        assert_eq!(of("limit=many"), json!({"limit": "many"}), "the verb says that this is no number");
        assert_eq!(of(""), json!({}));
        for bad in ["a=%zz", "a=%", "a=%ff", "a=%00", "limit=1&limit=2", "a=1&a=2"] {
            assert!(queried(&schema, bad).is_err(), "{bad}");
        }
        assert!(queried(&schema, &"a=1&".repeat(100)).is_err());
    }
}
