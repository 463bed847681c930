//! How a backup looks in answers.

use crate::backup::{Kept, Manifest};
use crate::base::clock::Wall;
use crate::tools::spec::object;
use serde_json::{Map, Value, json};

/// One in the directory.
pub(super) fn kept(kept: &Kept) -> Map<String, Value> {
    let mut row = Map::new();
    row.insert("name".into(), kept.name.clone().into());
    row.insert("bytes".into(), kept.bytes.into());
    row.insert("made_at".into(), kept.made_at.map(Wall::rfc3339).into());
    row
}

/// What one says about itself.
pub(super) fn manifest(manifest: &Manifest) -> Map<String, Value> {
    let row = json!({
        "version": manifest.version,
        "environment": manifest.environment,
        "store_schema": manifest.store_schema,
        "key_id": manifest.key_id,
        "has_master_key": manifest.has_master_key(),
        "rows": manifest.tables.values().sum::<u64>(),
        "audit_seq": manifest.audit.seq,
        "left_out": manifest.left_out,
    });
    object(row)
}

/// The members of [`kept`] and [`manifest`].
pub(super) fn members() -> Vec<(&'static str, Value)> {
    let (text, number) = (json!({"type": "string"}), json!({"type": "integer"}));
    vec![
        ("name", text.clone()),
        ("bytes", number.clone()),
        ("made_at", json!({"type": ["string", "null"]})),
        ("path", text.clone()),
        ("version", text.clone()),
        ("environment", text.clone()),
        ("store_schema", number.clone()),
        ("key_id", text),
        ("has_master_key", json!({"type": "boolean"})),
        ("rows", number.clone()),
        ("audit_seq", number),
        ("left_out", json!({"type": "array", "items": {"type": "string"}})),
    ]
}
