//! Changing the master key while everything goes on.
//!
//! 1. The new key is written beside the old (`master.key.next`), and on the disk.
//! 2. From then on everything is sealed under it, and both open.
//! 3. Every sealed value in the store is sealed anew, row by row; the canary last.
//! 4. The new key takes the old one's place. Where the configuration gives the key, `….next` stays until it gives the new one.
//!
//! A power cut anywhere leaves a store that one of the two keys opens, row by row: the next start goes on at 3. Sealed values
//! are as long as before, so a row keeps its shape and nothing here knows what is in it: a value is found by its mark, and
//! its tag proves that it is one.

use crate::base::ids::random;
use crate::store::engine::{Batch, Durability};
use crate::store::error::StoreError;
use crate::store::seal::{self, AROUND, CANARY_PLACE, MARK, Place, Seal};
use crate::store::{Store, record, sync_parent};
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::time::Instant;
use zeroize::Zeroizing;

/// A field whose values are sealed. Each part names its own.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Which derived key.
    pub purpose: &'static str,
    /// The table; its rows' keys are part of the place.
    pub table: &'static str,
    /// The field's name in its place.
    pub field: Name,
    /// What it is, for people: `passwords of routers`.
    pub about: &'static str,
    /// The row is of use without it.
    pub row_stays: bool,
}

/// How a field is called in its place.
#[derive(Debug, Clone, Copy)]
pub enum Name {
    /// Always so.
    Is(&'static str),
    /// As the row says, from its bytes; nothing when they are no such row.
    In(fn(&[u8]) -> Option<String>),
}

impl Name {
    fn of(self, row: &[u8]) -> Option<String> {
        match self {
            Name::Is(name) => Some(name.to_owned()),
            Name::In(find) => find(row),
        }
    }
}

const CANARY: Field = Field {
    purpose: CANARY_PLACE.purpose,
    table: CANARY_PLACE.table,
    field: Name::Is(CANARY_PLACE.field),
    about: "the mark of the master key",
    row_stays: false,
};

/// Rows looked at between two reads.
const PAGE: usize = 200;
/// Times a row is taken up that somebody else changes meanwhile.
const TRIES: usize = 20;

/// Whoever sealed under the old key just before the change commits within; the old key is not let go of earlier. Nothing waits
/// between sealing and committing, so this is for a machine that hangs.
const STRAGGLERS: Duration = Duration::from_secs(1);

/// Where the next master key lies while it is not the master key yet.
pub fn next_file(key_file: &Path) -> PathBuf {
    key_file.with_extension("key.next")
}

/// Seals everything anew under `new`, or a random key; answers how many values. Where `is_configured`, the key is not ours to
/// put in place.
///
/// Errs with `Damaged` when a value opens under neither key; what was sealed anew until then stays so, and both keys stay.
pub async fn rotate(
    store: &Store,
    seal: &Seal,
    fields: &[Field],
    key_file: &Path,
    new: Option<Zeroizing<[u8; 32]>>,
    is_configured: bool,
) -> Result<usize, StoreError> {
    let (next, new) = (next_file(key_file), new.unwrap_or_else(|| Zeroizing::new(random::<32>())));
    let turn = seal.turn();
    if turn.is_none() || next.exists() {
        let why = "an earlier change of the key is not over: wait for it, or restart the appliance, which ends it";
        return Err(StoreError::KeyFile { path: next, why });
    }
    seal::write_master(&next, &new).map_err(|e| StoreError::io("writing the new master key", e))?;
    if *seal::load_or_create_master(&next)? != *new {
        // Nothing is sealed under a key that is not on the disk.
        return Err(StoreError::KeyFile { path: next, why: "somebody else put another key there" });
    }
    seal.change(&new);
    let done = finish(store, seal, fields, key_file, is_configured).await;
    drop(turn);
    done
}

/// Takes up a change that was cut off, or whose new key the configuration does not give yet. `master` is the key that the
/// configuration or the key file gives. Answers the key to work under.
pub async fn resume(
    store: &Store,
    master: Zeroizing<[u8; 32]>,
    fields: &[Field],
    key_file: &Path,
    is_configured: bool,
) -> Result<Seal, StoreError> {
    let (next, seal) = (next_file(key_file), Seal::new(&master));
    if !next.exists() {
        return Ok(seal);
    }
    let new = seal::load_or_create_master(&next)?;
    if *new == *master {
        // The configuration gives the new one now.
        std::fs::remove_file(&next).and_then(|()| sync_parent(&next)).map_err(|e| StoreError::io("removing the spare master key", e))?;
        return Ok(seal);
    }
    seal.change(&new);
    let sealed = finish(store, &seal, fields, key_file, is_configured).await?;
    if sealed > 0 {
        tracing::warn!(sealed, "a change of the master key was cut off; it is done now");
    }
    if is_configured {
        tracing::error!(
            wanted = seal.key_id(),
            file = %next.display(),
            "encryption_key is still the old one: set it to what this file holds, or the next backup cannot be opened with it"
        );
    }
    Ok(seal)
}

async fn finish(store: &Store, seal: &Seal, fields: &[Field], key_file: &Path, is_configured: bool) -> Result<usize, StoreError> {
    let (mut sealed, begun) = (0, Instant::now());
    loop {
        let mut found = 0;
        for table in tables(fields) {
            found += table_anew(store, seal, fields, table).await?;
        }
        sealed += found;
        if found == 0 && begun.elapsed() >= STRAGGLERS {
            break;
        }
        if found == 0 {
            tokio::time::sleep(STRAGGLERS.saturating_sub(begun.elapsed())).await;
        }
    }
    sealed += table_anew(store, seal, &[CANARY], CANARY.table).await?;
    if !is_configured {
        let next = next_file(key_file);
        std::fs::rename(&next, key_file)
            .and_then(|()| sync_parent(key_file))
            .map_err(|e| StoreError::io("putting the new master key in place", e))?;
    }
    seal.forget_before();
    Ok(sealed)
}

fn tables(fields: &[Field]) -> Vec<&'static str> {
    let mut tables: Vec<&'static str> = fields.iter().map(|field| field.table).collect();
    tables.sort_unstable();
    tables.dedup();
    tables
}

