//! The store, opened as the configuration says.

use super::{Media, keys, places};
use crate::base::fault::{Fault, Kind};
use crate::config::Loaded;
use crate::host::metrics::Meter;
use crate::store::{Options, Over, Progress, Store, StoreError};
use std::time::Duration;

/// Whether store and master key belong together, on a box whose appliance does not run. Changes neither: for a store that the next
/// start brings up to date it answers its schema.
pub async fn examine(loaded: &Loaded) -> Result<Option<u32>, Fault> {
    let path = loaded.config.store.path.clone();
    if let Some(found) = tokio::task::spawn_blocking(move || Store::is_behind(&path)).await.map_err(Fault::bug)?.map_err(unopened)? {
        return Ok(Some(found));
    }
    let store = open(loaded, &Meter::off(), Progress::default(), Media::default().store).await?;
    let places = places(loaded);
    let has_key = loaded.config.encryption_key.is_some() || places.master_key().exists();
    let done = match has_key || crate::store::seal::is_sealed(&store)? {
        true => keys::open(&loaded.config, &places, &store).await.map(drop),
        false => Ok(()),
    };
    store.close().await?;
    done.map(|()| None)
}

/// How long records that may wait do so.
pub(super) fn patience(loaded: &Loaded) -> Duration {
    let store = &loaded.config.store;
    crate::store::patience(&store.path, store.flush_interval.0, store.flash_saver.said())
}

/// Opens it, and brings it up to date.
pub(super) async fn open(loaded: &Loaded, meter: &Meter, progress: Progress, over: Box<Over>) -> Result<Store, Fault> {
    let store = &loaded.config.store;
    let options = Options {
        path: store.path.clone(),
        cache_mb: store.cache_mb,
        flush_interval: patience(loaded),
        volatile_ok: store.volatile,
        meter: meter.clone(),
        progress,
    };
    let opened = tokio::task::spawn_blocking(move || Store::open_over(options, &*over)).await.map_err(Fault::bug)?;
    opened.map_err(unopened)
}

/// Why the store was not opened, with what helps.
fn unopened(error: StoreError) -> Fault {
    let fault = Fault::from(error);
    match fault.kind {
        Kind::Conflict => fault.hint("another routeros-mcp uses this state directory: stop it, or choose another with --data-dir"),
        _ => fault,
    }
}
