//! Health samples of every device: the last hour or two in memory, all of them in the store, six hours a record.
//!
//! A sample is no promise: what was seen is stored every five minutes, of all devices together, and within the store's flush
//! interval when a router goes or comes. A power cut takes the samples since then, a proper end none. Five seconds, as for other
//! records that may wait, is not affordable: a commit writes some 33 kB of pages however little is in it. Measured for twelve
//! devices: 13 MB a day this way, 115 MB if each kept its own five minutes, 580 MB at once, and 640 MB if every sample were
//! appended as a record of its own. Flash would wear for a stretch of a curve that nobody misses. A month of one device, a
//! sample a minute, takes some 100 kB of records.

use crate::base::clock::Wall;
use crate::base::ids::DeviceId;
use crate::history::block::{self, pack, unpack};
use crate::history::day::Days;
use crate::history::health::{RECENT_MS, Sample};
use crate::history::look::Noted;
use crate::store::{self, Batch, Durability, Record, Store, StoreError, body_as};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard};

const HOUR_MS: i64 = 3_600_000;

/// Hours in a record: some fit a page of the store.
const SPAN_HOURS: i64 = 6;

/// Samples of a device in an hour, at the usual interval.
const USUAL_SAMPLES: usize = 60;

/// Room for so many more is made at a time: there are as many vectors as devices.
const MORE_SAMPLES: usize = 15;

/// How long samples wait in memory.
const SAVE_EVERY_MS: i64 = 300_000;

/// Records read at a time.
const PAGE: usize = 32;

/// Devices stored in one commit at most.
const TOGETHER: usize = 256;

/// One device's samples of six hours from the hour in its key on.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Span {
    samples: u16,
    /// See `block.rs`.
    bits: Vec<u8>,
}

impl Record for Span {
    /// Records of version 1 held an hour.
    const TABLE: &'static str = "health_hour";
    const VERSION: u8 = 2;

    /// v1 had a sample's readings one after the other, and fewer of them.
    fn upgrade(version: u8, body: &[u8]) -> Result<Self, StoreError> {
        if version != 1 {
            return Err(StoreError::damaged(format!("table {}: no shape has version {version}", Self::TABLE)));
        }
        let v1::Hour { samples } = body_as(Self::TABLE, version, body)?;
        let samples: Vec<Sample> = samples.into_iter().map(v1::Packed::unpack).collect();
        Ok(Span::of(&samples, 0))
    }
}

#[cfg(test)]
crate::store::golden!(Span);

mod v1 {
    use super::{Sample, Wall};

    #[derive(serde::Serialize, serde::Deserialize)]
    pub(super) struct Hour {
        pub(super) samples: Vec<Packed>,
    }

    #[derive(serde::Serialize, serde::Deserialize)]
    pub(super) struct Packed {
        pub(super) offset_ms: u32,
        pub(super) reachable: bool,
        pub(super) cpu_percent: Option<u8>,
        pub(super) memory_percent: Option<u8>,
        pub(super) disk_percent: Option<u8>,
        pub(super) celsius: Option<i16>,
        pub(super) uptime_seconds: Option<u64>,
        pub(super) answer_ms: Option<u32>,
    }

    impl Packed {
        pub(super) fn unpack(self) -> Sample {
            Sample {
                reachable: self.reachable,
                cpu_percent: self.cpu_percent,
                memory_percent: self.memory_percent,
                disk_percent: self.disk_percent,
                celsius: self.celsius,
                uptime_seconds: self.uptime_seconds,
                answer_ms: self.answer_ms,
                ..Sample::silent(Wall(i64::from(self.offset_ms)))
            }
        }
    }
}

impl Span {
    /// The samples of the hours from `first` on.
    fn of(samples: &[Sample], first: i64) -> Self {
        let samples = &samples[samples.len().saturating_sub(block::MOST)..];
        Span { samples: samples.len() as u16, bits: pack(samples, first * HOUR_MS) }
    }

    fn open(&self, first: i64) -> Result<Vec<Sample>, StoreError> {
        let damaged = || StoreError::damaged(format!("table {}: the samples of a record cannot be read", Span::TABLE));
        unpack(&self.bits, usize::from(self.samples), first * HOUR_MS).ok_or_else(damaged)
    }
}

/// All devices' samples.
#[derive(Clone)]
pub struct History {
    store: Store,
    recent: Arc<Mutex<HashMap<DeviceId, Recent>>>,
    days: Arc<Days>,
}

/// What is in memory of a device.
#[derive(Default)]
struct Recent {
    /// The hour that fills now.
    hour: i64,
    open: Vec<Sample>,
    /// The hour before it.
    before: Option<(i64, Span)>,
    /// How many of `open` are stored, and when they were.
    saved: usize,
    saved_at: Option<Wall>,
    noted: Noted,
}

impl History {
    /// Over the store; reads nothing yet.
    pub fn new(store: Store) -> Self {
        History { store, recent: Arc::default(), days: Arc::default() }
    }

