//! What an answer costs its reader.

use serde_json::Value;

/// Estimated tokens of an answer: bytes of what a model reads, by four.
pub fn tokens(structured: &Value, text: &str) -> u64 {
    let bytes = serde_json::to_string(structured).map_or(0, |json| json.len()).max(text.len());
    (bytes as u64).div_ceil(4)
}
