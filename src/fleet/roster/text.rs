//! The text of a list as rows of cells, from CSV or JSON.

use crate::base::fault::Fault;
use crate::fleet::roster::Problem;
use serde::de::{Deserialize, Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;

/// The longest list, bytes.
pub const TEXT_MAX: usize = 3 * 1024 * 1024;
/// The most lines.
const LINES_MAX: usize = 10_000;
/// What a line may say.
const COLUMNS: &[&str] = &[
    "name",
    "address",
    "rest_port",
    "ssh_port",
    "plain_http",
    "ssh_only",
    "username",
    "password",
    "password_ref",
    "tls_fingerprint",
    "ssh_fingerprint",
    "tags",
    "capabilities",
];

/// A line's cells by the names of their columns.
pub(super) type Cells = BTreeMap<String, String>;
/// Lines that can be read, and what is wrong with the others.
pub(super) type Rows = (Vec<(usize, Cells)>, Vec<Problem>);

/// Rows by number, and what is wrong with those that are none.
pub(super) fn rows(text: &str) -> Result<Rows, Fault> {
    if text.len() > TEXT_MAX {
        return Err(Fault::bad_input("the list is longer than 3 MiB").hint("import it in parts"));
    }
    let text = text.trim_start_matches('\u{feff}');
    let (rows, problems) = if text.trim_start().starts_with(['[', '{']) { from_json(text)? } else { from_csv(text)? };
    if rows.is_empty() && problems.is_empty() {
        return Err(Fault::bad_input("the list is empty").hint("a first line with the columns' names, then a line a router"));
    }
    if rows.len() + problems.len() > LINES_MAX {
        return Err(Fault::bad_input(format!("the list has more than {LINES_MAX} lines")).hint("import it in parts"));
    }
    Ok((rows, problems))
}

fn known(column: &str) -> Result<(), Fault> {
    match COLUMNS.contains(&column) {
        true => Ok(()),
        // A first line that is missing may hold a password where a name should be: it is not repeated.
        false => Err(Fault::bad_input("the first line, or an entry, names a column that there is not")
            .hint(format!("columns are {}", COLUMNS.join(", ")))),
    }
}

fn from_csv(text: &str) -> Result<Rows, Fault> {
    let first = text.lines().next().unwrap_or_default();
    // Spreadsheets of half of Europe separate by semicolons.
    let separator = if first.contains(';') && !first.contains(',') { b';' } else { b',' };
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator)
        .flexible(true)
        .trim(csv::Trim::Headers)
        .comment(Some(b'#'))
        .from_reader(text.as_bytes());
    let unreadable = || Fault::bad_input("the list is neither CSV nor JSON");
    let head: Vec<String> = reader.headers().map_err(|_| unreadable())?.iter().map(str::to_ascii_lowercase).collect();
    if head.len() == 1 && head[0].is_empty() {
        return Ok((Vec::new(), Vec::new()));
    }
    for (at, column) in head.iter().enumerate() {
        known(column)?;
        if head[..at].contains(column) {
            return Err(Fault::bad_input(format!("the first line names {column} twice")));
        }
    }
    let (mut rows, mut problems) = (Vec::new(), Vec::new());
    let mut lines = Lines { text, at: 0, number: 1 };
    for record in reader.records() {
        let record = record.map_err(|_| unreadable())?;
        let number = lines.of(record.position().map_or(0, |at| at.byte() as usize));
        if record.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        if record.len() != head.len() {
            problems.push(Problem { line: number, what: format!("has {} cells, the first line {}", record.len(), head.len()) });
        } else {
            // A password may begin or end with a blank.
            let cells = head.iter().zip(&record).map(|(name, cell)| (name, if name == "password" { cell } else { cell.trim() }));
            let cells = cells.filter(|(_, cell)| !cell.is_empty());
            rows.push((number, cells.map(|(name, cell)| (name.clone(), cell.to_owned())).collect()));
        }
        if rows.len() + problems.len() > LINES_MAX {
            break;
        }
    }
    Ok((rows, problems))
}

/// Counts lines. The reader's own count stands before the blank lines and notes that it passes over, and between CR and LF.
struct Lines<'t> {
    text: &'t str,
    at: usize,
    number: usize,
}

impl Lines<'_> {
    /// The line of the record that the reader began to look for at a byte; bytes only rise.
    fn of(&mut self, byte: usize) -> usize {
        let bytes = self.text.as_bytes();
        while let Some(next) = bytes.get(self.at) {
            let is_before = self.at < byte;
            match next {
                b'\n' => self.number += 1,
                b'\r' => {}
                b'#' if !is_before => {
                    let rest = bytes[self.at..].iter().position(|byte| *byte == b'\n');
                    self.at += rest.unwrap_or(bytes.len() - self.at);
                    continue;
                }
                _ if is_before => {}
                _ => break,
            }
            self.at += 1;
        }
        self.number
    }
}

fn from_json(text: &str) -> Result<Rows, Fault> {
    let Entries(entries) = serde_json::from_str(text).map_err(|error| {
        // The library's words may quote the text.
        Fault::bad_input(format!("the list is no JSON array of objects (line {}, column {})", error.line(), error.column()))
    })?;
    if entries.len() > LINES_MAX {
        return Err(Fault::bad_input(format!("the list has more than {LINES_MAX} entries")).hint("import it in parts"));
    }
    let (mut rows, mut problems) = (Vec::new(), Vec::new());
    for (at, entry) in entries.iter().enumerate() {
        let number = at + 1;
        let Value::Object(members) = entry else {
            problems.push(Problem { line: number, what: "is no object".into() });
            continue;
        };
        let mut cells = Cells::new();
        let mut wrong = None;
        for (name, value) in members {
            match (known(name), cell(value)) {
                (Ok(()), Some(text)) if text.is_empty() => {}
                (Ok(()), Some(text)) => drop(cells.insert(name.clone(), text)),
                (Ok(()), None) => wrong = Some(format!("{name} is no text")),
                (Err(_), _) => wrong = Some("names a column that there is not".to_owned()),
            }
        }
        match wrong {
            Some(what) => problems.push(Problem { line: number, what }),
            None => rows.push((number, cells)),
        }
    }
    Ok((rows, problems))
}

/// A JSON array; of a longer one than is taken, one entry too many.
struct Entries(Vec<Value>);

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Entries;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Entries, A::Error> {
                let mut entries = Vec::new();
                while entries.len() <= LINES_MAX
                    && let Some(entry) = items.next_element()?
                {
                    entries.push(entry);
                }
                while items.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Entries(entries))
            }
        }
        from.deserialize_seq(Reader)
    }
}

/// A value as a cell would say it.
fn cell(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Array(items) => {
            items.iter().map(|item| item.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>().map(|all| all.join(","))
        }
        Value::Object(pairs) => pairs
            .iter()
            .map(|(key, value)| value.as_str().map(|value| format!("{key}={value}")))
            .collect::<Option<Vec<_>>>()
            .map(|all| all.join(",")),
    }
}
