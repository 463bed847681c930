//! The OpenAPI 3.1 document, made from the routes and the schemas of their verbs: what it says is what is enforced.

use crate::http::admin::api::{BASE, takes};
use crate::http::admin::cache;
use crate::http::admin::events;
use crate::http::admin::export;
use crate::http::admin::routes::{BACKUP, ROUTES, Route};
use crate::http::admin::upload;
use crate::tools::spec::Tool;
use serde_json::{Map, Value, json};

/// What any request may be answered with: it is no request, its address is too long, its sender guesses too much, we stop.
const ANYWHERE: [&str; 4] = ["400", "414", "429", "503"];

/// The document, for a server called `origin`.
pub fn document(origin: &str) -> Value {
    let mut paths = Map::new();
    for route in ROUTES {
        let Some(tool) = route.verb() else { continue };
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        if let Some(path) = path.as_object_mut() {
            path.insert(route.method.to_ascii_lowercase(), operation(route, tool));
        }
    }
    for (path, operations) in beside() {
        paths.insert(path, operations);
    }
    paths.extend(respelled());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "routeros-mcp admin API",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "What the admin pages and operators' scripts use. Every call goes through the same policy and audit as MCP.",
        },
        "servers": [{"url": format!("{origin}{BASE}")}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "session": {"type": "apiKey", "in": "cookie", "name": "__Host-rmcp", "description": "From signing in"},
                "bearer": {"type": "http", "scheme": "bearer", "description": "An API token or an access token of the identity provider"},
            },
            "schemas": {"Error": error(), "Session": session()},
            "responses": {"Error": {"description": "Why not", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}}},
        },
    })
}

/// The paths below the second spelling of `backups`: the same operations.
fn respelled() -> Map<String, Value> {
    let paths = ROUTES.iter().filter(|route| route.path.split('/').nth(1) == Some("backups"));
    let same = |path: &str| json!({"$ref": format!("#/paths/{}", path.replace('/', "~1"))});
    paths.map(|route| (route.path.replacen("backups", BACKUP, 1), same(route.path))).collect()
}

