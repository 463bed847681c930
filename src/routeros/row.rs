//! Rows as the router sends them: names and texts, in wire order.
//!
//! An answer of 10,000 rows is kept in a few MB: names are shared by all rows of an answer, and a row's values
//! are one piece of text. Bytes are repaired only when strict parsing fails: raw control characters are escaped,
//! broken UTF-8 becomes U+FFFD, lone surrogates and unknown escapes are kept as the text they are.

mod parse;
mod repair;

use crate::routeros::fault::RouterError;
#[cfg(any(test, feature = "fuzz"))]
pub(crate) use parse::is_name;
use parse::{Lists, Sink, TOO_MUCH, parse};
use repair::repair;
use serde::ser::{Serialize, SerializeMap, Serializer};
use std::{fmt, sync::Arc};

/// One row. `Debug` shows names only, because values can be secrets.
///
/// ```json
/// {".id":"*1","address":"192.0.2.1/24","disabled":"false","interface":"ether1"}
/// ```
#[derive(Clone)]
pub struct Row {
    names: Arc<[Box<str>]>,
    cells: Box<[Cell]>,
    text: Box<str>,
}

/// A value: which name, and where in the row's text.
#[derive(Debug, Clone, Copy)]
struct Cell {
    name: u16,
    start: u32,
    end: u32,
}

impl Row {
    /// A row made by hand; a name given twice keeps its last value.
    pub fn from_pairs<N: AsRef<str>, V: AsRef<str>>(pairs: impl IntoIterator<Item = (N, V)>) -> Self {
        let mut sink = Sink::default();
        for (name, value) in pairs {
            if let Ok(name) = sink.name(name.as_ref()) {
                let start = sink.text.len();
                sink.text.push_str(value.as_ref());
                sink.cell(name, start);
            }
        }
        sink.end_row();
        sink.finish().pop().unwrap_or_else(|| Row { names: Arc::new([]), cells: Box::new([]), text: "".into() })
    }

    /// The value, if the row has that attribute; an empty value is a value.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.cells.iter().find(|cell| self.name_of(cell) == name).map(|cell| self.value_of(cell))
    }

    /// `.id`, e.g. `*1A`. Good for this answer only, never an identity.
    pub fn id(&self) -> Option<&str> {
        self.get(".id")
    }

    /// Name and value in wire order, with [meta](is_meta) attributes.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.cells.iter().map(|cell| (self.name_of(cell), self.value_of(cell)))
    }

    /// As [`iter`](Self::iter), without `.id`, `.nextid`, `.about`, `.section` and their like.
    pub fn attributes(&self) -> impl Iterator<Item = (&str, &str)> {
        self.iter().filter(|(name, _)| !is_meta(name))
    }

    /// How many values it has.
    pub fn len(&self) -> usize {
        self.cells.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// Takes an attribute out of this row.
    pub fn remove(&mut self, name: &str) -> Option<String> {
        let value = self.get(name)?.to_owned();
        self.retain(|other, _| other != name);
        Some(value)
    }

    /// Keeps the attributes for which `keep(name, value)` holds.
    pub fn retain(&mut self, mut keep: impl FnMut(&str, &str) -> bool) {
        self.cells = self.cells.iter().copied().filter(|cell| keep(self.name_of(cell), self.value_of(cell))).collect();
    }

    /// Bytes this row holds, without the names it shares.
    pub fn weight(&self) -> usize {
        size_of::<Row>() + size_of_val::<[Cell]>(&self.cells) + self.text.len()
    }

    fn name_of(&self, cell: &Cell) -> &str {
        &self.names[usize::from(cell.name)]
    }

    fn value_of(&self, cell: &Cell) -> &str {
        &self.text[cell.start as usize..cell.end as usize]
    }
}

/// Whether the attribute tells about the row rather than being part of it: `.id`, `.nextid`, `.about`, `.section`.
pub fn is_meta(name: &str) -> bool {
    name.starts_with('.')
}

impl PartialEq for Row {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().eq(other.iter())
    }
}

impl Eq for Row {}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(|(name, _)| name)).finish()
    }
}

impl Serialize for Row {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(Some(self.len()))?;
        for (name, value) in self.iter() {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// The rows of an answer: an array of objects, or one object (a singleton, or `{"ret":…}`). No bytes are no rows,
/// and empty objects in an array are left out.
///
/// # Errors
/// [`RouterError::Garbage`] when it is no JSON even after repair, nested too deep, not made of objects, or of too many.
pub fn rows(bytes: impl AsRef<[u8]>) -> Result<Vec<Row>, RouterError> {
    read(bytes.as_ref(), Lists::Json)
}

/// As [`rows`], of the console's `:serialize`: there a list is an array, which REST writes with commas.
///
/// # Errors
/// As [`rows`].
pub fn console_rows(bytes: &[u8]) -> Result<Vec<Row>, RouterError> {
    read(bytes, Lists::Commas)
}

fn read(bytes: &[u8], lists: Lists) -> Result<Vec<Row>, RouterError> {
    if bytes.trim_ascii().is_empty() {
        return Ok(Vec::new());
    }
    match parse(bytes, lists) {
        Ok(rows) => Ok(rows),
        Err(error) if error.to_string().starts_with(TOO_MUCH) => Err(RouterError::Garbage { why: TOO_MUCH.into() }),
        Err(first) => parse(repair(bytes).as_bytes(), lists).map_err(|_| garbage(&first)),
    }
}

/// The place and sort of a parse error. The library's own words can repeat what the router sent.
fn garbage(error: &serde_json::Error) -> RouterError {
    let sort = match error.classify() {
        serde_json::error::Category::Eof => "the JSON stops early",
        serde_json::error::Category::Data => "the JSON is not made of rows",
        _ => "not JSON",
    };
    RouterError::Garbage { why: format!("{sort}, at line {} column {}", error.line(), error.column()) }
}

#[cfg(test)]
mod tests;
