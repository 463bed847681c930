//! Making a backup while everything goes on.
//!
//! The store is copied as of one moment, and the copy opened and counted before it is packed: what cannot be opened is
//! not kept. The file has its name only once it is whole and on the disk.

use crate::audit;
use crate::backup::error::BackupError;
use crate::backup::lock::Lock;
use crate::backup::manifest::{AuditHead, Hashing, Manifest, Part};
use crate::backup::shelf::Parts;
use crate::backup::{CONFIG, MANIFEST, MASTER_KEY, STORE};
use crate::base::ids::{hex, random};
use crate::store::{Options, Store, sync_parent};
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, BufWriter, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// A file or directory that is gone when nobody needs it any more.
pub(super) struct Scratch {
    path: PathBuf,
    /// Holds a directory's lock: who sweeps knows that somebody works in it.
    lock: Option<File>,
}

impl Scratch {
    /// A name beside the others of a directory, taken by nobody.
    pub(super) fn in_dir(dir: &Path, what: &str) -> Scratch {
        Scratch::at(dir.join(format!(".{what}-{}", hex(&random::<8>()))))
    }

    /// Whether it is a name as they have: a directory of somebody's disk may hold others' hidden files.
    pub(super) fn is_name(name: &str) -> bool {
        let parts = name.strip_prefix('.').and_then(|name| name.split_once('-'));
        parts.is_some_and(|(what, random)| {
            ["store", "backup", "opened", "restore"].contains(&what)
                && random.len() == 16
                && random.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
        })
    }

    /// One that an earlier process left.
    pub(super) fn at(path: PathBuf) -> Scratch {
        Scratch { path, lock: None }
    }

    /// Makes the directory, for ourselves alone and for as long as this lives.
    pub(super) fn make_dir(&mut self) -> io::Result<()> {
        DirBuilder::new().mode(0o700).create(&self.path)?;
        let held = File::open(&self.path)?;
        match held.try_lock() {
            // Where locks are unknown, its age has to tell.
            Ok(()) | Err(TryLockError::Error(_)) => {}
            Err(TryLockError::WouldBlock) => return Err(io::ErrorKind::WouldBlock.into()),
        }
        self.lock = Some(held);
        Ok(())
    }

    /// Whether a directory of such a name was left by a process that is no more.
    pub(super) fn is_deserted(path: &Path) -> bool {
        path.is_dir() && File::open(path).is_ok_and(|dir| dir.try_lock().is_ok())
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let gone = if self.path.is_dir() { std::fs::remove_dir_all(&self.path) } else { std::fs::remove_file(&self.path) };
        drop(self.lock.take());
        if let Err(error) = gone
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(path = %self.path.display(), %error, "a file of a backup could not be removed");
        }
    }
}

/// Makes one at `to`, which must not be there; answers its manifest.
pub(super) async fn create(parts: &Parts, lock: Lock, master: Option<Zeroizing<String>>, to: &Path) -> Result<Manifest, BackupError> {
    if to.exists() {
        return Err(BackupError::Exists(to.to_owned()));
    }
    if parts.seal.is_changing() {
        return Err(BackupError::Changing);
    }
    let dir = to.parent().unwrap_or(Path::new("."));
    let copy = Scratch::in_dir(dir, "store");
    let mut manifest = Manifest::new(parts.clock.wall(), &parts.environment, parts.seal.key_id());
    let head = audit::reach(&parts.audit_dir).map_err(|error| BackupError::damaged(error.to_string()))?;
    manifest.audit = AuditHead { seq: head.seq, hash: hex(&head.hash) };
    manifest.left_out = parts.left_out.clone();
    parts.store.copy_to(copy.path()).await?;
    if parts.seal.is_changing() || parts.seal.key_id() != manifest.key_id {
        return Err(BackupError::Changing);
    }
    manifest.tables = tables(copy.path()).await?.into_iter().collect();
    let (config, to) = (parts.config.clone(), to.to_owned());
    let packed = move || -> Result<Manifest, BackupError> {
        let part = Scratch::in_dir(to.parent().unwrap_or(Path::new(".")), "backup");
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(part.path());
        let file = file.map_err(BackupError::io("making the file"))?;
        pack(&mut manifest, copy.path(), &config, master.as_ref(), &lock, &file)?;
        file.sync_all().map_err(BackupError::io("writing the file"))?;
        // Not over one that somebody else has made meanwhile.
        let placed = match std::fs::hard_link(part.path(), &to) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(BackupError::Exists(to)),
            // File systems without hard links.
            Err(_) => std::fs::rename(part.path(), &to),
            linked => linked,
        };
        placed.and_then(|()| sync_parent(&to)).map_err(BackupError::io("writing the file"))?;
        Ok(manifest)
    };
    tokio::task::spawn_blocking(packed).await.map_err(|error| BackupError::damaged(error.to_string()))?
}

/// Opens a store file on its own and counts the rows of its tables.
pub(super) async fn tables(path: &Path) -> Result<Vec<(String, u64)>, BackupError> {
    let store = Store::open(Options { volatile_ok: true, ..Options::at(path) })?;
    let tables = store.tables();
    store.close().await?;
    Ok(tables?)
}

fn pack(
    manifest: &mut Manifest,
    store: &Path,
    config: &str,
    master: Option<&Zeroizing<String>>,
    lock: &Lock,
    to: &File,
) -> Result<(), BackupError> {
    const PACKING: &str = "packing";
    let mut opened = File::open(store).map_err(BackupError::io(PACKING))?;
    manifest.parts = vec![digested(STORE, &mut opened)?, digested(CONFIG, config.as_bytes())?];
    if let Some(key) = master {
        manifest.parts.push(digested(MASTER_KEY, key.as_bytes())?);
    }
    let text = serde_json::to_vec_pretty(manifest).map_err(|error| BackupError::damaged(error.to_string()))?;
    let mut shut = lock.shut(BufWriter::new(to))?;
    let mut tar = tar::Builder::new(&mut shut);
    let mut append = |name: &str, bytes: u64, from: &mut dyn Read| {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes);
        header.set_mode(0o600);
        header.set_entry_type(tar::EntryType::Regular);
        tar.append_data(&mut header, name, from).map_err(BackupError::io(PACKING))
    };
    append(MANIFEST, text.len() as u64, &mut text.as_slice())?;
    let opened = File::open(store).map_err(BackupError::io(PACKING))?;
    append(STORE, manifest.parts[0].bytes, &mut io::BufReader::new(opened))?;
    append(CONFIG, config.len() as u64, &mut config.as_bytes())?;
    if let Some(key) = master {
        append(MASTER_KEY, key.len() as u64, &mut key.as_bytes())?;
    }
    tar.into_inner().map_err(BackupError::io(PACKING))?;
    let mut file = shut.finish().map_err(BackupError::io(PACKING))?;
    file.flush().map_err(BackupError::io(PACKING))
}

fn digested(name: &str, mut from: impl Read) -> Result<Part, BackupError> {
    let mut hashing = Hashing::new(io::sink());
    io::copy(&mut from, &mut hashing).map_err(BackupError::io("packing"))?;
    Ok(hashing.part(name))
}
