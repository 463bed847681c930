//! Files in directories that others may have written to.
//!
//! The state directory belongs to the service, and root's command line works in it, beside a service that may have been taken
//! over. Such a service can lay a link under a name of ours, or put another directory in the place of one of ours, at any moment;
//! root would then read, remove, write or give away whatever that leads to. Files are opened without following links, and several
//! steps in one directory go through the directory itself, held open.

use rustix::fs::{AtFlags, Mode, OFlags};
use std::ffi::OsStr;
use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Options that open no link: where one stands in the place of the file, opening errs.
pub fn unlinked() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.custom_flags(OFlags::NOFOLLOW.bits() as i32);
    options
}

/// Who runs this process.
pub fn own_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// A directory that is held: what is put in its place meanwhile is another one.
#[derive(Debug)]
pub struct HeldDir(File);

impl HeldDir {
    /// Wherever the path leads.
    pub fn open(path: &Path) -> io::Result<Self> {
        Self::with(OFlags::empty(), path)
    }

    /// The directory itself, no link to one.
    pub fn open_unlinked(path: &Path) -> io::Result<Self> {
        Self::with(OFlags::NOFOLLOW, path)
    }

    fn with(more: OFlags, path: &Path) -> io::Result<Self> {
        OpenOptions::new().read(true).custom_flags((OFlags::DIRECTORY | more).bits() as i32).open(path).map(HeldDir)
    }

    /// Whose it is.
    pub fn metadata(&self) -> io::Result<Metadata> {
        self.0.metadata()
    }

    /// A plain file of `owner` with no other name, for reading.
    ///
    /// Errs with `PermissionDenied` for anything else that has the name.
    pub fn read(&self, name: &OsStr, owner: u32) -> io::Result<File> {
        // Not waiting: a pipe would have us wait for whoever writes to it.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = File::from(rustix::fs::openat(&self.0, name, flags, Mode::empty())?);
        let meta = file.metadata()?;
        if meta.is_file() && meta.nlink() == 1 && meta.uid() == owner { Ok(file) } else { Err(io::ErrorKind::PermissionDenied.into()) }
    }

    /// Removes the name.
    pub fn remove(&self, name: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&self.0, name, AtFlags::empty())?)
    }

    /// Makes a file, mode 0600, for writing. Errs where the name is taken.
    pub fn create(&self, name: &OsStr) -> io::Result<File> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(File::from(rustix::fs::openat(&self.0, name, flags, Mode::RUSR | Mode::WUSR)?))
    }

    /// Removes what has the name, with all that is in it, and makes an empty directory of ours, mode 0700.
    pub fn fresh(&self, name: &str) -> io::Result<HeldDir> {
        let path = self.path().join(name);
        match std::fs::remove_dir_all(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => std::fs::DirBuilder::new().mode(0o700).create(&path)?,
        }
        let made = HeldDir::open_unlinked(&path)?;
        if made.metadata()?.uid() == own_uid() { Ok(made) } else { Err(io::ErrorKind::PermissionDenied.into()) }
    }

    /// Gives it to somebody.
    pub fn give(&self, uid: u32, gid: u32) -> io::Result<()> {
        std::os::unix::fs::fchown(&self.0, Some(uid), Some(gid))
    }

    /// A path to the directory that is held, whatever has its name by now.
    fn path(&self) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}", self.0.as_raw_fd()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn only_a_plain_file_of_its_owner_with_one_name_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        std::fs::write(at("plain"), "said").unwrap();
        std::fs::write(at("twice"), "").unwrap();
        std::fs::hard_link(at("twice"), at("again")).unwrap();
        std::os::unix::fs::symlink(at("plain"), at("link")).unwrap();
        std::fs::create_dir(at("directory")).unwrap();
        rustix::fs::mkfifoat(rustix::fs::CWD, at("pipe"), Mode::RUSR | Mode::WUSR).unwrap();
        let held = HeldDir::open(dir.path()).unwrap();
        let mut said = String::new();
        held.read(OsStr::new("plain"), own_uid()).unwrap().read_to_string(&mut said).unwrap();
        assert_eq!(said, "said");
        for name in ["twice", "link", "directory", "pipe", "none"] {
            assert!(held.read(OsStr::new(name), own_uid()).is_err(), "{name}");
        }
        assert!(held.read(OsStr::new("plain"), own_uid() + 1).is_err(), "somebody else's");
    }

    #[test]
    fn a_directory_that_is_held_is_worked_in_whatever_takes_its_place() {
        let dir = tempfile::tempdir().unwrap();
        let (ours, theirs) = (dir.path().join("ours"), dir.path().join("theirs"));
        for place in [&ours, &theirs] {
            std::fs::create_dir_all(place.join("uploads")).unwrap();
            std::fs::write(place.join("uploads/kept"), "").unwrap();
            std::fs::write(place.join("file"), "").unwrap();
        }
        let held = HeldDir::open_unlinked(&ours).unwrap();
        std::fs::rename(&ours, dir.path().join("away")).unwrap();
        std::os::unix::fs::symlink(&theirs, &ours).unwrap();
        held.fresh("uploads").unwrap().create(OsStr::new("new")).unwrap();
        held.remove(OsStr::new("file")).unwrap();
        assert!(theirs.join("uploads/kept").exists() && theirs.join("file").exists());
        let names: Vec<_> = std::fs::read_dir(dir.path().join("away/uploads")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["new"]);
        assert!(HeldDir::open_unlinked(&ours).is_err(), "a link");
        // And a link in the place of what is to be made anew is removed, not followed.
        std::fs::remove_dir_all(dir.path().join("away/uploads")).unwrap();
        std::os::unix::fs::symlink(theirs.join("uploads"), dir.path().join("away/uploads")).unwrap();
        held.fresh("uploads").unwrap();
        assert!(theirs.join("uploads/kept").exists());
    }
}
