//! Schemas as text, which builds carry: `assets/schemas.txt`, a line for each type.

use crate::base::packed::{packed, text};
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::sync::OnceLock;

/// The one of this type. A type that is not there, which a test of `catalog` rules out, has an empty one: as arguments it takes none.
pub(super) fn find(side: &str, kind: &str) -> Map<String, Value> {
    static LINES: OnceLock<HashMap<String, String>> = OnceLock::new();
    let lines = LINES.get_or_init(|| {
        let plain = text(packed!("schemas"), "schemas").unwrap_or_default();
        let cut = |line: &str| line.rsplit_once('\t').map(|(of, schema)| (of.to_owned(), schema.to_owned()));
        plain.lines().filter_map(cut).collect()
    });
    lines.get(&format!("{side}\t{kind}")).and_then(|schema| serde_json::from_str(schema).ok()).unwrap_or_default()
}
