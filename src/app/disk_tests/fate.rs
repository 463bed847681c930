//! What befalls the disk under an appliance: every operation on the store's file and on the trail's is counted, and from a chosen one on
//! they fail. Nothing is really flushed; what would have been is remembered, so that a power cut can take the rest away.

use crate::app::Media;
use crate::audit::{self, Medium};
use crate::store::{Disk, FileDisk};
use redb::StorageBackend;
use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

/// What is done to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Act {
    Open,
    Read,
    Write,
    SetLen,
    Sync,
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    /// No room, until somebody frees some: half of what is written arrives.
    Full,
    /// Nothing can be changed for so many operations.
    ReadOnly(u64),
    /// This one operation fails, whatever it is.
    Once,
    /// The power goes. Of what was not flushed there is afterwards: nothing, all, or half the sectors.
    Power(Kept),
}

/// What a power cut leaves of what was not flushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kept {
    Nothing,
    All,
    Half,
}

impl Trouble {
    pub(super) fn kind(self) -> &'static str {
        match self {
            Trouble::Full => "full",
            Trouble::ReadOnly(_) => "read-only",
            Trouble::Once => "one I/O error",
            Trouble::Power(_) => "power cut",
        }
    }

    /// Whether it makes a difference that it begins at such an operation, and not at the next.
    pub(super) fn begins_at(self, act: Act) -> bool {
        match self {
            Trouble::Full => matches!(act, Act::Write | Act::SetLen),
            Trouble::ReadOnly(_) => matches!(act, Act::Write | Act::SetLen | Act::Open),
            Trouble::Once => true,
            Trouble::Power(_) => matches!(act, Act::Write | Act::SetLen | Act::Sync),
        }
    }

    /// Whether what is there can be read all the time.
    pub(super) fn is_readable(self) -> bool {
        matches!(self, Trouble::Full | Trouble::ReadOnly(_))
    }
}

/// The disk; clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Fate(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    count: u64,
    trouble: Option<(u64, Trouble)>,
    /// How many operations failed.
    failed: u64,
    /// Nothing is as it was any more: the machine is off.
    is_off: bool,
    acts: Vec<Act>,
    /// Files as they were when last flushed.
    flushed: HashMap<PathBuf, Vec<u8>>,
    keeps_flushed: bool,
    /// How far the trail is flushed, over all segments.
    trail: BTreeMap<PathBuf, u64>,
}

const SECTOR: usize = 512;

impl Fate {
    /// From operation `at` on.
    pub(super) fn of(at: u64, trouble: Trouble) -> Fate {
        let keeps_flushed = matches!(trouble, Trouble::Power(_));
        Fate(Arc::new(Mutex::new(State { trouble: Some((at, trouble)), keeps_flushed, ..State::default() })))
    }

    pub(super) fn media(&self) -> Media {
        let (ours, theirs) = (self.clone(), self.clone());
        Media {
            store: Box::new(move |disk| Box::new(Faulty { fate: ours.clone(), path: disk.path().to_owned(), disk })),
            trail: Box::new(move |path| {
                theirs.operate(Act::Open)?;
                Ok(Box::new(Segment { fate: theirs.clone(), file: audit::file(path)?, path: path.to_owned() }))
            }),
        }
    }

    pub(super) fn count(&self) -> u64 {
        self.state().count
    }

    pub(super) fn failed(&self) -> u64 {
        self.state().failed
    }

    /// What each operation was; the first is number 1.
    pub(super) fn acts(&self) -> Vec<Act> {
        self.state().acts.clone()
    }

    pub(super) fn is_off(&self) -> bool {
        self.state().is_off
    }

    /// How far the trail is on the disk.
    pub(super) fn trail(&self) -> BTreeMap<PathBuf, u64> {
        self.state().trail.clone()
    }

    /// From the next operation on.
    pub(super) fn begin(&self, trouble: Trouble) {
        let mut state = self.state();
        state.trouble = Some((state.count + 1, trouble));
    }

    /// Room is freed, the file system is writable again.
    pub(super) fn heal(&self) {
        self.state().trouble = None;
    }

