//! Rows and their `.id`, and how they are written as JSON.

use std::collections::BTreeMap;

/// Raw byte `b` is kept in values as this plus `b`: RouterOS values may hold bytes that are no UTF-8, Rust strings may not.
const RAW_BYTES: u32 = 0x10_FE00;

/// A character that is written to the wire as the one byte `b`, unescaped: for values with latin-1 or raw control characters.
pub fn raw_byte(b: u8) -> char {
    char::from_u32(RAW_BYTES + u32::from(b)).expect("a plane 16 private use character")
}

/// Bytes as a value: what is no UTF-8 becomes [`raw_byte`]s.
pub fn from_bytes(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|b| raw_byte(*b)));
    }
    text
}

/// A value as bytes: the other way round.
pub fn to_bytes(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    for c in text.chars() {
        match (c as u32).checked_sub(RAW_BYTES).filter(|b| *b < 0x100) {
            Some(byte) => bytes.push(byte as u8),
            None => bytes.extend(c.encode_utf8(&mut [0; 4]).bytes()),
        }
    }
    bytes
}

/// One row, or the one object of a singleton.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Row {
    /// The number in `.id`; singletons have none.
    pub id: Option<u32>,
    values: BTreeMap<Box<str>, Box<str>>,
}

impl Row {
    /// An empty row.
    pub fn new(id: Option<u32>) -> Self {
        Row { id, values: BTreeMap::new() }
    }

    /// `.id` as on the wire: `*1A`.
    pub fn id_text(&self) -> Option<String> {
        self.id.map(show_id)
    }

    /// The value of an attribute; `.id` is not one.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(AsRef::as_ref)
    }

    /// Whether the attribute is there and `true`.
    pub fn is(&self, name: &str) -> bool {
        self.get(name) == Some("true")
    }

    /// Whether that is its `.id` (`*1A`), or its name.
    pub fn is_called(&self, which: &str) -> bool {
        match read_id(which) {
            Some(id) => self.id == Some(id),
            None => self.get("name") == Some(which),
        }
    }

    /// Writes an attribute.
    pub fn put(&mut self, name: &str, value: impl Into<Box<str>>) {
        self.values.insert(name.into(), value.into());
    }

    /// Writes an attribute and gives the row back.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Box<str>>) -> Self {
        self.put(name, value);
        self
    }

    /// Takes an attribute out.
    pub fn take(&mut self, name: &str) -> Option<Box<str>> {
        self.values.remove(name)
    }

    /// Keeps only attributes the test likes.
    pub fn retain(&mut self, mut test: impl FnMut(&str) -> bool) {
        self.values.retain(|name, _| test(name));
    }

    /// Attributes in alphabetical order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values.iter().map(|(k, v)| (k.as_ref(), v.as_ref()))
    }

    /// Appends the row as a JSON object, `.id` first, only names that `show` likes.
    pub fn write(&self, out: &mut Vec<u8>, show: impl Fn(&str) -> bool) {
        out.push(b'{');
        let mut first = true;
        let mut pair = |name: &str, value: &str| {
            if !std::mem::take(&mut first) {
                out.push(b',');
            }
            quote(out, name);
            out.push(b':');
            quote(out, value);
        };
        // `.about`, `.id` and `.section` all come before letters, so the map's order is the wire's.
        let (dots, rest): (Vec<_>, Vec<_>) = self.iter().partition(|(name, _)| name.starts_with('.'));
        let id = self.id_text();
        let mut dots: Vec<(&str, &str)> = dots.into_iter().chain(id.as_deref().map(|id| (".id", id))).collect();
        dots.sort_unstable();
        for (name, value) in dots.into_iter().chain(rest).filter(|(name, _)| show(name)) {
            pair(name, value);
        }
        out.push(b'}');
    }
}

/// `26` as `*1A`.
pub fn show_id(id: u32) -> String {
    format!("*{id:X}")
}

/// `*1A` as `26`.
pub fn read_id(text: &str) -> Option<u32> {
    u32::from_str_radix(text.strip_prefix('*')?, 16).ok()
}

/// Appends a JSON string.
pub fn quote(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    for c in text.chars() {
        match c {
            '"' => out.extend(b"\\\""),
            '\\' => out.extend(b"\\\\"),
            '\n' => out.extend(b"\\n"),
            '\r' => out.extend(b"\\r"),
            '\t' => out.extend(b"\\t"),
            c if (c as u32) < 0x20 => out.extend(format!("\\u{:04x}", c as u32).bytes()),
            c if (c as u32).wrapping_sub(RAW_BYTES) < 0x100 => out.push((c as u32 - RAW_BYTES) as u8),
            c => out.extend(c.encode_utf8(&mut [0; 4]).bytes()),
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_in_alphabetical_order_with_the_id_first() {
        let row = Row::new(Some(26)).with("name", "x").with(".nextid", "*1B").with("address", "\"\n");
        let mut out = Vec::new();
        row.write(&mut out, |_| true);
        assert_eq!(String::from_utf8(out).unwrap(), r#"{".id":"*1A",".nextid":"*1B","address":"\"\n","name":"x"}"#);
    }

    #[test]
    fn raw_bytes_reach_the_wire_as_they_are() {
        let mut out = Vec::new();
        quote(&mut out, &format!("a{}b{}", raw_byte(0xff), raw_byte(0x01)));
        assert_eq!(out, b"\"a\xffb\x01\"");
    }

    #[test]
    fn star_zero_is_an_id() {
        assert_eq!((read_id("*0"), read_id("*2018B020"), read_id("ether1")), (Some(0), Some(0x2018_B020), None));
        assert_eq!(show_id(0), "*0");
    }
}