    /// Takes a sample in.
    pub async fn add(&self, device: &DeviceId, sample: Sample) -> Result<(), StoreError> {
        let hour = sample.at.0.div_euclid(HOUR_MS);
        let due = {
            let mut all = self.recent();
            let recent = all.entry(device.clone()).or_default();
            let mut due = None;
            if recent.open.is_empty() || recent.hour != hour {
                due = self.turn(device, recent, hour)?;
            }
            let news = recent.open.last().is_none_or(|last| last.reachable != sample.reachable);
            if recent.open.len() == recent.open.capacity() {
                recent.open.reserve_exact(MORE_SAMPLES);
            }
            recent.open.push(sample);
            let waited = due.is_some() || recent.saved_at.is_none_or(|saved| (sample.at.0 - saved.0).abs() >= SAVE_EVERY_MS);
            let mut batch = match due.take() {
                Some((key, bytes)) => Batch::new().put(Span::TABLE, &key, bytes),
                None if news || waited => {
                    let (key, bytes) = self.record(device, recent, sample.at)?;
                    Batch::new().put(Span::TABLE, &key, bytes)
                }
                None => return Ok(()),
            };
            if waited {
                // A commit is dearer than what is in it: those whose samples wait too go along. Not this one again: its hours can stand in
                // one record, which would be read from the store as it was before.
                for (key, bytes) in self.waiting(&mut all, Some(device), sample.at, TOGETHER)? {
                    batch = batch.put(Span::TABLE, &key, bytes);
                }
            }
            batch
        };
        self.store.commit(due, Durability::Soon).await
    }

    /// Makes `hour` the one that fills; what is left of the hour before is to be stored.
    ///
    /// A restart or a clock step may come back to an hour that has samples already.
    fn turn(&self, device: &DeviceId, recent: &mut Recent, hour: i64) -> Result<Option<(String, Vec<u8>)>, StoreError> {
        let mut due = None;
        if let Some(last) = recent.open.last().copied() {
            if recent.saved < recent.open.len() {
                due = Some(self.record(device, recent, last.at)?);
            }
            recent.before = Some((recent.hour, Span::of(&recent.open, recent.hour)));
        }
        recent.open = self.stored(device, hour)?;
        // At once: what grows for an hour would look like a leak.
        recent.open.reserve_exact(USUAL_SAMPLES.saturating_sub(recent.open.len()));
        if recent.before.is_none() {
            recent.before = Some((hour - 1, Span::of(&self.stored(device, hour - 1)?, hour - 1)));
        }
        (recent.hour, recent.saved) = (hour, recent.open.len());
        Ok(due)
    }

    /// The record that holds the hour that fills, with all of it.
    fn record(&self, device: &DeviceId, recent: &mut Recent, now: Wall) -> Result<(String, Vec<u8>), StoreError> {
        let first = first_of(recent.hour);
        let mut samples = self.span(device, first)?;
        samples.retain(|sample| hour_of(sample) != recent.hour);
        samples.extend_from_slice(&recent.open);
        samples.sort_by_key(|sample| sample.at);
        (recent.saved, recent.saved_at) = (recent.open.len(), Some(now));
        Ok((key(device, first), store::encode(&Span::of(&samples, first))))
    }

    /// What is stored of an hour.
    fn stored(&self, device: &DeviceId, hour: i64) -> Result<Vec<Sample>, StoreError> {
        let first = first_of(hour);
        let mut samples = self.span(device, first)?;
        if hour != first {
            // Where version 1 kept it.
            samples.extend(self.span(device, hour)?);
        }
        samples.retain(|sample| hour_of(sample) == hour);
        // The other hours of the record had the most of it.
        samples.shrink_to_fit();
        Ok(samples)
    }

    fn span(&self, device: &DeviceId, first: i64) -> Result<Vec<Sample>, StoreError> {
        match self.store.get(Span::TABLE, &key(device, first))? {
            Some(bytes) => store::decode::<Span>(&bytes)?.open(first),
            None => Ok(Vec::new()),
        }
    }

