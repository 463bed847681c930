//! How much a model has to read.
//!
//! Tokens are estimated as bytes / 4, for every tokenizer counts differently. The spine decides what is too much.

use serde_json::Value;

/// What a model reads of `bytes`, in tokens, rounded up.
pub fn tokens(bytes: usize) -> u64 {
    (bytes as u64).div_ceil(4)
}

/// Bytes of a value as JSON, without writing it.
pub fn json_bytes(value: &Value) -> usize {
    match value {
        Value::Null => 4,
        Value::Bool(yes) => 5 - usize::from(*yes),
        Value::Number(number) => number.to_string().len(),
        Value::String(text) => quoted(text),
        // Brackets, and a comma between two items.
        Value::Array(items) => items.iter().map(|item| json_bytes(item) + 1).sum::<usize>().max(1) + 1,
        Value::Object(members) => members.iter().map(|(name, value)| quoted(name) + json_bytes(value) + 2).sum::<usize>().max(1) + 1,
    }
}

fn quoted(text: &str) -> usize {
    let escapes = |byte: u8| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 1,
        0..0x20 => 5,
        _ => 0,
    };
    text.len() + 2 + text.bytes().map(escapes).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_four_bytes_rounded_up() {
        assert_eq!((tokens(0), tokens(1), tokens(4), tokens(5)), (0, 1, 1, 2));
    }

    #[test]
    fn json_is_as_long_as_it_is_written() {
        for value in [
            serde_json::json!({"a": [1, 2.5, -3, null, true, false], "b\n\"": {}, "c": [], "d": {"e": "\u{1}\u{8}é\\"}}),
            serde_json::json!([]),
            serde_json::json!([[], {}, ""]),
            serde_json::json!("x"),
        ] {
            assert_eq!(json_bytes(&value), value.to_string().len(), "{value}");
        }
    }
}
