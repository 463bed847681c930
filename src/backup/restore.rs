//! Putting a backup in the place of what is here.
//!
//! - Everything is opened and checked first; a refusal changes nothing.
//! - What was here is kept beside, under `before-restore-…`; the new store takes its name in one step, so that a power cut
//!   leaves the old one or the new one.
//! - The epoch moves on, so that the appliance knows at its next start that its store is an older one: plans that were being
//!   applied then need a person, approvals and sessions are void.
//! - What people switched off here stays off, whatever the backup says; where the store that is replaced cannot be read, that is
//!   told.
//! - Secrets are sealed under the master key they were sealed with. Where that key is gone they are gone: the restore says so
//!   first, and with `without_secrets` removes what nobody can open. On a fresh box, where there is neither a state nor any key, it
//!   goes on without them: nothing is lost by that, since the backup can be restored again beside its key.

use crate::access::switches::Switches;
use crate::backup::create::Scratch;
use crate::backup::error::BackupError;
use crate::backup::lock::Opener;
use crate::backup::manifest::Manifest;
use crate::backup::verify::{Opened, open};
use crate::backup::{CONFIG, MASTER_KEY, STORE};
use crate::base::clock::Wall;
use crate::base::ids::{hex, random};
use crate::store::{Epoch, Field, Options, Seal, Store, StoreError, reseal, seal, sync_parent};
use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Where it is restored to.
pub struct Target {
    /// The state directory.
    pub state: PathBuf,
    /// The store file.
    pub store: PathBuf,
    /// The epoch file.
    pub epoch: PathBuf,
    /// The key file.
    pub key_file: PathBuf,
    /// The master key of the configuration, where it gives one; else the key file counts.
    pub configured: Option<Zeroizing<[u8; 32]>>,
    /// What is sealed, and where.
    pub sealed: Vec<Field>,
}

/// What was done.
#[derive(Debug, Clone)]
pub struct Restored {
    /// What the backup said about itself.
    pub manifest: Manifest,
    /// Where the state from before lies; nothing where there was none.
    pub before: Option<PathBuf>,
    /// Where the backup's settings lie, to be looked through and put in place by hand.
    pub config: PathBuf,
    /// The master key came out of the backup.
    pub with_master_key: bool,
    /// No key was here and none came: the next start makes one.
    pub new_master_key: bool,
    /// What has to be entered again, a line each.
    pub missing: Vec<String>,
    /// Kill switches of the state from before that the backup did not have, and that stay on.
    pub switches: Option<String>,
    /// Why the switches of the state from before could not be read: they have to be set again.
    pub switches_lost: Option<String>,
}

/// Restores one. Nobody may have the store open meanwhile; whoever has is asked by opening it.
///
/// Errs with `OtherKey` where its secrets could not be opened, something is here already and `without_secrets` is not said, and as
/// verifying does.
pub async fn restore(file: &Path, opener: &Opener, target: &Target, without_secrets: bool, now: Wall) -> Result<Restored, BackupError> {
    let next = reseal::next_file(&target.key_file);
    if next.exists() {
        return Err(BackupError::Exists(next));
    }
    let opened = open(file, opener, &target.state).await?;
    let (keys, manifest) = (key_of(&opened, target)?, opened.manifest.clone());
    let mut missing: Vec<String> = manifest.left_out.iter().map(|key| format!("setting {key}")).collect();
    let is_fresh = target.configured.is_none() && !target.store.exists() && !target.key_file.exists();
    if let Keys::Lost { found } = &keys {
        if !without_secrets && !is_fresh {
            return Err(BackupError::OtherKey { wanted: manifest.key_id.clone(), found: found.clone() });
        }
        let store = Store::open(Options { volatile_ok: true, ..Options::at(opened.part(STORE)) })?;
        let lost = reseal::forget(&store, &target.sealed).await;
        store.close().await?;
        missing.extend(lost?.into_iter().map(|(what, rows)| format!("{what}: {rows}")));
    }
    let (switches, switches_lost) = match keep_switches(target, &opened.part(STORE), now).await {
        Ok(kept) => (kept, None),
        Err(held @ StoreError::Held { .. }) => return Err(held.into()),
        Err(error) => (None, Some(error.to_string())),
    };
    let before = set_aside(target, now)?;
    if let Keys::Inside = &keys {
        // Beside a key that is here, as if the key were being changed: whichever store stands when the power goes, the next
        // start opens it and puts this key in its place.
        let to = if target.key_file.exists() { reseal::next_file(&target.key_file) } else { target.key_file.clone() };
        place(&opened.part(MASTER_KEY), &to)?;
    }
    let config = target.state.join("restored-config.toml");
    place(&opened.part(CONFIG), &config)?;
    Epoch::pass(&target.epoch, &opened.part(STORE)).await?;
    place(&opened.part(STORE), &target.store)?;
    let (with_master_key, new_master_key) = (matches!(keys, Keys::Inside), is_fresh && matches!(keys, Keys::Lost { .. }));
    Ok(Restored { manifest, before, config, with_master_key, new_master_key, missing, switches, switches_lost })
}

