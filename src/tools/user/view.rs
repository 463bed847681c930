//! How a local user looks in answers.

use crate::access::User;
use crate::base::clock::Wall;
use crate::base::fault::Fault;
use crate::tools::context::Cx;
use crate::tools::spec::object;
use serde_json::{Map, Value, json};

/// One user.
pub(super) fn user(cx: &Cx, user: &User) -> Result<Map<String, Value>, Fault> {
    let access = &cx.world.access;
    let locked_until = access.locked_for(user)?.map(|left| Wall(cx.world.clock.wall().0 + left.as_millis() as i64).rfc3339());
    let row = json!({
        "name": user.name,
        "role": user.role.as_str(),
        "disabled": user.disabled,
        "locked_until": locked_until,
        "person": user.person.as_str(),
        "identities": access.identities(&user.person)?,
        "created_at": user.created_at.rfc3339(),
        "password_set_at": user.password_at.rfc3339(),
        "last_seen": user.seen_at.map(Wall::rfc3339),
    });
    Ok(object(row))
}

/// Written out: the answer is built from the record, not from a type of its own.
pub(super) fn output() -> Map<String, Value> {
    let text = || json!({"type": "string"});
    let perhaps = || json!({"type": ["string", "null"]});
    let schema = json!({
        "type": "object",
        "properties": {
            "name": text(), "role": text(), "disabled": {"type": "boolean"}, "locked_until": perhaps(), "person": text(),
            "identities": {"type": "array", "items": text()}, "created_at": text(), "password_set_at": text(), "last_seen": perhaps(),
        },
        "required": ["name", "role", "disabled", "person", "identities"],
    });
    object(schema)
}
