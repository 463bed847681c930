//! What can go wrong with a backup, and what its owner can do about it.

use crate::base::fault::{Fault, Kind};
use crate::store::StoreError;
use std::io;
use std::path::PathBuf;

/// Why there is no backup, or no way into one.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// A recipient, identity or passphrase that is none.
    #[error("{0}")]
    Key(String),
    /// Neither recipients nor a passphrase.
    #[error("nobody is named who may open the backup")]
    Nobody,
    /// The key or passphrase does not open the file.
    #[error("this key or passphrase does not open the backup")]
    Shut,
    /// The file is not what was written.
    #[error("the backup is damaged: {0}")]
    Damaged(String),
    /// A newer build wrote it.
    #[error("the backup was made by version {by}, which this build does not read")]
    Newer {
        /// The version that wrote it.
        by: String,
    },
    /// A name that no backup here has.
    #[error("there is no backup \"{0}\"")]
    Unknown(String),
    /// Something of that name is there already.
    #[error("{} is there already", .0.display())]
    Exists(PathBuf),
    /// Its secrets are sealed under a key that is not here.
    #[error("the secrets in this backup are sealed under master key {wanted}, and {found}")]
    OtherKey {
        /// The key's id in the backup.
        wanted: String,
        /// What is here instead.
        found: String,
    },
    /// Some secrets in the store are sealed under one master key and some under another just now.
    #[error("the master key is being changed, and a backup of this moment would hold two")]
    Changing,
    /// The file that was named is not there, or not ours to read.
    #[error("{} cannot be read: {}", path.display(), source.kind())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The operating system's word.
        source: io::Error,
    },
    /// The disk.
    #[error("backup: {doing}")]
    Io {
        /// What we were doing.
        doing: &'static str,
        /// The operating system's word.
        #[source]
        source: io::Error,
    },
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl BackupError {
    pub(super) fn io(doing: &'static str) -> impl FnOnce(io::Error) -> BackupError {
        move |source| BackupError::Io { doing, source }
    }

    pub(super) fn damaged(what: impl Into<String>) -> BackupError {
        BackupError::Damaged(what.into())
    }
}

impl From<BackupError> for Fault {
    fn from(error: BackupError) -> Fault {
        let (kind, hint) = match &error {
            BackupError::Key(_) => {
                (Kind::BadInput, "recipients look like age1…, identities like AGE-SECRET-KEY-1…; `age-keygen` makes both")
            }
            BackupError::Nobody => (Kind::BadInput, "name a recipient or a passphrase, or set backup.recipients"),
            BackupError::Shut => (Kind::BadInput, "use the identity of one of its recipients, or the passphrase it was made with"),
            BackupError::Damaged(_) => (Kind::BadInput, "use another copy of it, or an older backup"),
            BackupError::Newer { .. } => (Kind::BadInput, "restore it with that version or a newer one"),
            BackupError::Unknown(_) => (Kind::NotFound, "`backup list` shows the names"),
            BackupError::Exists(_) => (Kind::Conflict, "choose another name; nothing is written over"),
            BackupError::OtherKey { .. } => (
                Kind::Conflict,
                "put that key in place (encryption_key or master.key), or restore with --without-secrets and enter secrets again",
            ),
            BackupError::Changing => (Kind::Conflict, "try again in a minute"),
            BackupError::Unreadable { .. } => {
                (Kind::BadInput, "name a backup that is there and that you may read; `backup list` shows those in backup.path")
            }
            BackupError::Io { .. } => (Kind::Storage, "see that there is room on the disk and that the directory can be written"),
            BackupError::Store(inner) => return Fault::from(inner.clone()),
        };
        Fault::new(kind, error.to_string()).hint(hint).cause(error)
    }
}
