//! Rows as the router sends them: names and texts, in wire order.
//!
//! An answer of 10,000 rows is kept in a few MB: names are shared by all rows of an answer, and a row's values
//! are one piece of text. Bytes are repaired only when strict parsing fails: raw control characters are escaped,
//! broken UTF-8 becomes U+FFFD, lone surrogates and unknown escapes are kept as the text they are.

use crate::routeros::fault::RouterError;
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use std::{collections::HashMap, fmt, fmt::Write, sync::Arc};

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

/// The failure that some commands report inside a 200: the last row's `status` of `ERROR: …`, without that word.
pub fn late_failure(rows: &[Row]) -> Option<&str> {
    rows.last()?.get("status")?.strip_prefix("ERROR:").map(str::trim)
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
/// [`RouterError::Garbage`] when it is no JSON even after repair, nested too deep, or not made of objects.
pub fn rows(bytes: impl AsRef<[u8]>) -> Result<Vec<Row>, RouterError> {
    let bytes = bytes.as_ref();
    if bytes.trim_ascii().is_empty() {
        return Ok(Vec::new());
    }
    match parse(bytes) {
        Ok(rows) => Ok(rows),
        Err(first) => parse(repair(bytes).as_bytes()).map_err(|_| garbage(&first)),
    }
}

fn parse(bytes: &[u8]) -> Result<Vec<Row>, serde_json::Error> {
    let mut sink = Sink::default();
    let mut from = serde_json::Deserializer::from_slice(bytes);
    from.deserialize_any(Answer(&mut sink))?;
    from.end()?;
    Ok(sink.finish())
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

/// Makes JSON of what RouterOS sends when comments hold control characters or another character set.
fn repair(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut out = String::with_capacity(text.len() + 64);
    let mut rest = text.as_ref();
    let mut inside = false;
    while let Some(c) = rest.chars().next() {
        let mut taken = c.len_utf8();
        match c {
            '"' => {
                inside = !inside;
                out.push(c);
            }
            '\\' if inside => match escape_len(rest.as_bytes()) {
                Some(length) => {
                    out.push_str(&rest[..length]);
                    taken = length;
                }
                None => out.push_str("\\\\"),
            },
            c if inside && c < ' ' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
        rest = &rest[taken..];
    }
    out
}

/// Length of the valid JSON escape that starts here; a surrogate counts only with its other half.
fn escape_len(at: &[u8]) -> Option<usize> {
    match at.get(1)? {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(2),
        b'u' => match hex4(at)? {
            0xd800..=0xdbff => matches!(hex4(at.get(6..)?)?, 0xdc00..=0xdfff).then_some(12),
            0xdc00..=0xdfff => None,
            _ => Some(6),
        },
        _ => None,
    }
}

fn hex4(at: &[u8]) -> Option<u32> {
    if !at.starts_with(b"\\u") {
        return None;
    }
    at.get(2..6)?.iter().try_fold(0, |sum, b| Some(sum << 4 | char::from(*b).to_digit(16)?))
}

/// Collects rows while their names repeat.
#[derive(Default)]
struct Sink {
    names: Vec<Box<str>>,
    index: HashMap<Box<str>, u16>,
    /// For each name the row that used it last, counted from 1: tells a repeated key.
    used: Vec<u32>,
    /// The names of the row before: rows mostly have the same names in the same order.
    before: Vec<u16>,
    cells: Vec<Cell>,
    text: String,
    rows: Vec<(Box<[Cell]>, Box<str>)>,
    count: u32,
}

impl Sink {
    fn name(&mut self, name: &str) -> Result<u16, &'static str> {
        if let Some(&guess) = self.before.get(self.cells.len())
            && *self.names[usize::from(guess)] == *name
        {
            return Ok(guess);
        }
        if let Some(&known) = self.index.get(name) {
            return Ok(known);
        }
        let new = u16::try_from(self.names.len()).map_err(|_| "fewer than 65536 different names")?;
        self.names.push(name.into());
        self.index.insert(name.into(), new);
        self.used.push(0);
        Ok(new)
    }

    /// Ends a value that began at `start` of the row's text.
    fn cell(&mut self, name: u16, start: usize) {
        // Bodies are bounded far below 4 GB, so positions fit; a value beyond would be cut to nothing.
        let place = |at: usize| u32::try_from(at).unwrap_or(0);
        let cell = Cell { name, start: place(start), end: place(self.text.len()) };
        let row = self.count + 1;
        if std::mem::replace(&mut self.used[usize::from(name)], row) == row
            && let Some(twin) = self.cells.iter_mut().find(|twin| twin.name == name)
        {
            *twin = cell;
            return;
        }
        self.cells.push(cell);
    }

    fn end_row(&mut self) {
        self.count += 1;
        self.before.clear();
        self.before.extend(self.cells.iter().map(|cell| cell.name));
        self.rows.push((self.cells.as_slice().into(), self.text.as_str().into()));
        self.cells.clear();
        self.text.clear();
    }

    fn finish(self) -> Vec<Row> {
        let names: Arc<[Box<str>]> = self.names.into();
        self.rows.into_iter().map(|(cells, text)| Row { names: names.clone(), cells, text }).collect()
    }
}

/// The whole answer.
struct Answer<'a>(&'a mut Sink);

impl<'de> Visitor<'de> for Answer<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(OneRow(self.0))?.is_some() {
            if self.0.rows.last().is_some_and(|(cells, _)| cells.is_empty()) {
                self.0.rows.pop();
            }
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        OneRow(self.0).visit_map(map)
    }
}

/// One object.
struct OneRow<'a>(&'a mut Sink);

impl<'de> DeserializeSeed<'de> for OneRow<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for OneRow<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key_seed(Name(self.0))? {
            let start = self.0.text.len();
            map.next_value_seed(Text(&mut self.0.text))?;
            self.0.cell(name, start);
        }
        self.0.end_row();
        Ok(())
    }
}

/// A key, as its number.
struct Name<'a>(&'a mut Sink);

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = u16;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<u16, D::Error> {
        from.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = u16;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<u16, E> {
        self.0.name(name).map_err(E::custom)
    }
}

/// A value, added to the row's text. RouterOS sends strings; whatever else comes is kept as its JSON text.
struct Text<'a>(&'a mut String);

impl Text<'_> {
    fn json<E: de::Error>(self, value: &serde_json::Value) -> Result<(), E> {
        write!(self.0, "{value}").map_err(E::custom)
    }
}

impl<'de> DeserializeSeed<'de> for Text<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Text<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<(), E> {
        self.0.push_str(text);
        Ok(())
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<(), E> {
        self.json(&value.into())
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<(), E> {
        self.json(&value.into())
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<(), E> {
        self.json(&value.into())
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<(), E> {
        self.json(&value.into())
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<(), A::Error> {
        let value = de::Deserialize::deserialize(de::value::SeqAccessDeserializer::new(seq))?;
        self.json(&value)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        let value = de::Deserialize::deserialize(de::value::MapAccessDeserializer::new(map))?;
        self.json(&value)
    }
}

#[cfg(test)]
mod tests;
