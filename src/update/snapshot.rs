//! The store as it was before an update, and the way back to it.
//!
//! It lies in `update-snapshot/` beside the store, named by the id of the update. It is put back before the store is
//! opened, by the version before, and by nobody else: root writes nothing where the service could have laid a link.

use crate::access::switches::Switches;
use crate::base::clock::Clock;
use crate::host::files;
use crate::store::{Epoch, Options, Store, StoreError, sync_parent};
use crate::update::error::UpdateError;
use crate::update::swap::{Layout, Turn};
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// The reason that stands in a note when a person asked.
pub const ASKED: &str = "asked for by";

/// Where snapshots are.
#[derive(Debug, Clone)]
pub struct Snapshots {
    dir: PathBuf,
}

impl Snapshots {
    /// On the file system of the store, so that it can take its place in one step.
    pub fn beside(store: &Path) -> Snapshots {
        Snapshots { dir: store.with_file_name("update-snapshot") }
    }

    fn store(&self, id: &str) -> PathBuf {
        self.dir.join(format!("{id}.redb"))
    }

    fn wanted(&self, id: &str) -> PathBuf {
        self.dir.join(format!("{id}.wanted"))
    }

    /// The store that was in place when this one was put back.
    pub fn set_aside(&self, id: &str) -> PathBuf {
        self.dir.join(format!("{id}.after.redb"))
    }

    /// Whether there is one.
    pub fn has(&self, id: &str) -> bool {
        self.store(id).exists()
    }

    /// Copies the store and the configuration, and opens the copy: what cannot be opened is no way back. The ones of earlier
    /// updates stay until this one is kept: it may not come to that.
    pub async fn take(&self, id: &str, store: &Store, config: Option<&Path>) -> Result<(), UpdateError> {
        self.drop(id)?;
        DirBuilder::new().recursive(true).mode(0o700).create(&self.dir).map_err(UpdateError::io("making", &self.dir))?;
        let fresh = self.dir.join(format!("{id}.new"));
        store.copy_to(&fresh).await?;
        let copy = Store::open(Options { volatile_ok: true, ..Options::at(&fresh) })?;
        copy.close().await?;
        if let Some(config) = config {
            let to = self.dir.join(format!("{id}.config"));
            fs::copy(config, &to).map_err(UpdateError::io("copying the configuration to", &to))?;
        }
        let place = self.store(id);
        fs::rename(&fresh, &place).and_then(|()| sync_parent(&place)).map_err(UpdateError::io("writing", &place))
    }

    /// Removes that of an update which did not happen.
    pub fn drop(&self, id: &str) -> Result<(), UpdateError> {
        self.remove(|name| name.starts_with(id))
    }

    /// Removes those of all others.
    pub fn keep_only(&self, id: Option<&str>) -> Result<(), UpdateError> {
        self.remove(|name| id.is_none_or(|id| !name.starts_with(id)))
    }

    fn remove(&self, goes: impl Fn(&str) -> bool) -> Result<(), UpdateError> {
        let entries = match fs::read_dir(&self.dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries.map_err(UpdateError::io("looking into", &self.dir))?,
        };
        for entry in entries.flatten().filter(|entry| entry.file_name().to_str().is_some_and(&goes)) {
            fs::remove_file(entry.path()).map_err(UpdateError::io("removing", &entry.path()))?;
        }
        Ok(())
    }

    /// Says that the store of before is wanted when the version is taken back.
    pub fn want(&self, id: &str) -> Result<(), UpdateError> {
        if !self.has(id) {
            return Ok(());
        }
        let mark = self.wanted(id);
        // Whatever stands there says the same; a link would lead elsewhere.
        let made = files::unlinked().write(true).create(true).truncate(false).open(&mark);
        let written = made.and_then(|file| file.sync_all()).and_then(|()| sync_parent(&mark));
        written.map_err(UpdateError::io("writing", &mark))
    }

    /// Before the store is opened: puts the snapshot back where the version it was taken for was taken back. What was in place
    /// is kept beside. Answers what was taken back, if the store was.
    ///
    /// Errs with `Held` while another process has the store.
    pub async fn put_back(&self, layout: &Layout, store: &Path, epoch: &Path) -> Result<Option<Turn>, UpdateError> {
        let Some(turn) = layout.rolled_back().filter(|turn| self.has(&turn.id)) else { return Ok(None) };
        if turn.reason.starts_with(ASKED) && !self.wanted(&turn.id).exists() {
            return Ok(None);
        }
        let lock = self.dir.join("lock");
        let lock = files::unlinked().create(true).append(true).open(&lock).map_err(UpdateError::io("opening", &lock))?;
        rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive)
            .map_err(|error| UpdateError::io("locking", store)(error.into()))?;
        if !self.has(&turn.id) {
            return Ok(None);
        }
        let aside = self.set_aside(&turn.id);
        if store.exists() {
            match Store::open(Options { volatile_ok: true, ..Options::at(store) }) {
                Err(error @ StoreError::Held { .. }) => return Err(error.into()),
                // Newer or damaged: that is why the one before comes back.
                Err(_) => {}
                Ok(open) => {
                    // What people switched off since stays off.
                    let before = Store::open(Options { volatile_ok: true, ..Options::at(self.store(&turn.id)) })?;
                    let kept = Switches::keep_stricter(&open, &before, Clock::system().wall()).await;
                    before.close().await?;
                    open.close().await?;
                    if let Err(error) = kept {
                        tracing::error!(%error, "what was switched off since could not be read: look at the kill switches");
                    }
                }
            }
            fs::rename(store, &aside).and_then(|()| sync_parent(&aside)).map_err(UpdateError::io("setting aside", store))?;
        }
        // Whoever opens it learns that it is older than what was done since.
        Epoch::pass(epoch, &self.store(&turn.id)).await?;
        let back = fs::rename(self.store(&turn.id), store).and_then(|()| sync_parent(store));
        back.map_err(UpdateError::io("putting back", store))?;
        Ok(Some(turn))
    }
}