/// One table; answers how many values were sealed anew.
async fn table_anew(store: &Store, seal: &Seal, fields: &[Field], table: &'static str) -> Result<usize, StoreError> {
    let (mut last, mut sealed): (Option<String>, usize) = (None, 0);
    loop {
        let rows = store.scan(table, last.as_deref().map_or(Bound::Unbounded, Bound::Excluded), PAGE)?;
        let Some((end, _)) = rows.last() else { return Ok(sealed) };
        last = Some(end.clone());
        for (key, bytes) in rows {
            sealed += row_anew(store, seal, fields, table, &key, bytes).await?;
        }
    }
}

async fn row_anew(
    store: &Store,
    seal: &Seal,
    fields: &[Field],
    table: &'static str,
    key: &str,
    mut bytes: Vec<u8>,
) -> Result<usize, StoreError> {
    for _ in 0..TRIES {
        let (anew, sealed) = anew(seal, fields, table, key, &bytes)?;
        if sealed == 0 {
            return Ok(0);
        }
        let batch = Batch::new().expect(table, key, Some(bytes)).put(table, key, anew);
        match store.commit(batch, Durability::Now).await {
            Err(StoreError::Expectation { .. }) => match store.get(table, key)? {
                Some(now) => bytes = now,
                None => return Ok(0),
            },
            done => return done.map(|()| sealed),
        }
    }
    Err(StoreError::damaged(format!("table {table}: a row never stood still")))
}

