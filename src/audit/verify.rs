//! Walks the whole trail and checks every link; the base of `verify` and `export`.
//!
//! It begins with record 1, or after what was archived: then a record of the trail itself has to say so, with the number and
//! the hash of the record it begins after.

use crate::audit::Audit;
use crate::audit::archive;
use crate::audit::chain::{Frame, Head, Misfit, NoFrame};
use crate::audit::cut;
use crate::audit::error::AuditError;
use crate::audit::mark::reaches;
use crate::audit::segment::{self, Reader, SavedHead};
use crate::base::clock::Wall;
use std::fs::File;
use std::io;
use std::path::Path;

/// A trail that holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// How many records it has.
    pub records: u64,
    /// How many segment files.
    pub segments: u64,
    /// The last record that is not in it: archived. 0 for a trail that begins with its first.
    pub archived: Head,
    /// Where it stands: compare with a head noted elsewhere to know that nothing was cut off since.
    pub head: Head,
    /// Bytes of all good records.
    pub bytes: u64,
    /// Bytes at the very end that are no record: being written right now, or torn by a crash. No acknowledged record.
    pub unfinished_bytes: u64,
}

/// Checks the whole trail; needs no lock and does no harm to a writer.
///
/// Errs with `Broken` naming the first record that was changed, removed or moved.
pub fn verify(dir: &Path) -> Result<Report, AuditError> {
    walk(dir, Reach::Trail, &mut |_| Ok(()))
}

/// The same, from the oldest archive on that is still here.
pub fn verify_all(dir: &Path) -> Result<Report, AuditError> {
    walk(dir, Reach::WithArchives, &mut |_| Ok(()))
}

/// How far back a walk begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// With the first record that was not archived.
    Trail,
    /// With the oldest archive that is still beside the trail and joins it.
    WithArchives,
}

/// What a look at the whole trail found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// When.
    pub at: Wall,
    /// The trail, where it holds.
    pub report: Option<Report>,
    /// The first record that is not as it was written, where it does not.
    pub broken: Option<String>,
}

/// A look that began so lately counts for whoever asks again.
const LATELY_MS: u64 = 2_000;

impl Audit {
    /// Looks at the whole trail now, one caller at a time. Errs with `Io` when it cannot be read.
    pub async fn check(&self, now: Wall) -> Result<Checked, AuditError> {
        let mut last = self.checked().lock().await;
        if let Some(last) = last.as_ref().filter(|last| now.0.abs_diff(last.at.0) < LATELY_MS) {
            return Ok(last.clone());
        }
        let (dir, mark) = (self.dir(), self.mark());
        let look = move || {
            let report = verify(&dir)?;
            mark.map_or(Ok(()), |mark| reaches(&mark, &report))?;
            Ok(report)
        };
        let found = tokio::task::spawn_blocking(look).await.map_err(|_| AuditError::Closed)?;
        let checked = match found {
            Ok(report) => Checked { at: now, report: Some(report), broken: None },
            Err(error @ AuditError::Broken { .. }) => Checked { at: now, report: None, broken: Some(error.to_string()) },
            Err(error) => return Err(error),
        };
        *last = Some(checked.clone());
        Ok(checked)
    }

    /// What the last look found, unless one is under way.
    pub fn last_check(&self) -> Option<Checked> {
        self.checked().try_lock().ok()?.clone()
    }
}

/// Gives each record to `each` once it is known to be as it was written.
pub(crate) fn walk(dir: &Path, reach: Reach, each: &mut dyn FnMut(&Frame) -> Result<(), AuditError>) -> Result<Report, AuditError> {
    // Read before the records: they may grow meanwhile, and the head must not be ahead of what we see.
    let saved = segment::saved_head(dir)?;
    let mut numbers = segment::list(dir)?;
    if let (Reach::WithArchives, Some(first)) = (reach, numbers.first().copied()) {
        let archived = archive::list(dir)?;
        let joined = (1..first).rev().take_while(|number| archived.contains(number)).last();
        numbers.splice(0..0, joined.unwrap_or(first)..first);
    }
    let mut walk = Walk { saved: saved.reached(), report: Report::default(), is_explained: false, each };
    for (place, number) in (numbers.first().copied().unwrap_or(1)..).zip(&numbers) {
        walk.segment(dir, *number, place, Some(number) == numbers.last())?;
    }
    walk.begins_as_it_says()?;
    let report = walk.report;
    if report.head.seq < walk.saved.seq {
        let (next, last) = (report.head.seq + 1, walk.saved.seq);
        return Err(AuditError::broken(next, format!("it and all up to record {last} are missing")));
    }
    match saved {
        SavedHead::At(_) => Ok(report),
        // A trail that begins, perhaps after a crash at that very moment.
        SavedHead::Missing | SavedHead::Empty if numbers.is_empty() => Ok(report),
        SavedHead::Missing => Err(AuditError::broken(report.head.seq + 1, "the head file is missing: later records may have been removed")),
        SavedHead::Empty | SavedHead::Unreadable => {
            Err(AuditError::broken(report.head.seq + 1, "the head file is unreadable: later records may have been removed"))
        }
    }
}