/// Puts what is switched off here into the store that is to take its place.
async fn keep_switches(target: &Target, restored: &Path, now: Wall) -> Result<Option<String>, StoreError> {
    if !target.store.exists() {
        return Ok(None);
    }
    let at = |path: &Path| Store::open(Options { volatile_ok: true, ..Options::at(path) });
    let (here, store) = (at(&target.store)?, at(restored)?);
    let kept = Switches::keep_stricter(&here, &store, now).await;
    store.close().await?;
    here.close().await?;
    kept
}

enum Keys {
    /// The one that is here fits.
    Here,
    /// The backup brings it.
    Inside,
    /// Neither.
    Lost { found: String },
}

fn key_of(opened: &Opened, target: &Target) -> Result<Keys, BackupError> {
    let wanted = &opened.manifest.key_id;
    if let Some(key) = &target.configured {
        let id = Seal::new(key).key_id();
        let found = format!("encryption_key is {id}");
        return Ok(if id == *wanted { Keys::Here } else { Keys::Lost { found } });
    }
    if target.key_file.exists() && Seal::new(&*seal::load_or_create_master(&target.key_file)?).key_id() == *wanted {
        return Ok(Keys::Here);
    }
    if opened.manifest.has_master_key() {
        let text = Zeroizing::new(std::fs::read_to_string(opened.part(MASTER_KEY)).map_err(BackupError::io("reading the key"))?);
        let key = seal::parse_master(&text).ok_or_else(|| BackupError::damaged("its master key is none"))?;
        if Seal::new(&key).key_id() != *wanted {
            return Err(BackupError::damaged("its master key is not the one its secrets are sealed with"));
        }
        return Ok(Keys::Inside);
    }
    let found = if target.key_file.exists() { "another one is here" } else { "there is none here" };
    Ok(Keys::Lost { found: found.into() })
}

/// Keeps what is here: the store by a second name, so that it stands in its place until the new one does.
fn set_aside(target: &Target, now: Wall) -> Result<Option<PathBuf>, BackupError> {
    const KEEPING: &str = "keeping what was here";
    let here: Vec<&PathBuf> = [&target.store, &target.key_file].into_iter().filter(|path| path.exists()).collect();
    if here.is_empty() {
        return Ok(None);
    }
    let stamp: String = now.rfc3339().chars().filter(char::is_ascii_digit).take(14).collect();
    let dir = target.state.join(format!("before-restore-{stamp}-{}", hex(&random::<2>())));
    DirBuilder::new().mode(0o700).create(&dir).map_err(BackupError::io(KEEPING))?;
    for path in here {
        let to = dir.join(path.file_name().unwrap_or_default());
        let kept = std::fs::hard_link(path, &to).or_else(|_| std::fs::copy(path, &to).map(drop));
        kept.and_then(|()| sync_parent(&to)).map_err(BackupError::io(KEEPING))?;
    }
    Ok(Some(dir))
}

/// Moves an unpacked part to its place in one step; across file systems by way of a copy beside it.
fn place(from: &Path, to: &Path) -> Result<(), BackupError> {
    const PLACING: &str = "putting it in place";
    let moved = match std::fs::rename(from, to) {
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
            let beside = Scratch::in_dir(to.parent().unwrap_or(Path::new(".")), "restore");
            std::fs::copy(from, beside.path())
                .and_then(|_| std::fs::File::open(beside.path())?.sync_all())
                .and_then(|()| std::fs::rename(beside.path(), to))
        }
        moved => moved,
    };
    moved.and_then(|()| sync_parent(to)).map_err(BackupError::io(PLACING))
}
