//! How routers are doing: kept in memory, stored when it changes or every quarter of an hour.
//!
//! What may be lost for some seconds (reachable, last seen) waits to be stored in groups; a quarantine is stored
//! before anybody is told, since forgetting it would send credentials to a stranger after a restart.

use crate::base::clock::Wall;
use crate::base::events::Event;
use crate::base::ids::DeviceId;
use crate::fleet::device::{Device, Status};
use crate::fleet::index::Entry;
use crate::fleet::registry::Shared;
use crate::fleet::wire::{Said, Via};
use crate::routeros::RouterError;
use crate::store::{Batch, Durability, Record, Table};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

/// `last_seen` in memory is renewed when it is older; renewing copies the record.
const SEEN_GRAIN_MS: i64 = 2_000;
/// `last_seen` in the store is renewed when it is older: flash wears. Only an end without a close (a power cut, a
/// kill) shows the older one, until the next answer.
const STORE_EVERY: Duration = Duration::from_secs(900);
/// Statuses stored in one commit at most.
const TOGETHER: usize = 256;

/// What is stored of a device's status.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct StatusRecord {
    status: Status,
    last_seen: Option<Wall>,
    last_error: Option<String>,
}

impl Record for StatusRecord {
    const TABLE: &'static str = "device_status";
    const VERSION: u8 = 1;
}

#[cfg(test)]
crate::store::golden!(StatusRecord);

impl StatusRecord {
    /// A device's status.
    pub fn of(device: &Device) -> Self {
        StatusRecord { status: device.status, last_seen: device.last_seen, last_error: device.last_error.clone() }
    }

    /// Into the device's record.
    pub fn onto(self, device: &mut Device) {
        device.status = self.status;
        device.last_seen = self.last_seen;
        device.last_error = self.last_error;
    }
}

/// What the store knows of a status, and since when.
#[derive(Debug, Clone)]
pub struct Health {
    stored: StatusRecord,
    at: Duration,
}

impl Health {
    /// Stored at `at` (monotonic).
    pub fn stored(stored: StatusRecord, at: Duration) -> Self {
        Health { stored, at }
    }

    /// Whether the store should hear of it now.
    fn is_due(&self, now: &StatusRecord, at: Duration) -> bool {
        let changed = self.stored.status != now.status || self.stored.last_error != now.last_error;
        changed || (self.stored != *now && at.saturating_sub(self.at) >= STORE_EVERY)
    }
}

/// What a request tells about its router.
enum Seen {
    /// It answered; with a complaint about us, perhaps.
    Answered(Option<String>),
    /// It did not.
    Failed(String),
    /// It is another one.
    Stranger(String),
    /// Nothing.
    Nothing,
}

/// `trouble` stands against the usual way: then the answer came another way.
fn seen(result: &Result<(Said, Via), RouterError>, trouble: Option<&RouterError>) -> Seen {
    let meanwhile = || trouble.map(|error| format!("{error}; reads go over SSH meanwhile"));
    match result {
        Ok(_) => Seen::Answered(meanwhile()),
        Err(error @ (RouterError::Pin { .. } | RouterError::HostKeyChanged { .. })) => Seen::Stranger(error.to_string()),
        Err(RouterError::Argument { .. } | RouterError::Closed { .. }) => Seen::Nothing,
        Err(error @ RouterError::Denied { .. }) => Seen::Answered(Some(error.to_string())),
        // A certificate nobody vouches for: no pin would mend it, so it is no quarantine.
        Err(error @ RouterError::Tls { .. }) => Seen::Failed(error.to_string()),
        Err(error) if error.is_outage() => Seen::Failed(error.to_string()),
        Err(_) => Seen::Answered(meanwhile()),
    }
}