/// What is no verb of the catalogue: signing in, the first run, files, and events.
fn beside() -> Map<String, Value> {
    let answer = |said: &str, schema: Value| json!({"description": said, "content": {"application/json": {"schema": schema}}});
    let body = |properties: Value, required: &[&str]| {
        let schema = json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false});
        json!({"required": true, "content": {"application/json": {"schema": schema}}})
    };
    let no = |statuses: &[&str]| {
        let refusal = |status: &&str| ((*status).to_owned(), json!({"$ref": "#/components/responses/Error"}));
        statuses.iter().map(refusal).collect::<Map<String, Value>>()
    };
    let with = |status: &str, answer: Value, refusals: &[&str]| {
        let mut all = no(&ANYWHERE);
        all.extend(no(refusals));
        all.insert(status.into(), answer);
        Value::Object(all)
    };
    let text = || json!({"type": "string"});
    let session = json!({"$ref": "#/components/schemas/Session"});
    let signed_in = json!([{"session": []}]);
    let refused = ["400", "401", "403", "408", "413", "415", "429", "503"];
    let documented = json!({
        "/session": {
            "get": {"operationId": "session.get", "summary": "Who is signed in", "security": signed_in,
                "responses": with("200", answer("The session", session.clone()), &["401", "503"])},
            "post": {"operationId": "session.post", "summary": "Sign in as a local user", "security": [],
                "requestBody": body(json!({"user": text(), "password": text()}), &["user", "password"]),
                "responses": with("200", answer("The session, and its cookie", session.clone()), &refused)},
            "delete": {"operationId": "session.delete", "summary": "Sign out", "security": signed_in,
                "responses": with("204", json!({"description": "Signed out"}), &["403", "503"])},
        },
        "/session/all": {
            "get": {"operationId": "session.all.get", "summary": "Where you are signed in", "security": signed_in,
                "responses": with("200", answer("Your sessions", json!({"type": "object", "required": ["sessions"], "properties": {"sessions": {"type": "array", "items": {"type": "object"}}}})), &["401", "503"])},
            "delete": {"operationId": "session.all.delete", "summary": "Sign out everywhere", "security": signed_in,
                "responses": with("204", json!({"description": "Signed out"}), &["401", "403", "503"])},
        },
        "/session/password": {"post": {"operationId": "session.password", "summary": "Another password for yourself", "security": signed_in,
            "requestBody": body(json!({"old": text(), "new": text()}), &["old", "new"]),
            "responses": with("200", answer("The session, and its new cookie", session.clone()), &["400", "401", "403", "408", "409", "413", "415", "429", "503"])}},
        "/session/reauthenticate": {"post": {"operationId": "session.reauthenticate", "summary": "Prove again who you are", "security": signed_in,
            "requestBody": body(json!({"password": text()}), &["password"]),
            "responses": with("200", answer("The session, and its new cookie", session.clone()), &["400", "401", "403", "408", "409", "413", "415", "429", "503"])}},
        "/setup": {
            "get": {"operationId": "setup.get", "summary": "Whether the first administrator can be made now", "security": [],
                "responses": with("200", answer("Whether it is", json!({"type": "object", "properties": {"open": {"type": "boolean"}}, "required": ["open"]})), &["503"])},
            "post": {"operationId": "setup.post", "summary": "Make the first administrator, with the token of the first run", "security": [],
                "requestBody": body(json!({"token": text(), "user": text(), "password": text()}), &["token", "user", "password"]),
                "responses": with("201", answer("The session, and its cookie", session.clone()), &["400", "401", "403", "408", "409", "413", "415", "429", "503"])},
        },
        "/audit/export": {"get": {"operationId": "audit.export", "summary": "The trail as a file", "security": [{"session": []}, {"bearer": ["audit:read"]}],
            "parameters": export::input().get("properties").and_then(Value::as_object).into_iter().flatten().map(|(name, schema)| json!({"name": name, "in": "query", "schema": schema})).collect::<Vec<_>>(),
            "responses": with("200", json!({"description": "The records, and as JSON a signed head", "content": {"application/json": {"schema": {"type": "object"}}, "text/csv": {"schema": text()}}}), &["400", "401", "403", "429", "503"])}},
        "/registrations/report": {"post": {"operationId": "registration.report", "security": [],
            "summary": "A router says under its one-time token what certificate it shows: lines of `key value`",
            "requestBody": {"required": true, "content": {"text/plain": {"schema": text()}}},
            "responses": with("200", json!({"description": "Taken: a person compares the fingerprint", "content": {"text/plain": {"schema": text()}}}),
                &["400", "401", "408", "413", "429", "503"])}},
        "/update/upload": {"post": {"operationId": "update.upload", "summary": "Send a bundle with a release, to be named to update.stage", "security": signed_in,
            "requestBody": {"required": true, "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}},
            "responses": with("201", answer("Its name, its bytes and their SHA-256", Value::Object(upload::output())), &["400", "401", "403", "408", "409", "413", "415", "429", "500", "503"])}},
        "/cache/flush": {
            "servers": [{"url": "/admin", "description": "Beside the API, not below it"}],
            "post": {"operationId": "cache.flush", "summary": "Empty the cache of resources: the next read of each asks its router",
                "security": [{"session": []}, {"bearer": [cache::SCOPE.as_str()]}],
                "responses": with("200", answer("How many answers were kept", Value::Object(cache::output())), &["401", "403", "405", "408", "413", "415"])},
        },
        "/session/oidc/start": {"get": {"operationId": "session.oidc.start", "summary": "Off to the identity provider", "security": [],
            "parameters": [
                {"name": "return_to", "in": "query", "schema": text(), "description": "A page of ours to come back to"},
                {"name": "reauthenticate", "in": "query", "schema": {"enum": ["0", "1"]}, "description": "Prove again who you are"},
            ],
            "responses": with("302", json!({"description": "To the provider"}), &["401", "404", "409", "502", "503"])}},
        "/events": {"get": {"operationId": "events", "summary": "What happens, as it happens", "security": [{"session": []}, {"bearer": [events::SCOPE.as_str()]}],
            "responses": with("200", json!({"description": "Server-sent events device, health, config, plan, job, alert, client, update and settings, with ids; a job has the id of its plan", "content": {"text/event-stream": {"schema": text()}}}), &["401", "403", "429", "503"])}},
    });
    documented.as_object().cloned().unwrap_or_default()
}

/// A session as its owner sees it.
fn session() -> Value {
    let text = || json!({"type": "string"});
    let perhaps = || json!({"type": ["string", "null"]});
    json!({
        "type": "object",
        "properties": {
            "name": text(), "identity": text(), "person": perhaps(), "role": text(), "way": {"enum": ["local", "oidc"]}, "signed_in_at": text(),
            "authenticated_at": perhaps(), "fresh_until": perhaps(), "idle_ends_at": text(), "ends_at": text(),
        },
        "required": ["name", "identity", "role", "way", "signed_in_at", "idle_ends_at", "ends_at"],
    })
}

fn error() -> Value {
    json!({
        "type": "object",
        "required": ["error"],
        "properties": {"error": {
            "type": "object",
            "required": ["kind", "message", "correlation_id"],
            "properties": {
                "kind": {"type": "string"},
                "message": {"type": "string"},
                "hint": {"type": ["string", "null"], "description": "What the caller can do next"},
                "correlation_id": {"type": "string"},
            },
        }},
    })
}

