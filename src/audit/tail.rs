//! Finds where the trail goes on after a stop, a crash or a theft.
//!
//! What is unreadable after the saved head was never acknowledged as durable: it is kept beside (`.torn`) and cut off.
//! What is unreadable *before* it is evidence: it stays as it is, and the chain goes on from the saved head in a new
//! segment, so that `verify` names the loss for good.

use crate::audit::chain::{Frame, Head};
use crate::audit::error::AuditError;
use crate::audit::segment::{self, HEADER_BYTES, Reader, SavedHead};
use crate::host::files;
use crate::store::sync_parent;
use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// Where the next record goes.
#[derive(Debug)]
pub(crate) struct Tail {
    /// The segment to go on in, or the last one there is.
    pub(crate) number: u64,
    /// Where its good part ends; `None`: a new segment comes after it.
    pub(crate) end: Option<u64>,
    /// The record to follow.
    pub(crate) head: Head,
    /// Some of its records and where they begin, for the index.
    pub(crate) marks: Vec<(u64, u64)>,
}

/// Looks at the last segment and mends a torn end. The caller holds the trail's lock.
pub(crate) fn recover(dir: &Path) -> Result<Tail, AuditError> {
    let saved = segment::saved_head(dir)?;
    let mut numbers = segment::list(dir)?;
    let begins = matches!(saved, SavedHead::Missing | SavedHead::Empty) && numbers.is_empty();
    if !matches!(saved, SavedHead::At(_)) && !begins {
        tracing::error!("the head of the audit trail is missing or unreadable; records may have been removed");
    }
    let reached = saved.reached();
    while let Some(number) = numbers.pop() {
        let path = segment::path(dir, number);
        let scan = scan(&path, number, reached).map_err(AuditError::io("reading the last segment"))?;
        match scan {
            Scan::Good(tail) if tail.head.seq < reached.seq || tail.spoilt => {
                tracing::error!(
                    record = tail.head.seq + 1,
                    "acknowledged audit records are missing or changed; `audit verify` has the details"
                );
                return Ok(Tail { number, end: None, head: reached, marks: Vec::new() });
            }
            Scan::Good(tail) => {
                if let Some(torn_at) = tail.torn_at {
                    keep_torn(&path, torn_at).map_err(AuditError::io("mending the last segment"))?;
                }
                return Ok(Tail { number, end: Some(tail.end), head: tail.head, marks: tail.marks });
            }
            // A crash while it was being made: no record was in it yet, unless the one before it ends too early.
            Scan::NoHeader => keep_torn(&path, 0).map_err(AuditError::io("mending the last segment"))?,
        }
    }
    Ok(Tail { number: 0, end: None, head: reached, marks: Vec::new() })
}

enum Scan {
    NoHeader,
    Good(Scanned),
}

struct Scanned {
    head: Head,
    end: u64,
    torn_at: Option<u64>,
    /// The record at the saved head is not the one the head names.
    spoilt: bool,
    marks: Vec<(u64, u64)>,
}

/// One in this many records has its place remembered.
pub(crate) const MARK_EVERY: u64 = 32;

fn scan(path: &Path, number: u64, reached: Head) -> io::Result<Scan> {
    let mut reader = Reader::open(path)?;
    let Some(header) = reader.header.filter(|h| h.number == number) else { return Ok(Scan::NoHeader) };
    let mut seen = Scanned { head: header.before, end: HEADER_BYTES, torn_at: None, spoilt: false, marks: Vec::new() };
    while let Ok((at, frame)) = reader.frame() {
        // Hashing is for what was never confirmed; the rest is `verify`'s business, and start-up has to be quick.
        let confirmed = frame.seq < reached.seq;
        let follows = if confirmed { frame.seq == seen.head.seq + 1 } else { next(&mut seen.head, &frame, reached) };
        if !follows {
            break;
        }
        if confirmed {
            seen.head.seq = frame.seq;
        }
        if (frame.seq - header.before.seq - 1).is_multiple_of(MARK_EVERY) {
            seen.marks.push((frame.seq, at));
        }
        seen.end = reader.offset;
        seen.spoilt |= frame.seq == reached.seq && seen.head.hash != reached.hash;
    }
    seen.torn_at = (std::fs::metadata(path)?.len() > seen.end).then_some(seen.end);
    Ok(Scan::Good(seen))
}

fn next(head: &mut Head, frame: &Frame, reached: Head) -> bool {
    // The hashes before the saved head were skipped, so its own link is not checked here either.
    if frame.seq == reached.seq && frame.seq == head.seq + 1 {
        *head = Head { seq: frame.seq, hash: frame.hash() };
        return true;
    }
    head.follow(frame).is_ok()
}

/// Copies what is from `at` on beside the segment, then cuts it off; a header that never was takes the file with it.
fn keep_torn(path: &Path, at: u64) -> io::Result<()> {
    tracing::warn!(segment = %path.display(), at, "a crash tore the end of the audit trail; keeping it beside");
    let evidence = free_name(path);
    if at == 0 {
        std::fs::rename(path, evidence)?;
        return sync_parent(path);
    }
    let mut segment = files::unlinked().read(true).write(true).open(path)?;
    segment.seek(SeekFrom::Start(at))?;
    let mut copy = File::create_new(&evidence)?;
    io::copy(&mut segment, &mut copy)?;
    copy.sync_all()?;
    sync_parent(path)?;
    segment.set_len(at)?;
    segment.sync_all()
}

fn free_name(path: &Path) -> PathBuf {
    let name = |n: u32| {
        let mut name = path.as_os_str().to_owned();
        name.push(if n == 0 { ".torn".to_owned() } else { format!(".{n}.torn") });
        PathBuf::from(name)
    };
    (0..).map(name).find(|candidate| !candidate.exists()).expect("there are free names")
}
