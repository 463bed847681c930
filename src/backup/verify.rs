//! Opening a backup: everything is unpacked beside, compared with the manifest, and the store in it opened.

use crate::backup::create::{Scratch, tables};
use crate::backup::error::BackupError;
use crate::backup::lock::Opener;
use crate::backup::manifest::{Hashing, MANIFEST_MAX, Manifest};
use crate::backup::shelf::{ABANDONED, sweep};
use crate::backup::{MANIFEST, STORE};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// A backup that was opened, in a directory of its own that goes with this.
pub(super) struct Opened {
    pub(super) manifest: Manifest,
    dir: Scratch,
}

impl Opened {
    /// Where an entry was unpacked.
    pub(super) fn part(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }
}

/// Opens a backup fully, restores nothing; what it needs meanwhile lies in `scratch`.
///
/// Errs with `Unreadable`, `Shut`, `Damaged`, `Newer` or `Io`.
pub async fn verify(file: &Path, opener: &Opener, scratch: &Path) -> Result<Manifest, BackupError> {
    Ok(open(file, opener, scratch).await?.manifest)
}

/// Opens one and keeps it open.
pub(super) async fn open(file: &Path, opener: &Opener, scratch: &Path) -> Result<Opened, BackupError> {
    sweep(scratch, ABANDONED);
    let (file, opener, dir) = (file.to_owned(), opener.clone(), Scratch::in_dir(scratch, "opened"));
    let unpacked = tokio::task::spawn_blocking(move || unpack(&file, &opener, dir)).await;
    let opened = unpacked.map_err(|error| BackupError::damaged(error.to_string()))??;
    let found: BTreeMap<String, u64> = tables(&opened.part(STORE)).await?.into_iter().collect();
    // A build with more tables than the one that made it adds none by opening.
    if found != opened.manifest.tables {
        return Err(BackupError::damaged("its store holds other rows than its manifest says"));
    }
    Ok(opened)
}

fn unpack(file: &Path, opener: &Opener, mut dir: Scratch) -> Result<Opened, BackupError> {
    let path = file;
    let file = File::open(path).map_err(|source| BackupError::Unreadable { path: path.to_owned(), source })?;
    dir.make_dir().map_err(BackupError::io("making a directory"))?;
    let mut tar = tar::Archive::new(opener.open(BufReader::new(file))?);
    let mut entries = tar.entries().map_err(broken)?;
    let mut next = |wanted: &str| match entries.next() {
        None => Err(BackupError::damaged(format!("it ends before {wanted}"))),
        Some(Err(error)) => Err(broken(error)),
        Some(Ok(entry)) => {
            let fits = entry.header().entry_type().is_file() && entry.path_bytes() == wanted.as_bytes();
            if fits { Ok(entry) } else { Err(BackupError::damaged(format!("something else stands where {wanted} belongs"))) }
        }
    };
    let mut text = Vec::new();
    next(MANIFEST)?.take(MANIFEST_MAX).read_to_end(&mut text).map_err(broken)?;
    let manifest = Manifest::read(&text)?;
    for part in &manifest.parts {
        let entry = next(&part.name)?;
        // The names are ours: the manifest has no others.
        let out = OpenOptions::new().write(true).create_new(true).mode(0o600).open(dir.path().join(&part.name));
        let mut out = BufWriter::new(out.map_err(BackupError::io("unpacking"))?);
        let mut hashing = Hashing::new(entry.take(part.bytes.saturating_add(1)));
        copy(&mut hashing, &mut out)?;
        out.flush().and_then(|()| out.get_ref().sync_all()).map_err(BackupError::io("unpacking"))?;
        if hashing.part(&part.name) != *part {
            return Err(BackupError::damaged(format!("{} is not what the manifest says", part.name)));
        }
    }
    match entries.next() {
        None => {}
        Some(Ok(_)) => return Err(BackupError::damaged("it holds more than its manifest names")),
        Some(Err(error)) => return Err(broken(error)),
    }
    // The last chunk is marked as such: a file that was cut short shows here.
    let mut rest = tar.into_inner();
    io::copy(&mut rest, &mut io::sink()).map_err(broken)?;
    Ok(Opened { manifest, dir })
}

/// Reading and writing fail for different reasons: one is the backup's, the other the disk's.
fn copy(from: &mut impl Read, to: &mut impl Write) -> Result<(), BackupError> {
    let mut buffer = vec![0; 64 << 10];
    loop {
        let read = from.read(&mut buffer).map_err(broken)?;
        if read == 0 {
            return Ok(());
        }
        to.write_all(buffer.get(..read).unwrap_or_default()).map_err(BackupError::io("unpacking"))?;
    }
}

fn broken(error: io::Error) -> BackupError {
    BackupError::damaged(error.to_string())
}
