//! JSON straight into rows, without a tree between.

use super::{Cell, Row};
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use std::{collections::HashMap, fmt, fmt::Write, sync::Arc};

/// What the rows of one answer may hold together, bytes: tiny rows take many times the room of their JSON, and a router in other
/// hands may send millions. The largest answer of leases holds two thirds of it.
const MOST_WEIGHT: usize = 32 << 20;
/// What a row takes beside its cells and its text: its own fields, and what two allocations cost.
const ROW_WEIGHT: usize = size_of::<Row>() + 32;
/// Most attributes of one row; the widest menus have about a hundred.
const MOST_CELLS: usize = 4_096;
/// How the error of an answer beyond that begins.
pub(super) const TOO_MUCH: &str = "more than we have room for";

/// Whether an attribute may be called so: `basic-rates-a/g`, and with a blank at its end `ft-preserve-vlanid `, but no sentence.
pub(crate) fn is_name(name: &str) -> bool {
    let fits = |b: u8| (b.is_ascii_graphic() && !matches!(b, b'<' | b'>' | b'{' | b'}' | b'"' | b'`')) || b == b' ';
    (1..=64).contains(&name.len()) && name.bytes().all(fits) && name.bytes().filter(|b| *b == b' ').count() < 2
}

/// Strictly: no repair.
pub(super) fn parse(bytes: &[u8], lists: Lists) -> Result<Vec<Row>, serde_json::Error> {
    let mut sink = Sink { lists, ..Sink::default() };
    let mut from = serde_json::Deserializer::from_slice(bytes);
    from.deserialize_any(Answer(&mut sink))?;
    from.end()?;
    Ok(sink.finish())
}

/// What becomes of a list among the values; REST has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Lists {
    /// Kept as its JSON text.
    #[default]
    Json,
    /// Written as REST would: `system,info`.
    Commas,
}

/// Collects rows while their names repeat.
#[derive(Default)]
pub(super) struct Sink {
    lists: Lists,
    names: Vec<Box<str>>,
    index: HashMap<Box<str>, u16>,
    /// For each name the row that used it last, counted from 1, and the place of its cell there: tells a repeated key.
    used: Vec<(u32, usize)>,
    /// The names of the row before: rows mostly have the same names in the same order.
    before: Vec<u16>,
    cells: Vec<Cell>,
    pub(super) text: String,
    rows: Vec<(Box<[Cell]>, Box<str>)>,
    count: u32,
    weight: usize,
}

impl Sink {
    pub(super) fn name(&mut self, name: &str) -> Result<u16, &'static str> {
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
        self.used.push((0, 0));
        Ok(new)
    }

    /// Ends a value that began at `start` of the row's text.
    pub(super) fn cell(&mut self, name: u16, start: usize) {
        // Bodies are bounded far below 4 GB, so positions fit; a value beyond would be cut to nothing.
        let place = |at: usize| u32::try_from(at).unwrap_or(0);
        let cell = Cell { name, start: place(start), end: place(self.text.len()) };
        let row = self.count + 1;
        let used = &mut self.used[usize::from(name)];
        if used.0 == row
            && let Some(twin) = self.cells.get_mut(used.1)
        {
            *twin = cell;
            return;
        }
        *used = (row, self.cells.len());
        self.cells.push(cell);
    }

    pub(super) fn end_row(&mut self) {
        self.count += 1;
        self.weight += ROW_WEIGHT + size_of_val::<[Cell]>(&self.cells) + self.text.len();
        self.before.clear();
        self.before.extend(self.cells.iter().map(|cell| cell.name));
        self.rows.push((self.cells.as_slice().into(), self.text.as_str().into()));
        self.cells.clear();
        self.text.clear();
    }

    pub(super) fn finish(self) -> Vec<Row> {
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
            // No attribute is called so: words for whoever reads column heads.
            let Some(name) = name else {
                map.next_value::<de::IgnoredAny>()?;
                continue;
            };
            let start = self.0.text.len();
            let lists = self.0.lists;
            map.next_value_seed(Text(&mut self.0.text, lists))?;
            self.0.cell(name, start);
            if self.0.cells.len() > MOST_CELLS {
                return Err(de::Error::custom(TOO_MUCH));
            }
        }
        self.0.end_row();
        if self.0.weight > MOST_WEIGHT { Err(de::Error::custom(TOO_MUCH)) } else { Ok(()) }
    }
}

/// A key, as its number; none for what is no name of an attribute.
struct Name<'a>(&'a mut Sink);

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = Option<u16>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Option<u16>, D::Error> {
        from.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = Option<u16>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Option<u16>, E> {
        if is_name(name) { self.0.name(name).map(Some).map_err(E::custom) } else { Ok(None) }
    }
}

/// A value, added to the row's text. RouterOS sends strings; whatever else comes is kept as its JSON text.
struct Text<'a>(&'a mut String, Lists);

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

    /// Not as empty text, which is a flag that is set.
    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        self.json(&serde_json::Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<(), A::Error> {
        let value: serde_json::Value = de::Deserialize::deserialize(de::value::SeqAccessDeserializer::new(seq))?;
        match &value {
            serde_json::Value::Array(items) if self.1 == Lists::Commas => {
                for (n, item) in items.iter().enumerate() {
                    let comma = if n > 0 { "," } else { "" };
                    match item.as_str() {
                        Some(text) => write!(self.0, "{comma}{text}"),
                        None => write!(self.0, "{comma}{item}"),
                    }
                    .map_err(de::Error::custom)?;
                }
                Ok(())
            }
            other => self.json(other),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        let value = de::Deserialize::deserialize(de::value::MapAccessDeserializer::new(map))?;
        self.json(&value)
    }
}