/// A row with every value that the key before sealed sealed anew, and how many there were.
fn anew(seal: &Seal, fields: &[Field], table: &'static str, key: &str, bytes: &[u8]) -> Result<(Vec<u8>, usize), StoreError> {
    let Some(mark) = seal.mark_before() else { return Ok((Vec::new(), 0)) };
    let (mut row, mut sealed, is_record) = (bytes.to_vec(), 0, record::is_whole(bytes));
    for at in places(bytes, &mark) {
        let found = lengths(bytes, at).find_map(|length| {
            let value = bytes.get(at..at + length)?;
            fields.iter().filter(|field| field.table == table).find_map(|field| {
                let name = field.field.of(bytes)?;
                let place = Place { purpose: field.purpose, table, key, field: &name };
                let plain = seal.open(place, value).ok()?;
                Some((length, seal.seal(place, &plain)))
            })
        });
        let Some((length, value)) = found else {
            return Err(StoreError::damaged(format!("table {table}: a sealed value does not open")));
        };
        if let Some(place) = row.get_mut(at..at + length) {
            place.copy_from_slice(&value);
        }
        sealed += 1;
    }
    if sealed > 0 && is_record {
        record::stamp(&mut row);
    }
    Ok((row, sealed))
}

/// Where the mark stands.
fn places(bytes: &[u8], mark: &[u8]) -> Vec<usize> {
    bytes.windows(mark.len()).enumerate().filter(|(_, window)| *window == mark).map(|(at, _)| at).collect()
}

/// How long a value may be that begins there: the whole row, or what postcard's length before it says (LEB128).
fn lengths(bytes: &[u8], at: usize) -> impl Iterator<Item = usize> {
    let whole = (at == 0).then_some(bytes.len());
    let said = (1..=4usize).filter_map(move |digits| {
        let digits = bytes.get(at.checked_sub(digits)?..at)?;
        let (last, more) = digits.split_last()?;
        let is_number = last & 0x80 == 0 && more.iter().all(|byte| byte & 0x80 != 0);
        is_number.then(|| digits.iter().rev().fold(0usize, |sum, byte| sum << 7 | usize::from(byte & 0x7f)))
    });
    whole.into_iter().chain(said).filter(move |length| *length >= AROUND && at + length <= bytes.len())
}

/// Removes what nobody can open any more: rows that are of no use without their sealed value, and the canary. Answers what
/// was lost, with its number; of rows that stay too.
pub async fn forget(store: &Store, fields: &[Field]) -> Result<Vec<(&'static str, usize)>, StoreError> {
    let Some(canary) = store.get(CANARY.table, CANARY_PLACE.key)? else { return Ok(Vec::new()) };
    let mark: Vec<u8> = canary.iter().take(MARK).copied().collect();
    let mut lost: Vec<(&'static str, usize)> = Vec::new();
    for table in tables(fields) {
        let here: Vec<&Field> = fields.iter().filter(|field| field.table == table).collect();
        let Some(about) = here.first().map(|field| field.about) else { continue };
        let (mut last, mut rows_lost): (Option<String>, usize) = (None, 0);
        loop {
            let rows = store.scan(table, last.as_deref().map_or(Bound::Unbounded, Bound::Excluded), PAGE)?;
            let Some((end, _)) = rows.last() else { break };
            last = Some(end.clone());
            for (key, bytes) in rows.iter().filter(|(_, bytes)| !places(bytes, &mark).is_empty()) {
                rows_lost += 1;
                if !here.iter().all(|field| field.row_stays) {
                    let batch = Batch::new().expect(table, key.as_str(), Some(bytes.clone())).delete(table, key.as_str());
                    store.commit(batch, Durability::Now).await?;
                }
            }
        }
        if rows_lost > 0 {
            lost.push((about, rows_lost));
        }
    }
    store.commit(Batch::new().delete(CANARY.table, CANARY_PLACE.key), Durability::Now).await?;
    Ok(lost)
}

#[cfg(test)]
#[path = "reseal_tests.rs"]
mod tests;
