//! Where records stand, for reading backwards: some marks in the present segment, first numbers of the others.
//!
//! Kept in memory and small: 16 bytes a mark, a mark for 32 records, and only for the present segment and the older one
//! looked at last.

use crate::audit::error::AuditError;
use crate::audit::segment::{self, HEADER_BYTES, Reader};
use crate::audit::tail::{MARK_EVERY, Tail};
use std::path::{Path, PathBuf};

/// The trail's table of contents.
#[derive(Debug)]
pub(crate) struct Index {
    dir: PathBuf,
    /// `(number, first seq)` of each segment, in order.
    segments: Vec<(u64, u64)>,
    /// Of the last segment.
    present: Marks,
}

/// Places in one segment.
#[derive(Debug, Clone, Default)]
pub(crate) struct Marks {
    number: u64,
    places: Vec<(u64, u64)>,
    end: u64,
}

/// A stretch of records that is read at once.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) path: PathBuf,
    /// The first record in it.
    pub(crate) first: u64,
    pub(crate) from: u64,
    pub(crate) to: u64,
}

impl Index {
    /// Reads the headers of all segments; what was found in the last one is in `tail`.
    pub(crate) fn new(dir: &Path, tail: &Tail) -> Result<Index, AuditError> {
        let mut segments = Vec::new();
        for number in segment::list(dir)? {
            let reader = Reader::open(&segment::path(dir, number)).map_err(AuditError::io("reading a segment"))?;
            segments.extend(reader.header.map(|header| (number, header.before.seq + 1)));
        }
        let present = match tail.end {
            Some(end) => Marks { number: tail.number, places: tail.marks.clone(), end },
            None => Marks::default(),
        };
        Ok(Index { dir: dir.to_owned(), segments, present })
    }

    /// A new segment begins with this record.
    pub(crate) fn begin(&mut self, number: u64, first: u64) {
        self.segments.push((number, first));
        self.present = Marks { number, places: Vec::new(), end: HEADER_BYTES };
    }

    /// Records were added to the present segment.
    pub(crate) fn grow(&mut self, added: &[(u64, u64)], end: u64) {
        for &(seq, at) in added {
            if self.present.places.last().is_none_or(|(last, _)| seq >= last + MARK_EVERY) {
                self.present.places.push((seq, at));
            }
        }
        self.present.end = end;
    }

    /// The segments that are full, the oldest first.
    pub(crate) fn sealed(&self) -> Vec<u64> {
        let (_, sealed) = self.segments.split_last().unwrap_or((&(0, 0), &[]));
        sealed.iter().map(|(number, _)| *number).collect()
    }

    /// A segment is no longer here.
    pub(crate) fn forget(&mut self, number: u64) {
        self.segments.retain(|(here, _)| *here != number);
    }

    /// The oldest segment is here after all.
    pub(crate) fn bring_back(&mut self, number: u64, first: u64) {
        self.segments.insert(0, (number, first));
    }

    /// The first record that is here; 1 where there is none yet.
    pub(crate) fn first(&self) -> u64 {
        self.segments.first().map_or(1, |(_, first)| *first)
    }

    /// The stretch that holds the newest records before this one. `older` keeps the marks of one older segment.
    pub(crate) fn block_before(&self, before: u64, older: &mut Marks) -> Result<Option<Block>, AuditError> {
        for &(number, _) in self.segments.iter().rev().filter(|(_, first)| *first < before) {
            let marks = if number == self.present.number {
                &self.present
            } else {
                if older.number != number {
                    *older = Marks::read(&self.dir, number)?;
                }
                &*older
            };
            if let Some((first, from, to)) = marks.block_before(before) {
                return Ok(Some(Block { path: segment::path(&self.dir, number), first, from, to }));
            }
        }
        Ok(None)
    }
}

impl Marks {
    fn read(dir: &Path, number: u64) -> Result<Marks, AuditError> {
        let failed = AuditError::io("reading a segment");
        let mut reader = Reader::open(&segment::path(dir, number)).map_err(failed)?;
        let mut marks = Marks { number, places: Vec::new(), end: HEADER_BYTES };
        let mut n = 0;
        while let Ok((at, frame)) = reader.frame() {
            if u64::is_multiple_of(n, MARK_EVERY) {
                marks.places.push((frame.seq, at));
            }
            n += 1;
            marks.end = reader.offset;
        }
        Ok(marks)
    }

    fn block_before(&self, before: u64) -> Option<(u64, u64, u64)> {
        let next = self.places.partition_point(|(seq, _)| *seq < before);
        let (first, from) = *self.places.get(next.checked_sub(1)?)?;
        let to = self.places.get(next).map_or(self.end, |(_, at)| *at);
        Some((first, from, to))
    }
}