fn operation(route: &Route, tool: &Tool) -> Value {
    let input = (tool.input)();
    let in_path: Vec<&str> = route.arguments().collect();
    let properties = input.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    let required: Vec<&str> = input.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    let mut parameters: Vec<Value> = Vec::new();
    for name in &in_path {
        let schema = properties.get(*name).cloned().unwrap_or_else(|| json!({"type": "string"}));
        parameters.push(json!({"name": name, "in": "path", "required": true, "schema": schema}));
    }
    let rest = properties.iter().filter(|(name, _)| !in_path.contains(&name.as_str()) && !is_ours(tool, name));
    let mut operation = Map::new();
    operation.insert("operationId".into(), format!("{}.{}", tool.name, route.method.to_ascii_lowercase()).into());
    operation.insert("summary".into(), tool.title.into());
    operation.insert("description".into(), format!("{} For {}.", tool.about, route.need().about()).into());
    if matches!(route.method, "GET" | "DELETE") {
        for (name, schema) in rest {
            // Conditions on rows are further parameters, of any name: `?status=unreachable`.
            let (name, schema) = if name == "where" {
                ("conditions", json!({"type": "object", "additionalProperties": {"type": "string"}}))
            } else {
                (name.as_str(), schema.clone())
            };
            let mut parameter = json!({"name": name, "in": "query", "required": required.contains(&name), "schema": schema});
            if takes(&schema, "array") {
                parameter["style"] = "form".into();
                parameter["explode"] = false.into();
            } else if name == "conditions" {
                parameter["style"] = "form".into();
                parameter["explode"] = true.into();
            }
            parameters.push(parameter);
        }
    } else {
        let members: Map<String, Value> = rest.map(|(name, schema)| (name.clone(), schema.clone())).collect();
        let needed: Vec<&&str> = required.iter().filter(|name| members.contains_key(**name)).collect();
        let schema = json!({"type": "object", "properties": members, "required": needed, "additionalProperties": false});
        operation
            .insert("requestBody".into(), json!({"required": !needed.is_empty(), "content": {"application/json": {"schema": schema}}}));
    }
    if !parameters.is_empty() {
        operation.insert("parameters".into(), parameters.into());
    }
    operation.insert("responses".into(), responses(route, tool));
    operation.insert(
        "security".into(),
        match route.need().token {
            Some(scope) => json!([{"session": []}, {"bearer": [scope.as_str()]}]),
            None => json!([{"session": []}]),
        },
    );
    operation.into()
}

/// Arguments that the API fills in: the digest of a token that it makes itself.
fn is_ours(tool: &Tool, name: &str) -> bool {
    tool.name == "token.create" && name == "digest"
}

/// Every status an operation can answer with.
fn responses(route: &Route, tool: &Tool) -> Value {
    let mut output = (tool.output)();
    if tool.name == "token.create"
        && let Some(properties) = output.get_mut("properties").and_then(Value::as_object_mut)
    {
        properties.insert("token".into(), json!({"type": "string", "description": "The token itself: it is shown this once"}));
    }
    let mut all = Map::new();
    let content = if tool.name == "backup.download" {
        json!({"application/octet-stream": {"schema": {"type": "string", "contentMediaType": "application/octet-stream"}}})
    } else {
        json!({"application/json": {"schema": output}})
    };
    all.insert(route.status.to_string(), json!({"description": tool.title, "content": content}));
    for status in ["401", "403", "404", "408", "409", "413", "415", "422", "502", "504"].into_iter().chain(ANYWHERE) {
        all.insert(status.into(), json!({"$ref": "#/components/responses/Error"}));
    }
    all.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_is_in_the_document_with_its_arguments_and_answers() {
        let document = document("https://box.example");
        let mut operations = 0;
        for route in ROUTES {
            let operation = &document["paths"][route.path][route.method.to_ascii_lowercase()];
            assert!(operation["responses"][route.status.to_string()].is_object(), "{route:?}");
            assert!(operation["security"].as_array().is_some_and(|ways| !ways.is_empty()), "{route:?}");
            for name in route.arguments() {
                let parameters = operation["parameters"].as_array().unwrap();
                assert!(parameters.iter().any(|one| one["name"] == name && one["in"] == "path"), "{route:?}");
            }
            operations += 1;
        }
        assert!(operations >= 40, "{operations}");
        assert_eq!(document["servers"][0]["url"], "https://box.example/admin/api/v1");
        let ids: std::collections::BTreeSet<_> = ROUTES.iter().map(|route| (route.tool, route.method)).collect();
        assert_eq!(ids.len(), ROUTES.len(), "operation ids are unique");
    }

    #[test]
    fn the_digest_of_a_token_is_ours_and_the_token_is_in_the_answer() {
        let document = document("https://box.example");
        let operation = &document["paths"]["/tokens"]["post"];
        let body = &operation["requestBody"]["content"]["application/json"]["schema"];
        assert!(body["properties"].get("digest").is_none() && body["properties"].get("name").is_some());
        assert!(!body["required"].as_array().unwrap().contains(&json!("digest")));
        assert!(operation["responses"]["201"]["content"]["application/json"]["schema"]["properties"].get("token").is_some());
    }
}
