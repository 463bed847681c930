//! Whether this store is the one that was here last: a number in it, and the same number in a file beside it.
//!
//! The number goes up at each start and before each change of a router; first in the store, then in the file. A store that knows a
//! smaller number than the file is an older one put back: what was done since, it does not know. A file that is gone or cannot be
//! read tells nothing, and is made again.

use crate::store::disk::remove_if_there;
use crate::store::engine::{Batch, Durability};
use crate::store::error::StoreError;
use crate::store::{Options, Store};
use std::path::{Path, PathBuf};
use tokio::sync::Mutex;

const TABLE: &str = "appliance";
const KEY: &str = "epoch";

/// The number, in both places.
pub struct Epoch {
    store: Store,
    file: PathBuf,
    now: Mutex<u64>,
    is_older: bool,
}

impl Epoch {
    /// Compares the two; changes neither.
    pub fn open(store: Store, file: &Path) -> Result<Epoch, StoreError> {
        let kept = store.get(TABLE, KEY)?.and_then(|bytes| Some(u64::from_le_bytes(bytes.as_slice().try_into().ok()?))).unwrap_or(0);
        let beside = beside(file);
        Ok(Epoch { store, file: file.to_owned(), now: Mutex::new(kept.max(beside)), is_older: beside > kept })
    }

    /// Whether a store was worked with here, by the file beside it.
    pub fn was_counted(file: &Path) -> bool {
        beside(file) > 0
    }

    /// Makes sure that a store which is about to be put in place will be taken for an older one: moves the number beside past its own.
    pub async fn pass(file: &Path, store: &Path) -> Result<(), StoreError> {
        let store = Store::open(Options { volatile_ok: true, ..Options::at(store) })?;
        let epoch = Epoch::open(store.clone(), file);
        store.close().await?;
        let next = *epoch?.now.lock().await + 1;
        write_beside(file, next).map_err(|error| StoreError::io("writing the epoch", error))
    }

    /// Whether an older store was put back since the last time.
    pub fn is_older(&self) -> bool {
        self.is_older
    }

    /// From here on an older store is told from this one. On the disk when it returns.
    pub async fn advance(&self) -> Result<(), StoreError> {
        let mut now = self.now.lock().await;
        let next = *now + 1;
        self.store.commit(Batch::new().put(TABLE, KEY, next.to_le_bytes().to_vec()), Durability::Now).await?;
        // Beside first under another name: a cut in the middle leaves the old number, which is smaller and tells nothing.
        let file = self.file.clone();
        let written = tokio::task::spawn_blocking(move || write_beside(&file, next));
        match written.await {
            Ok(Ok(())) => {}
            // Nothing is lost but the chance to notice a store put back later.
            failed => tracing::warn!(?failed, "the epoch file could not be written"),
        }
        *now = next;
        Ok(())
    }
}

fn beside(file: &Path) -> u64 {
    std::fs::read_to_string(file).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0)
}

fn write_beside(file: &Path, number: u64) -> std::io::Result<()> {
    let beside = file.with_extension("new");
    // Made anew: what stands there may be a link.
    remove_if_there(&beside)?;
    let mut to = std::fs::File::create_new(&beside)?;
    std::io::Write::write_all(&mut to, format!("{number}\n").as_bytes())?;
    to.sync_all()?;
    std::fs::rename(&beside, file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_in_the_place_of_the_new_number_is_not_written_through() {
        let dir = tempfile::tempdir_in(concat!(env!("CARGO_MANIFEST_DIR"), "/target")).unwrap();
        let (file, other) = (dir.path().join("epoch"), dir.path().join("other"));
        std::fs::write(&other, "somebody else's").unwrap();
        std::os::unix::fs::symlink(&other, dir.path().join("epoch.new")).unwrap();
        write_beside(&file, 7).unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "7\n");
        assert_eq!(std::fs::read_to_string(&other).unwrap(), "somebody else's");
    }

    #[tokio::test]
    async fn a_store_put_back_is_told_from_the_one_that_was_here() {
        let dir = tempfile::tempdir_in(concat!(env!("CARGO_MANIFEST_DIR"), "/target")).unwrap();
        let (path, file) = (dir.path().join("s.redb"), dir.path().join("epoch"));
        let open = || Store::open(Options::at(path.clone())).unwrap();
        let store = open();
        let epoch = Epoch::open(store.clone(), &file).unwrap();
        assert!(!epoch.is_older(), "a new one");
        epoch.advance().await.unwrap();
        drop(epoch);
        store.close().await.unwrap();
        let copy = std::fs::read(&path).unwrap();
        let store = open();
        let epoch = Epoch::open(store.clone(), &file).unwrap();
        assert!(!epoch.is_older(), "the same one");
        epoch.advance().await.unwrap();
        drop(epoch);
        store.close().await.unwrap();
        std::fs::write(&path, copy).unwrap();
        let store = open();
        let epoch = Epoch::open(store.clone(), &file).unwrap();
        assert!(epoch.is_older(), "the copy of before");
        epoch.advance().await.unwrap();
        drop(epoch);
        assert!(!Epoch::open(store.clone(), &file).unwrap().is_older(), "said once");
        std::fs::remove_file(&file).unwrap();
        assert!(!Epoch::open(store, &file).unwrap().is_older(), "without the file nobody can tell");
    }
}
