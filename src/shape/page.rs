//! Long lists in pages.
//!
//! A cursor is opaque to callers: base64url of a version, a digest of the query it belongs to, the place it stopped at
//! and digests of the last rows' keys. The next page starts after the last of those rows that is still there, wherever it
//! stands by then; if all are gone, at the place. Rows that come or go between two calls move nothing else.
//!
//! Keys are digested because a cursor travels through transcripts and a key may be a secret (an SNMP community).

use data_encoding::BASE64URL_NOPAD;
use ring::digest::{SHA256, digest};

use super::ShapeError;

/// Rows in a page unless asked otherwise.
pub const USUAL_ROWS: usize = 50;
/// Most rows in a page.
pub const MOST_ROWS: usize = 500;

/// In the upper half of the first byte; the lower half counts the keys, so that a cursor cut short is no cursor.
const VERSION: u8 = 0x20;
const DIGEST: usize = 8;
/// Bytes of a key's digest: two of 100,000 rows rarely share one, and then the nearer row is meant.
const KEY: usize = 4;
/// Rows a cursor remembers: so many of a page's last rows may go at once without moving the next page.
const TRACED: usize = 6;
/// version and count, query, place
const HEAD: usize = 1 + DIGEST + 4;

/// The asked number of rows, checked.
pub fn limit(asked: Option<u64>) -> Result<usize, ShapeError> {
    match asked {
        None => Ok(USUAL_ROWS),
        Some(rows) if (1..=MOST_ROWS as u64).contains(&rows) => Ok(rows as usize),
        Some(rows) => Err(ShapeError::Limit(rows)),
    }
}

/// What a list was asked for; cursors of one query are refused by another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Query([u8; DIGEST]);

impl Query {
    /// Of everything that chooses rows and their order: tool, device, menu, `where`. Not `limit`: a page may change size.
    pub fn of(parts: &[&str]) -> Query {
        // Lengths keep ["ab", "c"] apart from ["a", "bc"].
        let text: String = parts.iter().map(|part| format!("{}:{part}", part.len())).collect();
        Query(short(&text))
    }
}

fn short<const N: usize>(text: &str) -> [u8; N] {
    let full = digest(&SHA256, text.as_bytes());
    let mut short = [0; N];
    short.copy_from_slice(&full.as_ref()[..N]);
    short
}

/// Where a page stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    query: Query,
    place: u32,
    /// The last row's first.
    keys: Vec<[u8; KEY]>,
}

impl Cursor {
    /// After row number `place` (counted from 1); `shown` are the keys of the rows up to it, in their order.
    pub fn after(query: Query, place: usize, shown: &[impl AsRef<str>]) -> Cursor {
        let keys = shown.iter().rev().take(TRACED).map(|key| short(key.as_ref())).collect();
        Cursor { query, place: u32::try_from(place).unwrap_or(u32::MAX), keys }
    }

    /// The text callers pass back.
    pub fn encode(&self) -> String {
        let mut bytes = Vec::with_capacity(HEAD + KEY * TRACED);
        bytes.push(VERSION | self.keys.len() as u8);
        bytes.extend_from_slice(&self.query.0);
        bytes.extend_from_slice(&self.place.to_be_bytes());
        bytes.extend(self.keys.iter().flatten());
        BASE64URL_NOPAD.encode(&bytes)
    }

    /// Reads a cursor of this query.
    pub fn decode(text: &str, query: Query) -> Result<Cursor, ShapeError> {
        if text.len() > 2 * (HEAD + KEY * TRACED) {
            return Err(ShapeError::Cursor);
        }
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| ShapeError::Cursor)?;
        let (head, keys) = bytes.split_first_chunk::<HEAD>().ok_or(ShapeError::Cursor)?;
        let (keys, rest) = keys.as_chunks::<KEY>();
        let counted = VERSION | keys.len().min(TRACED) as u8;
        if keys.is_empty() || keys.len() > TRACED || head[0] != counted || !rest.is_empty() {
            return Err(ShapeError::Cursor);
        }
        let cursor = Cursor {
            query: Query(std::array::from_fn(|i| head[1 + i])),
            place: u32::from_be_bytes(std::array::from_fn(|i| head[1 + DIGEST + i])),
            keys: keys.to_vec(),
        };
        if cursor.query == query { Ok(cursor) } else { Err(ShapeError::ForeignCursor) }
    }

    /// The number it was made with.
    pub fn place(&self) -> u32 {
        self.place
    }

    /// The first row of the next page.
    fn resume<T>(&self, rows: &[T], key: &impl Fn(&T) -> String) -> usize {
        let place = (self.place as usize).min(rows.len());
        // Nothing moved, the usual case.
        if place > 0 && self.keys.first() == Some(&short(&key(&rows[place - 1]))) {
            return place;
        }
        let now: Vec<[u8; KEY]> = rows.iter().map(|row| short(&key(row))).collect();
        for (back, wanted) in self.keys.iter().enumerate() {
            // Keys may repeat: of rows with the key, the one nearest to where it was.
            let was = (self.place as usize).saturating_sub(back);
            let found = (0..now.len()).filter(|at| now[*at] == *wanted).min_by_key(|at| (at + 1).abs_diff(was));
            if let Some(at) = found {
                return at + 1;
            }
        }
        place
    }
}

