//! How an entry of the vault looks in answers: everything but its value.

use crate::store::vault::Entry;
use crate::tools::spec::object;
use serde_json::{Map, Value, json};

/// One entry.
pub(super) fn entry(entry: &Entry) -> Map<String, Value> {
    let devices: Vec<String> = entry.binding.devices.iter().map(ToString::to_string).collect();
    let row = json!({
        "name": entry.name,
        "menus": entry.binding.menus,
        "devices": devices,
        "handle": format!("vault:{}", entry.name),
        "set_at": entry.set_at.rfc3339(),
        "set_by": entry.set_by,
    });
    object(row)
}

/// Written out: the answer is built from the record, not from a type of its own.
pub(super) fn output() -> Map<String, Value> {
    let text = || json!({"type": "string"});
    let texts = || json!({"type": "array", "items": {"type": "string"}});
    let schema = json!({
        "type": "object",
        "properties": {
            "name": text(), "menus": texts(), "devices": texts(), "handle": text(), "set_at": text(), "set_by": text(),
            "unsuited": texts(), "unmatched": texts(),
        },
        "required": ["name", "menus", "devices", "handle"],
    });
    object(schema)
}
