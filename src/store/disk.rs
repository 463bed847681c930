//! Where the store file lies: its lock, the kind of file system under it, and how to open it again.

use crate::host::files;
use crate::store::error::StoreError;
use redb::StorageBackend;
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// What an engine's file lies on. Tests bring their own, with faults.
pub(crate) trait Disk: Send + Sync + 'static {
    /// A fresh way to the same bytes.
    fn open(&self) -> io::Result<Box<dyn StorageBackend>>;
    /// Nobody here needs the file any more.
    fn release(&self);
}

/// A file, locked for as long as we have it.
pub(crate) struct FileDisk {
    path: PathBuf,
    lock: Mutex<Option<File>>,
    /// Flush when told to. Not while the file is being made: nobody relies on it before it has its name.
    flushes: bool,
}

impl FileDisk {
    /// Makes the file if need be (mode 0600) and locks it. An operator may have put it elsewhere, behind a link.
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        FileDisk::with(OpenOptions::new(), path)
    }

    fn with(mut options: OpenOptions, path: &Path) -> Result<Self, StoreError> {
        let file = options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)
            .map_err(|e| StoreError::Shut { path: path.to_owned(), source: Arc::new(e) })?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StoreError::Held { path: path.to_owned() }),
            Err(TryLockError::Error(e)) => return Err(StoreError::io("locking the file", e)),
        }
        Ok(FileDisk { path: path.to_owned(), lock: Mutex::new(Some(file)), flushes: true })
    }

    /// The same, and nobody relies on it yet.
    pub(crate) fn without_flushing(mut self) -> Self {
        self.flushes = false;
        self
    }

    /// The file; while it is made, the one beside.
    #[cfg(all(test, feature = "sim"))]
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// Makes a store file that is not there yet: `fill` fills a file beside it, which is then renamed. A power cut leaves the
/// whole file or none; redb would not open one whose making was cut short.
pub(crate) fn make(path: &Path, fill: impl FnOnce(FileDisk) -> Result<(), StoreError>) -> Result<(), StoreError> {
    let failed = |e| StoreError::io("making the file", e);
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    let disk = FileDisk::with(files::unlinked(), &part).map_err(|error| match error {
        StoreError::Held { .. } => StoreError::Held { path: path.to_owned() },
        other => other,
    })?;
    // Keeps the lock until the file has its name, though `fill` closes its own handle.
    let hold = disk.lock.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(File::try_clone);
    let hold = hold.ok_or(io::ErrorKind::NotConnected.into()).flatten().map_err(failed)?;
    if is_made(path) {
        return std::fs::remove_file(&part).map_err(failed);
    }
    hold.set_len(0).map_err(failed)?;
    fill(disk.without_flushing())?;
    hold.sync_all().map_err(failed)?;
    std::fs::rename(&part, path).and_then(|()| sync_parent(path)).map_err(failed)
}

/// Whether there is a store file already. An empty file holds nothing that could be lost.
pub(crate) fn is_made(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|m| m.len() > 0)
}

impl Disk for FileDisk {
    fn open(&self) -> io::Result<Box<dyn StorageBackend>> {
        let file = OpenOptions::new().read(true).write(true).open(&self.path)?;
        let lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        let (here, held) = (file.metadata()?, lock.as_ref().ok_or(io::ErrorKind::NotConnected)?.metadata()?);
        // A file put in place of the one we locked may be another process's.
        if (here.dev(), here.ino()) != (held.dev(), held.ino()) {
            return Err(io::Error::other("the file was replaced while we held it"));
        }
        Ok(Box::new(Plain { file, flushes: self.flushes }))
    }

