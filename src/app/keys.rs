//! The master key: where it comes from, what it seals, and changing it.

use crate::access;
use crate::alert;
use crate::audit;
use crate::base::fault::{Fault, Kind};
use crate::config::Config;
use crate::fleet;
use crate::host::paths::Places;
use crate::http;
use crate::store::{Field, Seal, Store, reseal, seal, vault};

/// Everything that is sealed, and where.
pub fn sealed() -> Vec<Field> {
    let own = [access::local::SEALED, http::tls::SEALED, audit::sign::SEALED, alert::SEALED];
    own.into_iter().chain(fleet::SEALED).chain(vault::SEALED).chain(http::acme::kept::SEALED).collect()
}

/// What seals, under the key that is configured or lies in the key file; made when there is none and nothing needs one. A
/// change of the key that was cut off is ended first.
pub async fn open(config: &Config, places: &Places, store: &Store) -> Result<Seal, Fault> {
    let file = places.master_key();
    // Volatile state loses its key with the rest; it keeps no credentials anyway.
    let master = match config.master_key() {
        Some(key) => key,
        None if seal::is_sealed(store)? && !file.exists() => return Err(gone(places)),
        None => seal::load_or_create_master(&file)?,
    };
    let seal = reseal::resume(store, master, &sealed(), &file, config.encryption_key.is_some()).await?;
    seal::check_canary(store, &seal).await?;
    Ok(seal)
}

fn gone(places: &Places) -> Fault {
    let said = format!("the master key {} is gone; the store's credentials cannot be read without it", places.master_key().display());
    Fault::new(Kind::Storage, said).hint("put the file back from a backup, or set encryption_key; a new key would not open this store")
}
