//! What a segment is written to: a file, or in tests something with faults.

use crate::host::files;
use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

/// A file as the writer needs it.
pub(crate) trait Medium: Send {
    fn write_at(&mut self, bytes: &[u8], at: u64) -> io::Result<()>;
    fn cut(&mut self, len: u64) -> io::Result<()>;
    fn sync(&mut self) -> io::Result<()>;
}

/// Opens a segment; made if it is not there.
pub(crate) type Open = Box<dyn Fn(&Path) -> io::Result<Box<dyn Medium>> + Send>;

impl Medium for File {
    fn write_at(&mut self, bytes: &[u8], at: u64) -> io::Result<()> {
        self.write_all_at(bytes, at)
    }

    fn cut(&mut self, len: u64) -> io::Result<()> {
        self.set_len(len)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}

/// The real thing, mode 0600, and no link to another.
pub(crate) fn file(path: &Path) -> io::Result<Box<dyn Medium>> {
    Ok(Box::new(files::unlinked().write(true).create(true).truncate(false).mode(0o600).open(path)?))
}
