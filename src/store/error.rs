//! What can go wrong with the store, and what its reader can do about it.

use crate::base::fault::{Fault, Kind, lacks_room};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Why the store did not do something. Cheap to clone: all callers of one failed commit get the same answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// Another process (or another [`Store`](crate::store::Store) of this one) has the file open.
    #[error("store {}: another process holds it", path.display())]
    Held {
        /// The store file.
        path: PathBuf,
    },
    /// The file was written by a newer build; nothing was changed.
    #[error("the store has schema {found}, written by version {written_by}; this build reads up to {known}{}", kept_words(kept.as_deref()))]
    Newer {
        /// The file's schema.
        found: u32,
        /// The newest schema this build knows.
        known: u32,
        /// The version that brought it there.
        written_by: String,
        /// The store as it was before that, where it is still here.
        kept: Option<PathBuf>,
    },
    /// A record cannot be carried over into a newer schema; the store is as it was.
    #[error("bringing the store to schema {to}: table {table}, record {key:?}: {why}; the store is as it was")]
    Step {
        /// The schema it should have had.
        to: u32,
        /// The record's table.
        table: &'static str,
        /// Its key.
        key: String,
        /// What is wrong with it.
        why: String,
    },
    /// One record was written by a newer build.
    #[error("table {table}: a record has version {found}, this build reads up to {known}")]
    NewerRecord {
        /// The table it stands in.
        table: &'static str,
        /// The record's version.
        found: u8,
        /// The newest version this build knows.
        known: u8,
    },
    /// The state directory is in RAM and would be gone after a reboot.
    #[error("{} is on {file_system}, which is lost at every reboot", path.display())]
    Volatile {
        /// The directory.
        path: PathBuf,
        /// `tmpfs` or `ramfs`.
        file_system: &'static str,
    },
    /// Bytes are not what we wrote.
    #[error("store damaged: {what}")]
    Damaged {
        /// What could not be read.
        what: String,
    },
    /// A batch expected another value; nothing of it was written.
    #[error("table {table}, key {key}: changed meanwhile")]
    Expectation {
        /// The table of the first expectation that failed.
        table: &'static str,
        /// Its key.
        key: String,
    },
    /// The disk said no. Nothing of the batch is acknowledged; what was stored before stays readable.
    #[error("store: {doing}")]
    Io {
        /// What we were doing: `committing`, `opening the file`.
        doing: &'static str,
        /// The operating system's word.
        #[source]
        source: Arc<io::Error>,
    },
    /// The file cannot be opened to be written.
    #[error("store {}: {source}", path.display())]
    Shut {
        /// The store file.
        path: PathBuf,
        /// The operating system's word.
        source: Arc<io::Error>,
    },
    /// The disk did not answer in time. The batch may or may not have been stored.
    #[error("store: the disk did not answer within {seconds} s")]
    Stalled {
        /// How long we waited.
        seconds: u64,
    },
    /// A batch is larger than [`MAX_BATCH_BYTES`](crate::store::MAX_BATCH_BYTES).
    #[error("a batch of {bytes} bytes is too large for the store")]
    TooLarge {
        /// Its keys and values together.
        bytes: usize,
    },
    /// The store was closed; the appliance is shutting down.
    #[error("the store is closed")]
    Closed,
    /// The master key is not the one the store's secrets were sealed with.
    #[error("the master key does not open this store's secrets")]
    WrongKey,
    /// The file with the master key cannot be used.
    #[error("master key {}: {why}", path.display())]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: &'static str,
    },
}

impl StoreError {
    /// Names the store of before, where it lies beside the one that is too new.
    pub(crate) fn with_kept(self, store: &Path) -> Self {
        match self {
            StoreError::Newer { found, known, written_by, .. } => {
                let kept = Some(crate::store::migrate::kept(store, known)).filter(|path| path.exists());
                StoreError::Newer { found, known, written_by, kept }
            }
            other => other,
        }
    }

    /// An error of the operating system.
    pub(crate) fn io(doing: &'static str, source: io::Error) -> Self {
        StoreError::Io { doing, source: Arc::new(source) }
    }

    /// Unreadable bytes.
    pub(crate) fn damaged(what: impl Into<String>) -> Self {
        StoreError::Damaged { what: what.into() }
    }

    /// Whether reopening the file may help.
    pub(crate) fn is_io(&self) -> bool {
        matches!(self, StoreError::Io { .. } | StoreError::Shut { .. })
    }

    /// Whether it goes well as soon as somebody makes room.
    pub(crate) fn is_for_want_of_room(&self) -> bool {
        matches!(self, StoreError::Io { source, .. } if lacks_room(source.kind()))
    }