    /// The power is back: files are what a cut leaves.
    pub(super) fn power_on(&self, kept: Kept, seed: u64) {
        let mut state = self.state();
        let mut chance = seed | 1;
        for (path, flushed) in &state.flushed {
            // One that was being made has its name by now, or does not count.
            let Ok(now) = std::fs::read(path) else { continue };
            let mut left = flushed.clone();
            if kept != Kept::Nothing {
                left.resize(now.len().max(flushed.len()), 0);
                for (n, sector) in now.chunks(SECTOR).enumerate() {
                    chance = chance.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(0x1405_7B7E_F767_814F);
                    if kept == Kept::All || chance >> 63 == 0 {
                        left[n * SECTOR..n * SECTOR + sector.len()].copy_from_slice(sector);
                    }
                }
            }
            std::fs::write(path, left).unwrap();
        }
        (state.trouble, state.is_off) = (None, false);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    fn operate(&self, act: Act) -> io::Result<()> {
        let mut state = self.state();
        state.count += 1;
        state.acts.push(act);
        let count = state.count;
        let Some((_, trouble)) = state.trouble.filter(|(at, _)| count >= *at) else { return Ok(()) };
        let at = state.trouble.map(|(at, _)| at).unwrap_or_default();
        let is_change = matches!(act, Act::Write | Act::SetLen);
        let error = match trouble {
            Trouble::Full if is_change => io::Error::from(io::ErrorKind::StorageFull),
            Trouble::ReadOnly(span) if count < at + span && (is_change || act == Act::Open) => {
                io::Error::from(io::ErrorKind::ReadOnlyFilesystem)
            }
            Trouble::Once if count == at => io::Error::from_raw_os_error(5),
            Trouble::Power(_) => {
                state.is_off = true;
                io::Error::other("no power")
            }
            _ => return Ok(()),
        };
        state.failed += 1;
        Err(error)
    }

    fn flush(&self, path: &Path, is_trail: bool) {
        let mut state = self.state();
        if is_trail {
            let len = std::fs::metadata(path).unwrap().len();
            state.trail.insert(path.to_owned(), len);
        }
        if state.keeps_flushed {
            let bytes = std::fs::read(path).unwrap();
            state.flushed.insert(path.to_owned(), bytes);
        }
    }

    /// What was there before anybody wrote.
    fn first_seen(&self, path: &Path) {
        let mut state = self.state();
        if state.keeps_flushed && !state.flushed.contains_key(path) {
            let bytes = std::fs::read(path).unwrap_or_default();
            state.flushed.insert(path.to_owned(), bytes);
        }
    }

    /// The length of a file is in the file system's journal.
    fn resized(&self, path: &Path, len: u64) {
        if let Some(flushed) = self.state().flushed.get_mut(path) {
            flushed.resize(len as usize, 0);
        }
    }
}

struct Faulty {
    fate: Fate,
    disk: FileDisk,
    path: PathBuf,
}

impl Disk for Faulty {
    fn open(&self) -> io::Result<Box<dyn StorageBackend>> {
        self.fate.operate(Act::Open)?;
        let inner = self.disk.open()?;
        self.fate.first_seen(&self.path);
        Ok(Box::new(Backend { fate: self.fate.clone(), inner, path: self.path.clone() }))
    }

    fn release(&self) {
        self.disk.release();
    }
}

#[derive(Debug)]
struct Backend {
    fate: Fate,
    inner: Box<dyn StorageBackend>,
    path: PathBuf,
}

impl StorageBackend for Backend {
    fn len(&self) -> io::Result<u64> {
        self.inner.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.fate.operate(Act::Read)?;
        self.inner.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.fate.operate(Act::SetLen)?;
        self.inner.set_len(len)?;
        self.fate.resized(&self.path, len);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        self.fate.operate(Act::Sync)?;
        self.fate.flush(&self.path, false);
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        torn(self.fate.operate(Act::Write), data, |data| self.inner.write(offset, data))
    }
}

struct Segment {
    fate: Fate,
    file: Box<dyn Medium>,
    path: PathBuf,
}

impl Medium for Segment {
    fn write_at(&mut self, bytes: &[u8], at: u64) -> io::Result<()> {
        self.fate.first_seen(&self.path);
        torn(self.fate.operate(Act::Write), bytes, |bytes| self.file.write_at(bytes, at))
    }

    fn cut(&mut self, len: u64) -> io::Result<()> {
        self.fate.first_seen(&self.path);
        self.fate.operate(Act::SetLen)?;
        self.file.cut(len)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.fate.operate(Act::Sync)?;
        self.fate.flush(&self.path, self.path.extension().is_some_and(|end| end == "seg"));
        Ok(())
    }
}

/// On a full disk the first half of what is written still arrives.
fn torn(may: io::Result<()>, bytes: &[u8], write: impl FnOnce(&[u8]) -> io::Result<()>) -> io::Result<()> {
    match may {
        Ok(()) => write(bytes),
        Err(error) if error.kind() == io::ErrorKind::StorageFull => {
            write(&bytes[..bytes.len() / 2])?;
            Err(error)
        }
        Err(error) => Err(error),
    }
}
