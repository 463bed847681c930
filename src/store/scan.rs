//! Scans over what is stored and what waits in memory, as one.

use crate::store::engine::{Changes, Rows};
use crate::store::error::StoreError;
use crate::store::writer::Shared;
use std::ops::Bound;
use std::sync::PoisonError;

impl Shared {
    /// At most `limit` rows from a key on, in key order.
    pub(crate) fn scan(&self, table: &'static str, from: Bound<&str>, limit: usize) -> Result<Rows, StoreError> {
        let waiting = self.waiting.read().unwrap_or_else(PoisonError::into_inner);
        let ours = in_front(&waiting, table, from);
        // Each waiting change hides at most one stored row.
        let stored = self.engine.scan(table, from, limit.saturating_add(ours.len()))?;
        Ok(merge(stored, ours, limit))
    }
}

type Front<'a> = Vec<(&'a str, Option<&'a Vec<u8>>)>;

fn in_front<'a>(waiting: &'a Changes, table: &'static str, from: Bound<&str>) -> Front<'a> {
    let start = match from {
        Bound::Included(key) => Bound::Included((table, key.to_owned())),
        Bound::Excluded(key) => Bound::Excluded((table, key.to_owned())),
        Bound::Unbounded => Bound::Included((table, String::new())),
    };
    let rows = waiting.range((start, Bound::Unbounded)).take_while(|((t, _), _)| *t == table);
    rows.map(|((_, key), value)| (key.as_str(), value.as_ref())).collect()
}

fn merge(stored: Rows, ours: Front<'_>, limit: usize) -> Rows {
    if ours.is_empty() {
        return stored;
    }
    let mut rows = Vec::new();
    let mut ours = ours.into_iter().peekable();
    for (key, value) in stored {
        while let Some((k, v)) = ours.next_if(|(k, _)| *k < key.as_str()) {
            rows.extend(v.map(|v| (k.to_owned(), v.clone())));
        }
        match ours.next_if(|(k, _)| *k == key) {
            Some((_, over)) => rows.extend(over.map(|v| (key, v.clone()))),
            None => rows.push((key, value)),
        }
    }
    rows.extend(ours.filter_map(|(k, v)| v.map(|v| (k.to_owned(), v.clone()))));
    rows.truncate(limit);
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_hides_what_is_stored() {
        let row = |k: &str, v: u8| (k.to_owned(), vec![v]);
        let (new, newer) = (vec![9], vec![8]);
        let ours = vec![("a", Some(&new)), ("c", None), ("d", Some(&newer)), ("z", Some(&new))];
        let rows = merge(vec![row("b", 1), row("c", 1), row("d", 1)], ours, 10);
        assert_eq!(rows, [row("a", 9), row("b", 1), row("d", 8), row("z", 9)]);
    }
}