struct Walk<'a> {
    saved: Head,
    report: Report,
    /// A record says that what is not here any more was archived.
    is_explained: bool,
    each: &'a mut dyn FnMut(&Frame) -> Result<(), AuditError>,
}

impl Walk<'_> {
    fn segment(&mut self, dir: &Path, number: u64, place: u64, is_last: bool) -> Result<(), AuditError> {
        let next = self.report.head.seq + 1;
        if number != place {
            return Err(AuditError::broken(next, format!("segment {place} is missing")));
        }
        let (mut reader, length) = opened(dir, number)?;
        let Some(header) = reader.header.filter(|header| header.number == number) else {
            return self.unfinished(is_last, length, "its segment does not begin as it was written");
        };
        if self.report.segments == 0 && number > 1 {
            if header.before.seq == 0 {
                return Err(AuditError::broken(1, "segment 1 is missing"));
            }
            self.report.head = header.before;
            self.report.archived = header.before;
        }
        self.follows(header.before.seq + 1, header.before == self.report.head)?;
        self.report.segments += 1;
        loop {
            let (at, no_frame) = match reader.frame() {
                Ok((_, frame)) => {
                    self.frame(&frame)?;
                    continue;
                }
                Err(no_frame) => (reader.offset, no_frame),
            };
            return match no_frame {
                NoFrame::End => Ok(()),
                NoFrame::Io(e) if archive::is_damage(&e) => self.unfinished(false, 0, "its archive is damaged"),
                NoFrame::Io(e) => Err(AuditError::io("reading a segment")(e)),
                NoFrame::Short => self.unfinished(is_last, length.saturating_sub(at), "it ends in the middle"),
                NoFrame::Wrong(why) => self.unfinished(is_last, length.saturating_sub(at), why),
            };
        }
    }

    /// Nobody takes the oldest records away without a trace.
    fn begins_as_it_says(&self) -> Result<(), AuditError> {
        let before = self.report.archived.seq;
        if before == 0 || self.is_explained {
            return Ok(());
        }
        Err(AuditError::broken(1, format!("it and all up to record {before} are missing, and no record says that they were archived")))
    }

    fn frame(&mut self, frame: &Frame) -> Result<(), AuditError> {
        let before = self.report.head;
        match self.report.head.follow(frame) {
            Err(Misfit::Sequence) => self.follows(frame.seq, false)?,
            Err(Misfit::Previous) => return Err(changed(before.seq.max(1))),
            Ok(()) => {}
        }
        if frame.seq == self.saved.seq && self.report.head.hash != self.saved.hash {
            return Err(changed(frame.seq));
        }
        self.report.records += 1;
        self.report.bytes += frame.len();
        if self.report.archived.seq > 0 && !self.is_explained {
            self.is_explained = cut::names(frame, self.report.archived);
        }
        (self.each)(frame)
    }

    /// Checks that the record that comes is the one that is due, and follows what stands before it.
    fn follows(&self, comes: u64, hash_fits: bool) -> Result<(), AuditError> {
        let due = self.report.head.seq + 1;
        match comes {
            comes if comes != due => Err(AuditError::broken(due, format!("record {comes} stands in its place"))),
            _ if !hash_fits => Err(changed(self.report.head.seq.max(1))),
            _ => Ok(()),
        }
    }

    /// Unreadable bytes are harmless only at the very end, after all that was confirmed.
    fn unfinished(&mut self, is_last: bool, bytes: u64, why: &str) -> Result<(), AuditError> {
        if is_last && self.report.head.seq >= self.saved.seq {
            self.report.unfinished_bytes = bytes;
            return Ok(());
        }
        Err(AuditError::broken(self.report.head.seq + 1, why))
    }
}

/// A segment, or the archive of it, and how long the segment is; 0 for an archive.
fn opened(dir: &Path, number: u64) -> Result<(Reader, u64), AuditError> {
    // The length of what was opened: its name may be gone the next moment.
    let segment = File::open(segment::path(dir, number)).and_then(|file| {
        let length = file.metadata()?.len();
        Ok((Reader::on(Box::new(file))?, length))
    });
    match segment {
        // An archive that was asked for, or made since we looked: it has its name before the segment loses its own.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok((archive::reader(dir, number)?, 0)),
        opened => opened.map_err(AuditError::io("reading a segment")),
    }
}

fn changed(seq: u64) -> AuditError {
    AuditError::broken(seq, "it was changed: what follows it was written after another record")
}

/// All records, each with its segment and where it ends in it.
#[cfg(all(test, feature = "sim"))]
pub(crate) fn with_ends(dir: &Path) -> Result<Vec<(std::path::PathBuf, u64, crate::audit::Stored)>, AuditError> {
    let mut all = Vec::new();
    for number in segment::list(dir)? {
        let path = segment::path(dir, number);
        let mut reader = Reader::open(&path).map_err(AuditError::io("reading a segment"))?;
        while let Ok((at, frame)) = reader.frame() {
            all.push((path.clone(), at + frame.len(), crate::audit::record::decode(frame.seq, &frame.payload)?));
        }
    }
    Ok(all)
}