    /// Records of devices with samples that wait, but for one, of so many at most; they count as stored `now`: all are due at
    /// one moment again.
    fn waiting(
        &self,
        all: &mut HashMap<DeviceId, Recent>,
        but: Option<&DeviceId>,
        now: Wall,
        most: usize,
    ) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        let waits = |(device, recent): &(&DeviceId, &mut Recent)| recent.saved < recent.open.len() && Some(*device) != but;
        let unsaved = all.iter_mut().filter(waits).take(most);
        unsaved.map(|(device, recent)| self.record(device, recent, now)).collect()
    }

    /// Stores what still waits in memory: before the store closes.
    pub async fn save(&self) -> Result<(), StoreError> {
        let waiting = self.waiting(&mut self.recent(), None, Wall(0), usize::MAX)?;
        for some in waiting.chunks(TOGETHER) {
            let batch = some.iter().fold(Batch::new(), |batch, (key, bytes)| batch.put(Span::TABLE, key, bytes.clone()));
            self.store.commit(batch, Durability::Soon).await?;
        }
        Ok(())
    }

    /// The newest sample since this process started.
    pub fn latest(&self, device: &DeviceId) -> Option<Sample> {
        self.recent().get(device)?.open.last().copied()
    }

    /// The newest sample since this process started, after those of the hour before it, oldest first.
    pub fn last_hour(&self, device: &DeviceId) -> Vec<Sample> {
        let all = self.recent();
        let Some(recent) = all.get(device) else { return Vec::new() };
        let Some(newest) = recent.open.last() else { return Vec::new() };
        let before = recent.before.as_ref().filter(|(hour, _)| *hour < recent.hour);
        // One that cannot be read has been told when it was loaded.
        let mut samples = before.and_then(|(hour, span)| span.open(*hour).ok()).unwrap_or_default();
        samples.extend_from_slice(&recent.open);
        samples.retain(|sample| newest.at.0 - sample.at.0 < RECENT_MS);
        samples
    }

    /// Samples from `since` on, oldest first.
    pub fn since(&self, device: &DeviceId, since: Wall) -> Result<Vec<Sample>, StoreError> {
        let prefix = format!("{device}/");
        let mut from = Bound::Included(key(device, since.0.div_euclid(HOUR_MS) - SPAN_HOURS + 1));
        let mut samples = Vec::new();
        loop {
            let page = self.store.scan(Span::TABLE, from.as_ref().map(String::as_str), PAGE)?;
            let full = page.len() == PAGE;
            let last = page.last().map(|(key, _)| key.clone());
            let mut ours = true;
            for (key, bytes) in page {
                let Some(first) = key.strip_prefix(&prefix).and_then(|digits| digits.parse::<i64>().ok()) else {
                    ours = false;
                    break;
                };
                samples.extend(store::decode::<Span>(&bytes)?.open(first)?);
            }
            match last.filter(|_| ours && full) {
                Some(last) => from = Bound::Excluded(last),
                None => break,
            }
        }
        if let Some(recent) = self.recent().get(device) {
            samples.retain(|sample| hour_of(sample) != recent.hour);
            samples.extend_from_slice(&recent.open);
        }
        samples.retain(|sample| sample.at >= since);
        // Hours overlap where a clock went back, and where records of version 1 stand beside one that took them in.
        samples.sort_by_key(|sample| sample.at);
        samples.dedup_by_key(|sample| sample.at.0.div_euclid(1_000));
        Ok(samples)
    }

    /// Days at a glance.
    pub(super) fn days(&self) -> &Days {
        &self.days
    }

    /// What earlier looks at a device noted for later ones.
    pub(super) fn noted(&self, device: &DeviceId) -> Noted {
        self.recent().get(device).map(|recent| recent.noted.clone()).unwrap_or_default()
    }

    pub(super) fn note(&self, device: &DeviceId, noted: Noted) {
        self.recent().entry(device.clone()).or_default().noted = noted;
    }

    /// Forgets a device's samples.
    pub async fn forget(&self, device: &DeviceId) -> Result<(), StoreError> {
        self.recent().remove(device);
        self.days.forget(device);
        self.drop_until(device, i64::MAX).await
    }

    /// Drops records whose hours are all before `until`.
    pub async fn retain_from(&self, device: &DeviceId, until: Wall) -> Result<(), StoreError> {
        self.drop_until(device, until.0.div_euclid(HOUR_MS) - SPAN_HOURS + 1).await
    }

    async fn drop_until(&self, device: &DeviceId, hour: i64) -> Result<(), StoreError> {
        let prefix = format!("{device}/");
        loop {
            let old: Vec<String> = self
                .store
                .scan(Span::TABLE, Bound::Included(prefix.as_str()), PAGE)?
                .into_iter()
                .map(|(key, _)| key)
                .take_while(|key| key.strip_prefix(&prefix).and_then(|digits| digits.parse::<i64>().ok()).is_some_and(|h| h < hour))
                .collect();
            if old.is_empty() {
                return Ok(());
            }
            let batch = old.iter().fold(Batch::new(), |batch, key| batch.delete(Span::TABLE, key));
            self.store.commit(batch, Durability::Soon).await?;
        }
    }

    fn recent(&self) -> MutexGuard<'_, HashMap<DeviceId, Recent>> {
        self.recent.lock().expect("no holder of the samples panics")
    }
}

fn hour_of(sample: &Sample) -> i64 {
    sample.at.0.div_euclid(HOUR_MS)
}

/// The first hour of the record an hour stands in.
fn first_of(hour: i64) -> i64 {
    hour - hour.rem_euclid(SPAN_HOURS)
}

/// Ten digits sort as numbers until the year 3000.
fn key(device: &DeviceId, hour: i64) -> String {
    format!("{device}/{:010}", hour.max(0))
}

#[cfg(test)]
mod tests;
