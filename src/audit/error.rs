//! What can go wrong with the trail. Whoever cannot write it changes no router.

use crate::base::fault::{Fault, Kind};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// Why the trail was not written or not believed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AuditError {
    /// The chain does not hold from this record on.
    #[error("audit trail broken at record {seq}: {why}")]
    Broken {
        /// The first sequence number that is not as it was written.
        seq: u64,
        /// What is wrong with it.
        why: String,
    },
    /// A record was written by a newer build.
    #[error("audit record {seq} has version {found}, this build reads up to {known}")]
    NewerRecord {
        /// The record.
        seq: u64,
        /// Its version.
        found: u8,
        /// The newest version this build knows.
        known: u8,
    },
    /// The disk said no; the record is not in the trail.
    #[error("audit trail: {doing}")]
    Io {
        /// What we were doing.
        doing: &'static str,
        /// The operating system's word.
        #[source]
        source: Arc<io::Error>,
    },
    /// The disk did not answer in time. The record may or may not be in the trail.
    #[error("audit trail: the disk did not answer within {seconds} s")]
    Stalled {
        /// How long we waited.
        seconds: u64,
    },
    /// Another process writes this trail.
    #[error("audit trail {}: another process writes it", path.display())]
    Held {
        /// Its directory.
        path: PathBuf,
    },
    /// The trail was closed; the appliance is shutting down.
    #[error("the audit trail is closed")]
    Closed,
    /// The key given for signing is not an ed25519 key in PKCS#8.
    #[error("the signing key is not an ed25519 key in PKCS#8")]
    Key,
}

impl AuditError {
    pub(crate) fn io(doing: &'static str) -> impl Fn(io::Error) -> AuditError {
        move |source| AuditError::Io { doing, source: Arc::new(source) }
    }

    pub(crate) fn broken(seq: u64, why: impl Into<String>) -> Self {
        AuditError::Broken { seq, why: why.into() }
    }

    fn kind(&self) -> Kind {
        match self {
            AuditError::Held { .. } => Kind::Conflict,
            AuditError::Key => Kind::Bug,
            AuditError::Broken { .. }
            | AuditError::NewerRecord { .. }
            | AuditError::Io { .. }
            | AuditError::Stalled { .. }
            | AuditError::Closed => Kind::Storage,
        }
    }

    fn hint(&self) -> &'static str {
        match self {
            AuditError::Broken { .. } => "keep a copy of the audit directory as evidence; records before this one are intact",
            AuditError::NewerRecord { .. } => "install a newer build",
            AuditError::Io { source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                "no audit, no change: the disk is full; free some space and try again"
            }
            AuditError::Io { .. } | AuditError::Stalled { .. } => {
                "no audit, no change: look at the disk (kernel log) and try again when it writes"
            }
            AuditError::Held { .. } => "stop the other routeros-mcp, or reach it through its control socket",
            AuditError::Closed => "the appliance is shutting down; try again when it is back",
            AuditError::Key => "make one with `audit::sign::generate_key`",
        }
    }
}

impl From<AuditError> for Fault {
    fn from(error: AuditError) -> Self {
        Fault::new(error.kind(), error.to_string()).hint(error.hint()).cause(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trail_that_cannot_be_written_is_a_storage_fault_and_says_no_change() {
        let fault = Fault::from(AuditError::io("writing")(io::Error::from(io::ErrorKind::StorageFull)));
        assert_eq!(fault.kind, Kind::Storage);
        assert!(fault.hint.unwrap().starts_with("no audit, no change"));
    }
}
