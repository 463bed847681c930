//! How a token looks in answers: everything but the token.

use crate::access::token::Token;
use crate::base::clock::Wall;
use crate::base::fault::Fault;
use crate::tools::context::Cx;
use crate::tools::spec::object;
use serde_json::{Map, Value, json};

/// One token.
pub(in crate::tools) fn token(cx: &Cx, token: &Token) -> Result<Map<String, Value>, Fault> {
    let access = &cx.world.access;
    let devices: Vec<String> = token.devices.iter().map(ToString::to_string).collect();
    let state = token.state(cx.world.clock.wall()).map_or_else(|refused| refused.as_str(), |()| "active");
    let row = json!({
        "id": token.id,
        "name": token.name,
        "role": token.role.map_or("metrics", |role| role.as_str()),
        "state": state,
        "devices": devices,
        "owner": token.owner,
        "created_at": token.created_at.rfc3339(),
        "expires_at": token.expires_at.map(Wall::rfc3339),
        "last_used": access.token_used_at(token)?.map(Wall::rfc3339),
        "revoked_at": token.revoked_at.map(Wall::rfc3339),
    });
    Ok(object(row))
}

/// Written out: the answer is built from the record, not from a type of its own.
pub(in crate::tools) fn output() -> Map<String, Value> {
    let text = || json!({"type": "string"});
    let perhaps = || json!({"type": ["string", "null"]});
    let schema = json!({
        "type": "object",
        "properties": {
            "id": text(), "name": text(), "role": text(), "state": text(), "devices": {"type": "array", "items": text()},
            "owner": perhaps(), "created_at": text(), "expires_at": perhaps(), "last_used": perhaps(), "revoked_at": perhaps(),
            "unmatched": {"type": "array", "items": text()},
        },
        "required": ["id", "name", "role", "state", "devices"],
    });
    object(schema)
}