    fn kind(&self) -> Kind {
        match self {
            StoreError::Held { .. } | StoreError::Expectation { .. } => Kind::Conflict,
            // "An older binary on a newer store exits 78": the wrong build is installed, the disk is fine.
            StoreError::Newer { .. } => Kind::Config,
            StoreError::TooLarge { .. } => Kind::BadInput,
            StoreError::NewerRecord { .. }
            | StoreError::Step { .. }
            | StoreError::Volatile { .. }
            | StoreError::Damaged { .. }
            | StoreError::Io { .. }
            | StoreError::Shut { .. }
            | StoreError::Stalled { .. }
            | StoreError::Closed
            | StoreError::WrongKey
            | StoreError::KeyFile { .. } => Kind::Storage,
        }
    }

    fn hint(&self) -> &'static str {
        match self {
            StoreError::Held { .. } => {
                "stop the other routeros-mcp, or reach it through its control socket: commands and `stdio` do that by themselves"
            }
            StoreError::Newer { .. } => {
                "install that version or a newer build; or go back to the store of before: `routeros-mcp update rollback` after an update, \
                 else put the kept file or a backup in its place (`routeros-mcp backup restore FILE`)"
            }
            StoreError::Step { .. } => "go back to the version before, which reads this store, and report the record",
            StoreError::NewerRecord { .. } => "install a newer build",
            StoreError::Volatile { .. } => {
                "move the state directory to a disk, or set `store.volatile = true` to run without keeping credentials"
            }
            StoreError::Damaged { .. } => "restore a backup: `routeros-mcp backup restore FILE` keeps the present state beside it",
            StoreError::Expectation { .. } => "read it again and repeat",
            StoreError::Shut { source, .. } if source.kind() == io::ErrorKind::ReadOnlyFilesystem => {
                "the file system is mounted read-only, as Linux does after errors of a disk (kernel log, `mount`): have it written again, \
                 then start anew"
            }
            StoreError::Shut { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                "the state directory and what is in it belong to the user the service runs as: look with `ls -l`, or name another by `--data-dir`"
            }
            StoreError::Io { source, .. } | StoreError::Shut { source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                "the disk is full: free some space; the store heals by itself, and until then no router is changed"
            }
            StoreError::Shut { .. } => "look at the disk (kernel log), then start anew",
            StoreError::Io { .. } | StoreError::Stalled { .. } => {
                "look at the disk (kernel log); the store heals by itself, and until then no router is changed"
            }
            StoreError::TooLarge { .. } => "store less at once",
            StoreError::Closed => "the appliance is shutting down; try again when it is back",
            StoreError::WrongKey => {
                "put the key that belongs to this store back (`master.key`, `encryption_key`), or start with an empty state directory"
            }
            StoreError::KeyFile { .. } => "the file holds 32 bytes in base64, belongs to the service and has mode 0600",
        }
    }
}

fn kept_words(kept: Option<&Path>) -> String {
    kept.map_or_else(String::new, |kept| format!(" (the store of before is {})", kept.display()))
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Fault::new(error.kind(), error.to_string()).hint(error.hint()).cause(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_named_in_the_hint_and_may_be_retried() {
        let fault = Fault::from(StoreError::io("committing", io::Error::from(io::ErrorKind::StorageFull)));
        assert_eq!(fault.kind, Kind::Storage);
        assert!(fault.kind.may_retry());
        assert!(fault.hint.as_deref().unwrap().contains("full"));
    }

    #[test]
    fn a_file_that_cannot_be_opened_is_named_with_the_way_out() {
        for (kind, way_out) in [(io::ErrorKind::ReadOnlyFilesystem, "mounted read-only"), (io::ErrorKind::PermissionDenied, "--data-dir")] {
            let shut = StoreError::Shut { path: "/srv/state/store.redb".into(), source: Arc::new(io::Error::from(kind)) };
            let fault = Fault::from(shut);
            assert!(fault.kind == Kind::Storage && fault.said.starts_with("store /srv/state/store.redb: "), "{}", fault.said);
            assert!(fault.hint.as_deref().unwrap().contains(way_out), "{:?}", fault.hint);
        }
    }

    #[test]
    fn a_damaged_store_names_the_command_that_brings_a_backup_back() {
        let fault = Fault::from(StoreError::damaged("a page"));
        assert!(fault.hint.as_deref().unwrap().contains("`routeros-mcp backup restore FILE`"));
    }

    #[test]
    fn exit_codes_follow_the_contract() {
        let kind = |e: StoreError| Fault::from(e).kind;
        assert_eq!(kind(StoreError::Held { path: "x".into() }), Kind::Conflict);
        assert_eq!(kind(StoreError::Newer { found: 2, known: 1, written_by: "2.0.0".into(), kept: None }), Kind::Config);
        assert_eq!(kind(StoreError::Volatile { path: "x".into(), file_system: "tmpfs" }), Kind::Storage);
        assert_eq!(kind(StoreError::WrongKey), Kind::Storage);
    }
}
