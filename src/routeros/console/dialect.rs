//! The ways in which consoles of different versions print data: how each is asked, and how its answer is read.

use super::complaint::Complaint;
use crate::routeros::fault::RouterError;
use crate::routeros::row::{self, Row};
use crate::routeros::script;
use crate::routeros::version::Version;
use std::ops::Range;

/// How a console can be made to print data; the richest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// JSON with every text as it is, 7.16 and newer.
    Exact,
    /// JSON in which texts that look like numbers have become numbers, 7.13.
    Json,
    /// Marked lines.
    Marked,
    /// `as-value` text, whose values cannot be told from its separators for sure.
    Plain,
}

impl Dialect {
    pub(super) fn of(version: Option<Version>) -> Self {
        match version {
            Some(version) if !version.at_least(7, 13) => Dialect::Marked,
            Some(version) if !version.at_least(7, 16) => Dialect::Json,
            _ => Dialect::Exact,
        }
    }

    pub(super) fn lower(self) -> Option<Self> {
        match self {
            Dialect::Exact => Some(Dialect::Json),
            Dialect::Json => Some(Dialect::Marked),
            Dialect::Marked => Some(Dialect::Plain),
            Dialect::Plain => None,
        }
    }
}

/// One expression, as a console is asked for it in one of the dialects.
pub(super) struct Asked {
    dialect: Dialect,
    pub(super) line: String,
    mark: String,
    /// What of the line is the expression.
    inner: Range<usize>,
}

impl Asked {
    pub(super) fn new(dialect: Dialect, expression: &str, mark: String) -> Self {
        let (line, before) = match dialect {
            Dialect::Exact => (script::put_json(expression, true), script::PUT_JSON),
            Dialect::Json => (script::put_json(expression, false), script::PUT_JSON),
            Dialect::Marked => (script::put_marked(expression, &mark), script::PUT_MARKED),
            Dialect::Plain => (format!("{}; :put \"{mark}\"", script::put(expression)), ":put ["),
        };
        Asked { dialect, line, mark, inner: before.len()..before.len() + expression.len() }
    }

    /// What the bytes that came back mean.
    pub(super) fn answer(&self, bytes: &[u8]) -> Result<Result<Vec<Row>, Complaint>, RouterError> {
        if matches!(self.dialect, Dialect::Exact | Dialect::Json) {
            return match bytes.trim_ascii().first() {
                None | Some(b'[' | b'{') => row::console_rows(bytes).map(Ok),
                // A command may give a single value.
                Some(b'"' | b'-' | b'0'..=b'9') => match serde_json::from_slice::<serde_json::Value>(bytes.trim_ascii()) {
                    Ok(serde_json::Value::String(text)) => Ok(Ok(vec![Row::from_pairs([("ret", text)])])),
                    Ok(value) => Ok(Ok(vec![Row::from_pairs([("ret", value.to_string())])])),
                    Err(_) => Ok(Err(self.complaint(&text(bytes)))),
                },
                Some(_) => Ok(Err(self.complaint(&text(bytes)))),
            };
        }
        let output = text(bytes);
        let rows = match self.dialect {
            Dialect::Marked => script::read_marked(&output, &self.mark),
            _ => output.split_once(&self.mark).and_then(|(before, _)| plain_rows(before)),
        };
        Ok(match rows {
            Some(rows) => Ok(rows.into_iter().map(Row::from_pairs).collect()),
            // Rows may have been printed before it stumbled.
            None => Err(self.complaint(&output.lines().filter(|line| !line.contains(&self.mark)).collect::<Vec<_>>().join("\n"))),
        })
    }

    fn complaint(&self, output: &str) -> Complaint {
        Complaint::of(output, &self.line).within(self.inner.clone())
    }
}

/// Output as text: broken UTF-8 becomes U+FFFD as in rows, and lines end in a line feed.
pub(super) fn text(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    if text.contains('\r') { text.replace("\r\n", "\n") } else { text.into_owned() }
}

/// The rows of `:put [print as-value]`: `.id=*1;name=a;.id=*2;name=b`. A value may hold `;` itself; what follows one is taken
/// for the next attribute only when it looks like its name. `None` when it is no such text.
fn plain_rows(output: &str) -> Option<Vec<Vec<(String, String)>>> {
    let output = output.strip_suffix('\n').unwrap_or(output);
    let mut rows: Vec<Vec<(String, String)>> = Vec::new();
    if output.trim().is_empty() {
        return Some(rows);
    }
    for piece in output.split(';') {
        let pair = piece.split_once('=').filter(|(name, _)| is_name(name));
        match (pair, rows.last_mut()) {
            (Some((".id", id)), _) => rows.push(vec![(".id".into(), id.into())]),
            (Some((name, value)), Some(row)) => row.push((name.into(), value.into())),
            (Some((name, value)), None) => rows.push(vec![(name.into(), value.into())]),
            (None, Some(row)) => {
                let (name, value) = row.last_mut()?;
                value.push(if is_prose(name) { ';' } else { ',' });
                value.push_str(piece);
            }
            (None, None) => return None,
        }
    }
    Some(rows)
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase() || c == '.')
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-._".contains(&b))
}

/// Attributes that people write into; elsewhere a `;` separates the items of a list.
fn is_prose(name: &str) -> bool {
    matches!(name, "comment" | "name" | "message" | "source" | "on-event" | "note" | "contents")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_is_split_at_ids_and_names_alone() {
        let rows = plain_rows(".id=*1;topics=system;info;message=a;b=c.id=*9;.id=*2;comment=x;y z;disabled=false\n").unwrap();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(rows[0], [pair(".id", "*1"), pair("topics", "system,info"), pair("message", "a"), pair("b", "c.id=*9")]);
        assert_eq!(rows[1], [pair(".id", "*2"), pair("comment", "x;y z"), pair("disabled", "false")]);
        assert_eq!(plain_rows("name=home\n").unwrap(), [[pair("name", "home")]]);
        assert_eq!(plain_rows("\n").unwrap(), Vec::<Vec<_>>::new());
        assert_eq!(plain_rows("no such item\n"), None);
    }

    #[test]
    fn versions_decide_the_first_way_tried() {
        for (version, dialect) in [
            ("7.12.2 (stable)", Dialect::Marked),
            ("7.13 (stable)", Dialect::Json),
            ("7.16.1 (stable)", Dialect::Exact),
            ("7.24 (stable)", Dialect::Exact),
        ] {
            assert_eq!(Dialect::of(Version::parse(version)), dialect, "{version}");
        }
        assert_eq!(Dialect::of(None), Dialect::Exact);
    }
}
