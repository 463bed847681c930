//! The few things a switch does to the disk, each an operation of its own, so that a test can cut the power between any two.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, symlink};
use std::path::Path;

/// Operations, in the order they are asked for.
pub trait Disk {
    /// A directory; one that is there is fine.
    fn make_dir(&mut self, path: &Path) -> io::Result<()>;
    /// Bytes at the end of a file, which is made when it is not there.
    fn append(&mut self, path: &Path, bytes: &[u8]) -> io::Result<()>;
    /// Permissions.
    fn set_mode(&mut self, path: &Path, mode: u32) -> io::Result<()>;
    /// A file or directory is on the disk when it returns.
    fn sync(&mut self, path: &Path) -> io::Result<()>;
    /// Takes another's place in one step.
    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()>;
    /// A symbolic link.
    fn link(&mut self, target: &Path, at: &Path) -> io::Result<()>;
    /// A file or link; one that is not there is fine.
    fn remove(&mut self, path: &Path) -> io::Result<()>;
    /// A directory and all below it; one that is not there is fine.
    fn remove_dir(&mut self, path: &Path) -> io::Result<()>;
}

/// The real one.
#[derive(Debug, Default)]
pub struct Real;

impl Disk for Real {
    fn make_dir(&mut self, path: &Path) -> io::Result<()> {
        fs::create_dir_all(path)
    }

    fn append(&mut self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        OpenOptions::new().create(true).append(true).mode(0o644).open(path)?.write_all(bytes)
    }

    fn set_mode(&mut self, path: &Path, mode: u32) -> io::Result<()> {
        fs::set_permissions(path, Permissions::from_mode(mode))
    }

    fn sync(&mut self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn link(&mut self, target: &Path, at: &Path) -> io::Result<()> {
        symlink(target, at)
    }

    fn remove(&mut self, path: &Path) -> io::Result<()> {
        missing_is_fine(fs::remove_file(path))
    }

    fn remove_dir(&mut self, path: &Path) -> io::Result<()> {
        missing_is_fine(fs::remove_dir_all(path))
    }
}

fn missing_is_fine(done: io::Result<()>) -> io::Result<()> {
    match done {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}
