//! The store's schema: which tables there are and how their keys are made. Records have versions of their own.
//!
//! Release N reads N-1 and N. A newer schema is refused before anything is written.

use crate::store::engine::{Changes, Engine};
use crate::store::error::StoreError;
use crate::store::record::{Record, decode, encode};
use crate::store::redb::Redb;
use serde::{Deserialize, Serialize};

/// The schema this build writes. Each has a file in `tests/data/store/`.
pub const SCHEMA: u32 = 1;

/// The store's word about itself.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Meta {
    pub(crate) schema: u32,
    /// The build that wrote the schema, for people.
    pub(crate) written_by: String,
}

impl Record for Meta {
    const TABLE: &'static str = "meta";
    const VERSION: u8 = 1;
}

/// The only key of [`Meta`].
pub(crate) const KEY: &str = "schema";

/// Checks the schema of an open file; stamps a new one.
pub(crate) fn up(engine: &Redb) -> Result<(), StoreError> {
    match engine.get(Meta::TABLE, KEY)? {
        Some(bytes) => match decode::<Meta>(&bytes)?.schema {
            SCHEMA => Ok(()),
            // Schema 2 adds its step here: `1 => one_to_two(engine)`.
            0 => Err(StoreError::damaged("its schema is 0")),
            found => Err(StoreError::Newer { found, known: SCHEMA }),
        },
        None if engine.is_new()? => stamp(engine),
        None => Err(StoreError::damaged("it has tables but no schema")),
    }
}

fn stamp(engine: &Redb) -> Result<(), StoreError> {
    let meta = Meta { schema: SCHEMA, written_by: env!("CARGO_PKG_VERSION").into() };
    engine.write(&Changes::from([((Meta::TABLE, KEY.to_owned()), Some(encode(&meta)))]))
}
