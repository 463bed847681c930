//! Conditions, and pages that survive change.

use crate::base::fault::Fault;
use crate::base::ids::hex;
use serde_json::{Map, Value};
use std::ops::Range;

/// Rows of a page unless asked otherwise.
pub const USUAL: usize = 50;

/// A value as conditions compare it.
pub struct Plain(Vec<String>);

impl Plain {
    /// The router's spelling and the typed value's: either may be meant.
    pub fn both(text: &str, typed: &Value) -> Self {
        let mut forms = vec![text.to_owned()];
        forms.extend(plain(typed).0);
        Plain(forms)
    }
}

impl From<String> for Plain {
    fn from(text: String) -> Self {
        Plain(vec![text])
    }
}

/// A JSON value as text; a list also as its words.
pub fn plain(value: &Value) -> Plain {
    Plain(match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => vec![items.iter().flat_map(|item| plain(item).0).collect::<Vec<_>>().join(",")],
        other => vec![other.to_string()],
    })
}

struct Condition {
    name: String,
    contains: bool,
    text: String,
}

/// What rows must be like.
pub struct Conditions(Vec<Condition>);

impl Conditions {
    /// Reads `where`.
    pub fn parse(given: Option<&Map<String, Value>>) -> Result<Self, Fault> {
        let mut conditions = Vec::new();
        for (name, value) in given.into_iter().flatten() {
            let (name, contains) = match name.strip_suffix('~') {
                Some(name) => (name, true),
                None => (name.as_str(), false),
            };
            let text = match value {
                Value::Object(_) | Value::Array(_) | Value::Null => {
                    return Err(Fault::bad_input(format!("where: {name} must be text, a number or a boolean")));
                }
                value => plain(value).0.remove(0),
            };
            let text = if contains { text.to_lowercase() } else { text };
            conditions.push(Condition { name: name.to_owned(), contains, text });
        }
        Ok(Conditions(conditions))
    }

    /// Whether a row fulfils all of them.
    pub fn hold(&self, value: impl Fn(&str) -> Option<Plain>) -> bool {
        self.0.iter().all(|c| {
            value(&c.name).is_some_and(|plain| {
                plain.0.iter().any(|form| if c.contains { form.to_lowercase().contains(&c.text) } else { *form == c.text })
            })
        })
    }

    /// Names they look at.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|c| c.name.as_str())
    }

    /// The exact ones.
    pub fn exact(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().filter(|c| !c.contains).map(|c| (c.name.as_str(), c.text.as_str()))
    }
}

/// Names a list and its conditions.
pub fn digest(scope: &str, matching: Option<&Map<String, Value>>, fields: Option<&[String]>) -> String {
    let text = format!("{scope}\n{matching:?}\n{fields:?}");
    hex(&ring::digest::digest(&ring::digest::SHA256, text.as_bytes()).as_ref()[..8])
}

/// Where to go on: the digest, the position and the key of the last row shown.
pub fn cursor(digest: &str, key: &str, position: usize) -> String {
    data_encoding::BASE64URL_NOPAD.encode(format!("1|{digest}|{position}|{key}").as_bytes())
}

/// The rows of the page asked for.
pub fn span(keys: &[&str], cursor: Option<&str>, limit: Option<u16>, digest: &str) -> Result<Range<usize>, Fault> {
    let start = match cursor {
        None => 0,
        Some(cursor) => {
            let wrong = || Fault::bad_input("cursor: not one of ours").hint("pass next_cursor of the page before, unchanged");
            let bytes = data_encoding::BASE64URL_NOPAD.decode(cursor.as_bytes()).map_err(|_| wrong())?;
            let text = String::from_utf8(bytes).map_err(|_| wrong())?;
            let mut parts = text.splitn(4, '|');
            let (Some("1"), Some(of), Some(position), Some(key)) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
                return Err(wrong());
            };
            if of != digest {
                return Err(Fault::bad_input("cursor: it belongs to another list or other conditions")
                    .hint("repeat the call of the first page, or drop the cursor"));
            }
            let position: usize = position.parse().map_err(|_| wrong())?;
            // The row may have moved: go on after it where it is now, else where it was.
            let found = keys.iter().enumerate().filter(|(_, k)| **k == key).map(|(at, _)| at + 1).min_by_key(|at| at.abs_diff(position));
            found.unwrap_or(position.saturating_sub(1)).min(keys.len())
        }
    };
    let end = (start + limit.map_or(USUAL, usize::from)).min(keys.len());
    Ok(start..end)
}
