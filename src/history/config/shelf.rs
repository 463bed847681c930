//! Where snapshots are kept: adding, reading, the baseline, and what falls off the end.

use crate::base::clock::Wall;
use crate::base::ids::DeviceId;
use crate::history::config::diff::diff;
use crate::history::config::pieces::{self, Id};
use crate::history::config::record::{Head, Piece, Reason, Snapshot};
use crate::routeros::export::{self, Export};
use crate::store::{self, Batch, Durability, Record, Store, StoreError, Table};
use std::collections::{BTreeSet, HashSet};
use std::ops::Bound;

/// How often a change that another one overtook is tried again.
const TRIES: u32 = 50;

/// Menus named as changed in one record.
const MOST_NAMED: usize = 12;

/// A configuration that was seen again moves `seen_at` only after so long: flash wears out.
const SEEN_AGAIN_MS: i64 = 10 * 60 * 1_000;

/// Rows deleted in one batch when a device is forgotten.
const SWEEP: usize = 500;

/// An export to keep.
#[derive(Debug, Clone)]
pub struct Taken {
    /// As [`super::normal`] leaves it.
    pub export: Export,
    /// RouterOS version of the export's head.
    pub version: Option<String>,
    /// When the router said so.
    pub at: Wall,
    /// Why it was taken.
    pub reason: Reason,
}

/// What became of an export.
#[derive(Debug, Clone)]
pub struct Kept {
    /// The snapshot that holds it.
    pub snapshot: Snapshot,
    /// Whether it was not there before.
    pub is_new: bool,
}

/// All devices' snapshots.
#[derive(Debug, Clone)]
pub struct Shelf {
    store: Store,
    keep: usize,
}

impl Shelf {
    /// Over the store; `keep` snapshots of each device stay, and its baseline.
    pub fn new(store: Store, keep: usize) -> Self {
        Shelf { store, keep: keep.max(1) }
    }

    /// Takes a configuration in. One that equals the newest is only noted as seen again; the first becomes the baseline.
    pub async fn put(&self, device: &DeviceId, taken: Taken) -> Result<Kept, StoreError> {
        // Whether the end was seen is told by the record: the text is the same with or without.
        let text = export::write(&Export { ended: false, ..taken.export.clone() });
        let cut = pieces::cut(text.as_bytes());
        let ids: Vec<Id> = cut.iter().map(|piece| pieces::id(piece)).collect();
        self.change(device, |head, mut all| {
            let latest = all.last().cloned();
            if let Some(same) = latest.as_ref().filter(|latest| latest.pieces == ids) {
                return Ok(seen_again(device, same, &taken));
            }
            let changed = latest.as_ref().map(|latest| self.changed(device, latest, &taken.export)).transpose()?;
            let rows: Vec<&str> = taken.export.rows().map(|(menu, _)| menu).collect();
            head.last += 1;
            let snapshot = Snapshot {
                number: head.last,
                taken_at: taken.at,
                seen_at: taken.at,
                reason: taken.reason,
                version: taken.version.clone(),
                menus: rows.iter().collect::<BTreeSet<_>>().len() as u32,
                rows: rows.len() as u32,
                bytes: text.len() as u64,
                ended: taken.export.ended,
                gaps: taken.export.gaps.clone(),
                unread: taken.export.unread().count() as u32,
                changed,
                pieces: ids.clone(),
            };
            head.baseline = head.baseline.or(Some(snapshot.number));
            let known: HashSet<Id> = all.iter().flat_map(|old| old.pieces.iter().copied()).collect();
            let fresh = cut.iter().zip(&ids).filter(|(_, id)| !known.contains(*id));
            let batch = fresh.fold(Batch::new(), |batch, (piece, id)| {
                batch.put(Piece::TABLE, piece_key(device, id), store::encode(&Piece { deflated: pieces::squeeze(piece) }))
            });
            let batch = batch.put(Snapshot::TABLE, key(device, snapshot.number), store::encode(&snapshot));
            all.push(snapshot.clone());
            Ok((Some(batch.and(self.surplus(device, head, &all))), Kept { snapshot, is_new: true }))
        })
        .await
    }

    /// A device's snapshots, oldest first.
    pub fn list(&self, device: &DeviceId) -> Result<Vec<Snapshot>, StoreError> {
        let prefix = format!("{device}/");
        let mut all = Vec::new();
        let mut from = prefix.clone();
        loop {
            let page = self.store.scan(Snapshot::TABLE, Bound::Excluded(from.as_str()), SWEEP)?;
            let full = page.len() == SWEEP;
            for (key, bytes) in page {
                if !key.starts_with(&prefix) {
                    return Ok(all);
                }
                all.push(store::decode(&bytes)?);
                from = key;
            }
            if !full {
                return Ok(all);
            }
        }
    }

    /// One snapshot by its number.
    pub fn get(&self, device: &DeviceId, number: u32) -> Result<Option<Snapshot>, StoreError> {
        Table::<Snapshot>::new(self.store.clone()).get(&key(device, number))
    }

    /// The newest snapshot.
    pub fn latest(&self, device: &DeviceId) -> Result<Option<Snapshot>, StoreError> {
        match self.head(device)?.last {
            0 => Ok(None),
            number => self.get(device, number),
        }
    }

    /// The snapshot that others are compared with.
    pub fn baseline(&self, device: &DeviceId) -> Result<Option<Snapshot>, StoreError> {
        self.head(device)?.baseline.map_or(Ok(None), |number| self.get(device, number))
    }

