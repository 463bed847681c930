//! Answers as text.

use serde_json::Value;

/// A compact table, or `key: value` lines.
pub fn text(value: &Value) -> String {
    value.to_string()
}
