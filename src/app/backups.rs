//! Backups: what goes into one, and where one is restored to.

use super::{audit_dir, keys, places};
use crate::backup::{self, Backups};
use crate::base::clock::Clock;
use crate::config::{self, Loaded};
use crate::host::metrics::Meter;
use crate::host::paths::Places;
use crate::store::{Seal, Store};
use std::sync::Arc;

/// Parts that stand already when backups are opened.
pub(super) struct Base {
    pub(super) store: Store,
    pub(super) seal: Arc<Seal>,
    pub(super) clock: Clock,
    pub(super) meter: Meter,
}

/// The backups of this appliance.
pub(super) fn open(loaded: &Loaded, places: &Places, base: Base) -> Backups {
    let Base { store, seal, clock, meter } = base;
    let settings = &loaded.config.backup;
    let (text, left_out) = config::portable(&loaded.view);
    let parts = backup::Parts {
        store,
        seal,
        clock,
        meter,
        audit_dir: audit_dir(places),
        environment: loaded.config.environment.as_str().to_owned(),
        config: text,
        left_out,
    };
    let settings = backup::Settings { dir: settings.path.clone(), keep: settings.keep as usize, recipients: settings.recipients.clone() };
    // Restoring and verifying unpack into the state directory, and the last step of a restore may take a copy beside the store.
    for dir in [Some(places.state.as_path()), loaded.config.store.path.parent()].into_iter().flatten() {
        backup::sweep(dir, backup::ABANDONED);
    }
    Backups::new(parts, settings)
}

/// Where a backup is restored to, on a box whose appliance does not run.
pub fn restore_target(loaded: &Loaded) -> backup::Target {
    let places = places(loaded);
    backup::Target {
        store: loaded.config.store.path.clone(),
        epoch: places.epoch(),
        key_file: places.master_key(),
        configured: loaded.config.master_key(),
        sealed: keys::sealed(),
        state: places.state,
    }
}