    /// Makes a snapshot the baseline; `false` when there is none of that number.
    pub async fn set_baseline(&self, device: &DeviceId, number: u32) -> Result<bool, StoreError> {
        self.change(device, |head, all| {
            if !all.iter().any(|snapshot| snapshot.number == number) {
                return Ok((None, false));
            }
            head.baseline = Some(number);
            // The one before may have stayed for being the baseline alone.
            Ok((Some(self.surplus(device, head, &all)), true))
        })
        .await
    }

    /// What a snapshot holds.
    pub fn read(&self, device: &DeviceId, snapshot: &Snapshot) -> Result<Export, StoreError> {
        Ok(Export { ended: snapshot.ended, ..export::parse(&self.text(device, snapshot)?) })
    }

    /// The same as text.
    pub fn text(&self, device: &DeviceId, snapshot: &Snapshot) -> Result<String, StoreError> {
        let damaged = || StoreError::Damaged { what: format!("snapshot {} of {device}: a piece is missing or damaged", snapshot.number) };
        let mut text = Vec::with_capacity(snapshot.bytes as usize);
        for id in &snapshot.pieces {
            let bytes = self.store.get(Piece::TABLE, &piece_key(device, id))?.ok_or_else(damaged)?;
            let piece: Piece = store::decode(&bytes)?;
            text.extend(pieces::expand(&piece.deflated, id).ok_or_else(damaged)?);
        }
        String::from_utf8(text).map_err(|_| damaged())
    }

    /// Forgets a device's history.
    pub async fn forget(&self, device: &DeviceId) -> Result<(), StoreError> {
        // The head and the records first: pieces alone are garbage, records without pieces would be damage.
        self.sweep(Head::TABLE, device.to_string()).await?;
        self.sweep(Snapshot::TABLE, format!("{device}/")).await?;
        self.sweep(Piece::TABLE, format!("{device}/")).await
    }

    async fn sweep(&self, table: &'static str, prefix: String) -> Result<(), StoreError> {
        loop {
            let rows = self.store.scan(table, Bound::Included(prefix.as_str()), SWEEP)?;
            let old: Vec<String> = rows.into_iter().map(|(key, _)| key).take_while(|key| key.starts_with(&prefix)).collect();
            if old.is_empty() {
                return Ok(());
            }
            let batch = old.iter().fold(Batch::new(), |batch, key| batch.delete(table, key));
            self.store.commit(batch, Durability::Now).await?;
        }
    }

    fn head(&self, device: &DeviceId) -> Result<Head, StoreError> {
        Ok(Table::<Head>::new(self.store.clone()).get(device.as_str())?.unwrap_or_default())
    }

    /// Changes a device's history. Two changes at once do not mix: the later one finds another head than it looked at, and
    /// starts over from what is there now.
    async fn change<T>(
        &self,
        device: &DeviceId,
        make: impl Fn(&mut Head, Vec<Snapshot>) -> Result<(Option<Batch>, T), StoreError>,
    ) -> Result<T, StoreError> {
        let mut tries = 0;
        loop {
            tries += 1;
            let before = self.store.get(Head::TABLE, device.as_str())?;
            let mut head: Head = before.as_deref().map(store::decode).transpose()?.unwrap_or_default();
            let (batch, done) = make(&mut head, self.list(device)?)?;
            let Some(batch) = batch else { return Ok(done) };
            head.writes += 1;
            let batch = batch.expect(Head::TABLE, device.as_str(), before).put(Head::TABLE, device.as_str(), store::encode(&head));
            match self.store.commit(batch, Durability::Now).await {
                Err(StoreError::Expectation { .. }) if tries < TRIES => {}
                other => return other.map(|()| done),
            }
        }
    }

    /// Removes what is more than `keep`, oldest first and never the baseline, with the pieces nothing else is made of.
    fn surplus(&self, device: &DeviceId, head: &Head, all: &[Snapshot]) -> Batch {
        let newest = all.len().saturating_sub(self.keep);
        let is_kept = |(at, snapshot): &(usize, &Snapshot)| *at >= newest || head.baseline == Some(snapshot.number);
        let (kept, gone): (Vec<_>, Vec<_>) = all.iter().enumerate().partition(is_kept);
        let used: HashSet<&Id> = kept.iter().flat_map(|(_, snapshot)| &snapshot.pieces).collect();
        gone.iter().fold(Batch::new(), |batch, (_, snapshot)| {
            let unused = snapshot.pieces.iter().filter(|id| !used.contains(*id));
            unused.fold(batch.delete(Snapshot::TABLE, key(device, snapshot.number)), |batch, id| {
                batch.delete(Piece::TABLE, piece_key(device, id))
            })
        })
    }

    /// Menus that differ from a snapshot.
    fn changed(&self, device: &DeviceId, before: &Snapshot, now: &Export) -> Result<Vec<String>, StoreError> {
        let difference = diff(&self.read(device, before)?, now);
        Ok(difference.menus.into_iter().map(|menu| menu.menu).take(MOST_NAMED).collect())
    }
}

/// The newest configuration once more: nothing to write, unless its end was seen only now or the last note of it is old.
fn seen_again(device: &DeviceId, same: &Snapshot, taken: &Taken) -> (Option<Batch>, Kept) {
    let again = Snapshot { seen_at: taken.at.max(same.seen_at), ended: same.ended || taken.export.ended, ..same.clone() };
    let is_news = again.ended != same.ended || again.seen_at.0 - same.seen_at.0 >= SEEN_AGAIN_MS;
    let batch = is_news.then(|| Batch::new().put(Snapshot::TABLE, key(device, again.number), store::encode(&again)));
    (batch, Kept { snapshot: again, is_new: false })
}

/// Ten digits sort as numbers.
fn key(device: &DeviceId, number: u32) -> String {
    format!("{device}/{number:010}")
}

fn piece_key(device: &DeviceId, id: &Id) -> String {
    format!("{device}/{}", pieces::word(id))
}