impl Shared {
    /// Takes note of what a request showed. A quarantine is stored before this returns.
    pub async fn note(&self, id: &DeviceId, result: &Result<(Said, Via), RouterError>, trouble: Option<&RouterError>) {
        let now = self.clock.wall();
        let changed = match seen(result, trouble) {
            Seen::Nothing => return,
            Seen::Stranger(why) => return self.quarantine(id, why).await,
            Seen::Answered(complaint) => self.with_entry(id, |entry| answered(entry, complaint, now)),
            Seen::Failed(why) => self.with_entry(id, |entry| turn(entry, Status::Unreachable, Some(why))),
        };
        if changed == Some(true) {
            self.bus.tell(Event::Health(id.clone()));
        }
    }

    /// Sends the device nothing more until it is pinned again.
    pub async fn quarantine(&self, id: &DeviceId, why: String) {
        tracing::warn!(device = %id, %why, "quarantined");
        if self.with_entry(id, |entry| turn(entry, Status::Quarantined, Some(why))) != Some(true) {
            return;
        }
        self.put_status(id, Durability::Now).await;
        self.slot(id).start_over();
        self.cache.forget(id);
        self.bus.tell(Event::Health(id.clone()));
    }

    /// Stores a device's status when it is due, and with it those of all others that differ: a commit writes some 33 kB of pages
    /// however little is in it, and a device at a time would be one every few seconds. It may wait for others still.
    pub async fn store_status(&self, id: &DeviceId) {
        let now = self.clock.mono();
        let due = self.with_entry(id, |entry| entry.health.is_due(&StatusRecord::of(&entry.device), now));
        if due == Some(true) {
            self.store_statuses().await;
        }
    }

    /// Stores every status that differs from the stored one.
    pub async fn store_statuses(&self) {
        let at = self.clock.mono();
        let changed = |id: DeviceId| {
            let record = self.with_entry(&id, |entry| {
                let record = StatusRecord::of(&entry.device);
                (entry.health.stored != record).then(|| {
                    entry.health = Health::stored(record.clone(), at);
                    record
                })
            })??;
            Some((id, record))
        };
        let table = Table::<StatusRecord>::new(self.store.clone());
        let mut ids = self.ids().into_iter().filter_map(changed).peekable();
        while ids.peek().is_some() {
            // Looked at just before its commit: a quarantine that is stored meanwhile stays the last word.
            let some: Vec<_> = ids.by_ref().take(TOGETHER).collect();
            let batch = some.iter().fold(Batch::new(), |batch, (id, record)| table.put_into(batch, id.as_str(), record));
            if let Err(error) = self.store.commit(batch, Durability::Soon).await {
                // They stay true in memory; the next change tries again.
                tracing::warn!(devices = some.len(), %error, "statuses not stored");
            }
        }
    }

    async fn put_status(&self, id: &DeviceId, durability: Durability) {
        let at = self.clock.mono();
        let record = self.with_entry(id, |entry| {
            let record = StatusRecord::of(&entry.device);
            entry.health = Health::stored(record.clone(), at);
            record
        });
        let Some(record) = record else { return };
        if let Err(error) = Table::new(self.store.clone()).put(id.as_str(), &record, durability).await {
            // It stays true in memory; the next change tries again.
            tracing::warn!(device = %id, %error, "status not stored");
        }
    }
}

/// Whether that is news.
fn answered(entry: &mut Entry, complaint: Option<String>, now: Wall) -> bool {
    let news = turn(entry, Status::Reachable, complaint);
    let stale = entry.device.last_seen.is_none_or(|seen| (now.0 - seen.0).abs() >= SEEN_GRAIN_MS);
    if (news || stale) && entry.device.status == Status::Reachable {
        Arc::make_mut(&mut entry.device).last_seen = Some(now);
    }
    news
}

/// Quarantine and retirement are left by a person only.
fn turn(entry: &mut Entry, status: Status, why: Option<String>) -> bool {
    let device = &entry.device;
    if matches!(device.status, Status::Quarantined | Status::Decommissioned) || (device.status == status && device.last_error == why) {
        return false;
    }
    let device = Arc::make_mut(&mut entry.device);
    device.status = status;
    device.last_error = why;
    true
}