    fn release(&self) {
        *self.lock.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// A file without redb's own locks, which would refuse a second handle of this process.
#[derive(Debug)]
struct Plain {
    file: File,
    flushes: bool,
}

impl StorageBackend for Plain {
    fn len(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read_exact_at(out, offset)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        if self.flushes { self.file.sync_data() } else { Ok(()) }
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.file.write_all_at(data, offset)
    }
}

/// Makes a new or renamed directory entry survive a power cut.
pub(crate) fn sync_parent(path: &Path) -> io::Result<()> {
    File::open(directory(path))?.sync_all()
}

fn directory(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Removes a file; one that is not there is fine.
pub(crate) fn remove_if_there(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// What a file system's type says about keeping state on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ground {
    /// RAM, by this name.
    Volatile(&'static str),
    /// Raw flash: every write wears it.
    Flash,
    /// Anything else.
    Firm,
}

/// How much room a file system has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// Bytes that may be written by whoever is not root.
    pub free: u64,
    /// Bytes in all.
    pub total: u64,
}

impl Space {
    /// On the file system below a path that exists. Asks the kernel: over a network that may take its time.
    pub fn at(path: &Path) -> io::Result<Space> {
        let found = rustix::fs::statvfs(path)?;
        Ok(Space { free: found.f_bavail.saturating_mul(found.f_frsize), total: found.f_blocks.saturating_mul(found.f_frsize) })
    }

    /// What is free, of a hundred; a file system that tells no size has room.
    pub fn free_percent(self) -> u64 {
        let percent = (u128::from(self.free) * 100).checked_div(u128::from(self.total));
        percent.map_or(100, |percent| percent as u64)
    }
}

/// Looks at the file system below a path (which need not exist yet, its directory must).
pub(crate) fn ground(path: &Path) -> Result<Ground, StoreError> {
    let seen = if path.exists() { path } else { directory(path) };
    let stat = rustix::fs::statfs(seen).map_err(|e| StoreError::io("looking at the file system", e.into()))?;
    Ok(ground_of(stat.f_type as u32))
}

/// Types from `linux/magic.h`.
fn ground_of(magic: u32) -> Ground {
    match magic {
        0x0102_1994 => Ground::Volatile("tmpfs"),
        0x8584_58f6 => Ground::Volatile("ramfs"),
        0x0000_72b6 | 0x2405_1905 => Ground::Flash, // jffs2, ubifs
        _ => Ground::Firm,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ram_is_volatile_and_raw_flash_is_spared() {
        assert_eq!(ground_of(0x0102_1994), Ground::Volatile("tmpfs"));
        assert_eq!(ground_of(0x8584_58f6), Ground::Volatile("ramfs"));
        assert_eq!(ground_of(0x2405_1905), Ground::Flash);
        assert_eq!(ground_of(0xef53), Ground::Firm, "ext4");
        assert_eq!(ground_of(0x794c_7630), Ground::Firm, "overlayfs, as in containers and on OpenWrt");
    }

    #[test]
    fn a_link_in_the_place_of_a_new_store_is_not_written_through() {
        let dir = tempfile::tempdir_in(concat!(env!("CARGO_MANIFEST_DIR"), "/target")).unwrap();
        let (path, other) = (dir.path().join("s.redb"), dir.path().join("other"));
        std::fs::write(&other, "somebody else's").unwrap();
        std::os::unix::fs::symlink(&other, dir.path().join("s.redb.part")).unwrap();
        assert!(matches!(make(&path, |_| Ok(())), Err(StoreError::Shut { .. })));
        assert_eq!(std::fs::read_to_string(&other).unwrap(), "somebody else's");
    }

    #[test]
    fn room_is_told_as_a_part_of_the_whole() {
        let space = Space::at(Path::new(".")).unwrap();
        assert!(space.total > 0 && space.free <= space.total && space.free_percent() <= 100);
        assert_eq!(Space { free: 5, total: 0 }.free_percent(), 100);
        assert_eq!(Space { free: u64::MAX, total: u64::MAX }.free_percent(), 100);
        assert_eq!(Space { free: 19, total: 1_000 }.free_percent(), 1);
    }

    #[test]
    fn a_file_put_in_place_of_ours_is_not_opened() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s.redb");
        let disk = FileDisk::open(&path).unwrap();
        std::fs::rename(&path, dir.path().join("old")).unwrap();
        std::fs::write(&path, b"").unwrap();
        assert!(Disk::open(&disk).unwrap_err().to_string().contains("replaced"));
    }
}
