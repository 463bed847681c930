//! Health samples of every device: the newest in memory, all of them in the store, an hour a record.
//!
//! A record is rewritten as its hour fills. It may be lost for the store's flush interval: a sample is no promise.

use crate::base::clock::Wall;
use crate::base::ids::DeviceId;
use crate::history::health::Sample;
use crate::store::{self, Batch, Durability, Record, Store, StoreError};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex};

const HOUR_MS: i64 = 3_600_000;

/// Hours in the longest question a caller may ask: 30 days.
const MOST_HOURS: usize = 721;

/// One device's samples of one hour, in the order they were taken.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Hour {
    samples: Vec<Packed>,
}

/// A sample without what the record's key already says.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Packed {
    /// Milliseconds into the hour.
    offset_ms: u32,
    reachable: bool,
    cpu_percent: Option<u8>,
    memory_percent: Option<u8>,
    disk_percent: Option<u8>,
    celsius: Option<i16>,
    uptime_seconds: Option<u64>,
    answer_ms: Option<u32>,
}

impl Record for Hour {
    const TABLE: &'static str = "health_hour";
    const VERSION: u8 = 1;
}

/// All devices' samples.
#[derive(Clone)]
pub struct History {
    store: Store,
    latest: Arc<Mutex<HashMap<DeviceId, (i64, Hour)>>>,
}

impl History {
    /// Over the store; reads nothing yet.
    pub fn new(store: Store) -> Self {
        History { store, latest: Arc::default() }
    }

    /// Takes a sample in.
    pub async fn add(&self, device: &DeviceId, sample: Sample) -> Result<(), StoreError> {
        let hour = sample.at.0.div_euclid(HOUR_MS);
        let key = key(device, hour);
        let bytes = {
            let mut latest = self.latest.lock().expect("no holder of the samples panics");
            let entry = latest.entry(device.clone()).or_insert_with(|| (i64::MIN, Hour::default()));
            if entry.0 != hour {
                // A restart or a clock step may come back to an hour that has a record already.
                let kept = self.store.get(Hour::TABLE, &key)?.map(|bytes| store::decode::<Hour>(&bytes)).transpose()?;
                *entry = (hour, kept.unwrap_or_default());
            }
            entry.1.samples.push(pack(&sample));
            store::encode(&entry.1)
        };
        self.store.commit(Batch::new().put(Hour::TABLE, &key, bytes), Durability::Soon).await
    }

    /// The newest sample since this process started.
    pub fn latest(&self, device: &DeviceId) -> Option<Sample> {
        let latest = self.latest.lock().expect("no holder of the samples panics");
        let (hour, samples) = latest.get(device)?;
        samples.samples.last().map(|packed| unpack(*hour, packed))
    }

    /// Samples from `since` on, oldest first.
    pub fn since(&self, device: &DeviceId, since: Wall) -> Result<Vec<Sample>, StoreError> {
        let from = key(device, since.0.div_euclid(HOUR_MS));
        let prefix = format!("{device}/");
        let mut samples = Vec::new();
        for (key, bytes) in self.store.scan(Hour::TABLE, Bound::Included(from.as_str()), MOST_HOURS)? {
            let Some(hour) = key.strip_prefix(&prefix).and_then(|digits| digits.parse::<i64>().ok()) else { break };
            let record = store::decode::<Hour>(&bytes)?;
            samples.extend(record.samples.iter().map(|packed| unpack(hour, packed)).filter(|sample| sample.at >= since));
        }
        Ok(samples)
    }

    /// Forgets a device's samples.
    pub async fn forget(&self, device: &DeviceId) -> Result<(), StoreError> {
        self.latest.lock().expect("no holder of the samples panics").remove(device);
        self.drop_until(device, i64::MAX).await
    }

    /// Drops whole hours before `until`.
    pub async fn retain_from(&self, device: &DeviceId, until: Wall) -> Result<(), StoreError> {
        self.drop_until(device, until.0.div_euclid(HOUR_MS)).await
    }

    async fn drop_until(&self, device: &DeviceId, hour: i64) -> Result<(), StoreError> {
        let prefix = format!("{device}/");
        loop {
            let old: Vec<String> = self
                .store
                .scan(Hour::TABLE, Bound::Included(prefix.as_str()), MOST_HOURS)?
                .into_iter()
                .map(|(key, _)| key)
                .take_while(|key| key.strip_prefix(&prefix).and_then(|digits| digits.parse::<i64>().ok()).is_some_and(|h| h < hour))
                .collect();
            if old.is_empty() {
                return Ok(());
            }
            let batch = old.iter().fold(Batch::new(), |batch, key| batch.delete(Hour::TABLE, key));
            self.store.commit(batch, Durability::Now).await?;
        }
    }
}

/// Ten digits sort as numbers until the year 3000.
fn key(device: &DeviceId, hour: i64) -> String {
    format!("{device}/{:010}", hour.max(0))
}

fn pack(sample: &Sample) -> Packed {
    Packed {
        offset_ms: sample.at.0.rem_euclid(HOUR_MS) as u32,
        reachable: sample.reachable,
        cpu_percent: sample.cpu_percent,
        memory_percent: sample.memory_percent,
        disk_percent: sample.disk_percent,
        celsius: sample.celsius,
        uptime_seconds: sample.uptime_seconds,
        answer_ms: sample.answer_ms,
    }
}

fn unpack(hour: i64, packed: &Packed) -> Sample {
    Sample {
        at: Wall(hour * HOUR_MS + i64::from(packed.offset_ms)),
        reachable: packed.reachable,
        cpu_percent: packed.cpu_percent,
        memory_percent: packed.memory_percent,
        disk_percent: packed.disk_percent,
        celsius: packed.celsius,
        uptime_seconds: packed.uptime_seconds,
        answer_ms: packed.answer_ms,
    }
}
