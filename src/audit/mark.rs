//! How far the trail reached, in a file beside its directory: a directory that is gone altogether tells nothing itself.
//!
//! ```text
//! NUMBER          the trail reached at least this record
//! NUMBER missing  and once it was found without it
//! ```
//! Written seldom, as nothing depends on how exact it is. Once records were missing it stays as it is, whatever is recorded
//! since: an operator who knows why takes the file away.

use crate::audit::error::AuditError;
use crate::audit::verify::Report;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

const MISSING: &str = "missing";

/// What the file says; 0 where there is none, or nothing that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Mark {
    pub(crate) reached: u64,
    pub(crate) is_missing: bool,
}

impl Mark {
    pub(crate) fn read(file: &Path) -> Mark {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        let mut words = text.split_whitespace();
        let reached = words.next().and_then(|number| number.parse().ok()).unwrap_or(0);
        Mark { reached, is_missing: words.next() == Some(MISSING) }
    }

    /// What is wrong with a trail that reaches this far, if anything is.
    fn wrong_with(self, seq: u64) -> Option<AuditError> {
        match self {
            Mark { reached, is_missing: true } => Some(AuditError::broken(
                1,
                format!("the records up to {reached} of an earlier trail are missing; the present one began without them"),
            )),
            Mark { reached, .. } if reached > seq => {
                Some(AuditError::broken(seq + 1, format!("it and all up to record {reached} are missing")))
            }
            Mark { .. } => None,
        }
    }

    /// Notes how far it reaches now. Nothing is lost but the chance to notice when it cannot be written.
    pub(crate) fn write(self, file: &Path) {
        let word = if self.is_missing { format!(" {MISSING}") } else { String::new() };
        if let Err(error) = replaced(file, &format!("{}{word}\n", self.reached)) {
            tracing::warn!(%error, "how far the audit trail reaches could not be noted");
        }
    }
}

fn replaced(file: &Path, text: &str) -> io::Result<()> {
    let beside = file.with_extension("new");
    match std::fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    // Made anew: what stood there may have been a link.
    let mut to = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
    to.write_all(text.as_bytes())?;
    to.sync_all()?;
    std::fs::rename(&beside, file)
}

/// Whether the trail reaches as far as it once did, by the file beside it. Errs with `Broken` naming the first record that is missing.
pub fn reaches(file: &Path, report: &Report) -> Result<(), AuditError> {
    Mark::read(file).wrong_with(report.head.seq).map_or(Ok(()), Err)
}

/// The same in a moment, by the trail's own word for how far it reaches: for looks that do not walk all of it.
pub fn reaches_by_its_head(file: &Path, dir: &Path) -> Result<(), AuditError> {
    let seq = crate::audit::reach(dir)?.seq;
    Mark::read(file).wrong_with(seq).map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_reads_back_and_anything_else_tells_nothing() {
        let dir = tempfile::tempdir_in(concat!(env!("CARGO_MANIFEST_DIR"), "/target")).unwrap();
        let file = dir.path().join("trail.reached");
        assert_eq!(Mark::read(&file), Mark::default());
        for mark in [Mark { reached: 7, is_missing: false }, Mark { reached: 9, is_missing: true }] {
            mark.write(&file);
            assert_eq!(Mark::read(&file), mark);
        }
        std::fs::write(&file, "many\n").unwrap();
        assert_eq!(Mark::read(&file), Mark::default());
    }
}
