//! A table of one record type.

use crate::store::Store;
use crate::store::engine::{Batch, Durability};
use crate::store::error::StoreError;
use crate::store::record::{Record, decode, encode};
use std::marker::PhantomData;
use std::ops::Bound;

/// Rows read at a time.
const PAGE: usize = 256;

/// Typed access to the records of one table.
#[derive(Debug, Clone)]
pub struct Table<R: Record> {
    store: Store,
    record: PhantomData<fn() -> R>,
}

impl<R: Record> Table<R> {
    /// The record type's table in this store.
    pub fn new(store: Store) -> Self {
        Table { store, record: PhantomData }
    }

    /// The store below, for batches over several tables.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// One record. Errs when it is damaged or newer than this build.
    pub fn get(&self, key: &str) -> Result<Option<R>, StoreError> {
        self.store.get(R::TABLE, key)?.map(|bytes| decode(&bytes)).transpose()
    }

    /// At most `limit` records from a key on, in key order.
    pub fn scan(&self, from: Bound<&str>, limit: usize) -> Result<Vec<(String, R)>, StoreError> {
        let rows = self.store.scan(R::TABLE, from, limit)?;
        rows.into_iter().map(|(key, bytes)| Ok((key, decode(&bytes)?))).collect()
    }

    /// All records in key order. For tables that fit in memory.
    pub fn all(&self) -> Result<Vec<(String, R)>, StoreError> {
        let mut rows: Vec<(String, R)> = Vec::new();
        loop {
            let from = rows.last().map_or(Bound::Unbounded, |(key, _)| Bound::Excluded(key.as_str()));
            let page = self.scan(from, PAGE)?;
            let more = page.len() == PAGE;
            rows.extend(page);
            if !more {
                return Ok(rows);
            }
        }
    }

    /// A batch that writes the record.
    pub fn put_batch(&self, record: &R, key: &str) -> Batch {
        self.put_into(Batch::new(), key, record)
    }

    /// The batch, and the record written with it.
    #[must_use]
    pub fn put_into(&self, batch: Batch, key: &str, record: &R) -> Batch {
        batch.put(R::TABLE, key, encode(record))
    }

    /// The batch, and the record removed with it.
    #[must_use]
    pub fn delete_into(&self, batch: Batch, key: &str) -> Batch {
        batch.delete(R::TABLE, key)
    }

    /// The batch, refused unless the record is still exactly this one (`None`: absent). A record stored in an older
    /// shape never matches: write it once before.
    #[must_use]
    pub fn expect_into(&self, batch: Batch, key: &str, record: Option<&R>) -> Batch {
        batch.expect(R::TABLE, key, record.map(encode))
    }

    /// Writes one record.
    pub async fn put(&self, key: &str, record: &R, durability: Durability) -> Result<(), StoreError> {
        self.store.commit(self.put_batch(record, key), durability).await
    }

    /// Removes one record, durably.
    pub async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.store.commit(Batch::new().delete(R::TABLE, key), Durability::Now).await
    }
}
