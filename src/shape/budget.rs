//! How much a model has to read.
//!
//! Tokens are estimated as bytes / 4, for every tokenizer counts differently. Above the warning an answer says so;
//! above the error a list is cut to a page that fits, and anything else is refused with a hint to narrow it.

use super::ShapeError;
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

/// The two thresholds, in tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Above it an answer carries a warning.
    pub warning: u64,
    /// Above it an answer is cut or refused.
    pub most: u64,
}

/// How an answer stands to its budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Below both.
    Fits,
    /// Above the warning.
    Large,
    /// Above the error.
    TooLong,
}

impl Budget {
    /// How an answer of that many bytes stands.
    pub fn judge(&self, bytes: usize) -> Verdict {
        match tokens(bytes) {
            tokens if tokens > self.most => Verdict::TooLong,
            tokens if tokens > self.warning => Verdict::Large,
            _ => Verdict::Fits,
        }
    }

    /// The warning for `_meta.token_warning`, if an answer of that many bytes deserves one.
    pub fn warning(&self, bytes: usize) -> Option<String> {
        (self.judge(bytes) == Verdict::Large).then(|| format!("about {} tokens; narrow it with where, fields or limit", tokens(bytes)))
    }

    /// Refuses an answer that is no list and too long.
    pub fn check(&self, bytes: usize) -> Result<(), ShapeError> {
        match self.judge(bytes) {
            Verdict::TooLong => Err(ShapeError::TooLong { tokens: tokens(bytes), most: self.most }),
            Verdict::Fits | Verdict::Large => Ok(()),
        }
    }

    /// How many rows of a list fit: `around` bytes are taken by the rest of the answer, `rows` are the bytes each row
    /// takes in all places it is shown. At least one, so that paging always moves on.
    pub fn rows_that_fit(&self, around: usize, rows: impl IntoIterator<Item = usize>) -> usize {
        let (mut bytes, mut kept) = (around, 0);
        for row in rows {
            bytes += row;
            if kept > 0 && tokens(bytes) > self.most {
                break;
            }
            kept += 1;
        }
        kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUDGET: Budget = Budget { warning: 100, most: 1000 };

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

    #[test]
    fn thresholds_are_the_last_that_pass() {
        assert_eq!(BUDGET.judge(400), Verdict::Fits);
        assert_eq!(BUDGET.judge(401), Verdict::Large);
        assert_eq!(BUDGET.judge(4000), Verdict::Large);
        assert_eq!(BUDGET.judge(4001), Verdict::TooLong);
        assert!(BUDGET.warning(400).is_none() && BUDGET.warning(401).is_some());
    }

    #[test]
    fn what_is_no_list_is_refused() {
        assert!(BUDGET.check(4000).is_ok());
        assert_eq!(BUDGET.check(4004), Err(ShapeError::TooLong { tokens: 1001, most: 1000 }));
    }

    #[test]
    fn a_list_is_cut_to_what_fits_and_never_to_nothing() {
        assert_eq!(BUDGET.rows_that_fit(0, vec![400; 50]), 10);
        assert_eq!(BUDGET.rows_that_fit(2000, vec![400; 50]), 5);
        assert_eq!(BUDGET.rows_that_fit(0, vec![400; 3]), 3);
        assert_eq!(BUDGET.rows_that_fit(9000, vec![400; 3]), 1);
        assert_eq!(BUDGET.rows_that_fit(0, []), 0);
    }
}