/// One page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page<'a, T> {
    /// Its rows.
    pub rows: &'a [T],
    /// Number of rows before it.
    pub start: usize,
    /// Rows there are in all.
    pub total: usize,
    query: Query,
}

/// The page after `cursor`, or the first. `key` names a row, e.g. by its natural key.
pub fn page<'a, T>(
    rows: &'a [T],
    key: impl Fn(&T) -> String,
    query: Query,
    cursor: Option<&str>,
    limit: usize,
) -> Result<Page<'a, T>, ShapeError> {
    let start = match cursor {
        None => 0,
        Some(text) => Cursor::decode(text, query)?.resume(rows, &key),
    };
    let end = rows.len().min(start.saturating_add(limit));
    Ok(Page { rows: &rows[start..end], start, total: rows.len(), query })
}

impl<T> Page<'_, T> {
    /// What to pass back for the next page; nothing after the last.
    pub fn next_cursor(&self, key: impl Fn(&T) -> String) -> Option<String> {
        let end = self.start + self.rows.len();
        if self.rows.is_empty() || end >= self.total {
            return None;
        }
        let last = &self.rows[self.rows.len().saturating_sub(TRACED)..];
        Some(Cursor::after(self.query, end, &last.iter().map(key).collect::<Vec<_>>()).encode())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(row: &u32) -> String {
        row.to_string()
    }

    fn asked() -> Query {
        Query::of(&["menu.read", "r1", "/ip/address"])
    }

    #[test]
    fn limits_are_checked() {
        assert_eq!(limit(None), Ok(50));
        assert_eq!((limit(Some(1)), limit(Some(500))), (Ok(1), Ok(500)));
        assert_eq!((limit(Some(0)), limit(Some(501))), (Err(ShapeError::Limit(0)), Err(ShapeError::Limit(501))));
    }

    #[test]
    fn a_cursor_of_another_query_is_refused() {
        let rows: Vec<u32> = (0..10).collect();
        let next = page(&rows, key, asked(), None, 3).unwrap().next_cursor(key).unwrap();
        let other = Query::of(&["menu.read", "r1", "/ip/route"]);
        assert_eq!(page(&rows, key, other, Some(&next), 3).unwrap_err(), ShapeError::ForeignCursor);
        assert_ne!(Query::of(&["ab", "c"]), Query::of(&["a", "bc"]));
    }

    #[test]
    fn damaged_cursors_are_refused() {
        for text in ["", "x", "!!!!", "AAAA", &"A".repeat(28), &"A".repeat(100_000), "кот"] {
            assert_eq!(page(&[1u32], key, asked(), Some(text), 3).unwrap_err(), ShapeError::Cursor, "{text:.20}");
        }
    }

    #[test]
    fn a_page_resumes_after_its_row_when_others_come_and_go() {
        let rows: Vec<u32> = (0..10).collect();
        let next = page(&rows, key, asked(), None, 4).unwrap().next_cursor(key).unwrap();
        // New rows in front: the last row (3) moved down.
        let grown: Vec<u32> = (90..95).chain(0..10).collect();
        assert_eq!(page(&grown, key, asked(), Some(&next), 4).unwrap().rows, [4, 5, 6, 7]);
        // Rows in front are gone.
        let shrunk: Vec<u32> = (3..10).collect();
        assert_eq!(page(&shrunk, key, asked(), Some(&next), 4).unwrap().rows, [4, 5, 6, 7]);
        // The row itself is gone: go on after the one before it.
        let without: Vec<u32> = (0..10).filter(|row| *row != 3).collect();
        assert_eq!(page(&without, key, asked(), Some(&next), 2).unwrap().rows, [4, 5]);
        // It and its neighbours are gone, and others came in front: go on after the last that is left.
        let moved: Vec<u32> = (90..95).chain([0, 1]).chain(4..10).collect();
        assert_eq!(page(&moved, key, asked(), Some(&next), 2).unwrap().rows, [4, 5]);
        // All is gone.
        let empty = page(&[], key, asked(), Some(&next), 2).unwrap();
        assert!(empty.rows.is_empty() && empty.next_cursor(key).is_none());
    }

    proptest! {
        #[test]
        fn pages_cover_every_row_once(len in 0u32..300, limit in 1usize..60) {
            let rows: Vec<u32> = (0..len).collect();
            let (mut seen, mut cursor) = (Vec::new(), None);
            loop {
                let page = page(&rows, key, asked(), cursor.as_deref(), limit).unwrap();
                prop_assert!(page.rows.len() <= limit && page.total == rows.len());
                seen.extend_from_slice(page.rows);
                cursor = page.next_cursor(key);
                if cursor.is_none() { break }
            }
            prop_assert_eq!(seen, rows);
        }

        #[test]
        fn equal_keys_end_too(keys in proptest::collection::vec(0u32..3, 0..100), limit in 1usize..10) {
            let (mut seen, mut cursor) = (0, None);
            loop {
                let page = page(&keys, key, asked(), cursor.as_deref(), limit).unwrap();
                seen += page.rows.len();
                cursor = page.next_cursor(key);
                if cursor.is_none() { break }
            }
            prop_assert_eq!(seen, keys.len());
        }

        #[test]
        fn any_text_as_cursor_is_refused_or_read(text in ".*") {
            let _ = page(&[1u32, 2], key, asked(), Some(&text), 1);
        }
    }
}
