//! The store, opened as the configuration says.

use super::{Media, keys, places};
use crate::base::fault::{Fault, Kind};
use crate::config::Loaded;
use crate::host::metrics::Meter;
use crate::store::{Epoch, Options, Over, Progress, Store, StoreError};
use std::time::Duration;

/// What a look at a store found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Examined {
    /// The schema of one that the next start brings up to date.
    pub behind: Option<u32>,
    /// It knows less than was done here.
    pub is_older: bool,
}

/// Whether store and master key belong together, on a box whose appliance does not run. Changes neither.
pub async fn examine(loaded: &Loaded) -> Result<Examined, Fault> {
    let path = loaded.config.store.path.clone();
    if let Some(found) = tokio::task::spawn_blocking(move || Store::is_behind(&path)).await.map_err(Fault::bug)?.map_err(unopened)? {
        return Ok(Examined { behind: Some(found), is_older: false });
    }
    let store = open(loaded, &Meter::off(), Progress::default(), Media::default().store).await?;
    let places = places(loaded);
    let has_key = loaded.config.encryption_key.is_some() || places.master_key().exists();
    let done = match has_key || crate::store::seal::is_sealed(&store)? {
        true => keys::open(&loaded.config, &places, &store).await.map(drop),
        false => Ok(()),
    };
    let is_older = Epoch::open(store.clone(), &places.epoch()).map(|epoch| epoch.is_older());
    store.close().await?;
    done?;
    Ok(Examined { behind: None, is_older: is_older? })
}

/// Whether a store stood here that is gone.
pub fn is_lost(loaded: &Loaded) -> bool {
    let is_there = std::fs::metadata(&loaded.config.store.path).is_ok_and(|file| file.len() > 0);
    !is_there && Epoch::was_counted(&places(loaded).epoch())
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
