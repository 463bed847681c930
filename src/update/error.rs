//! Why an update is not taken.

use crate::base::fault::{Fault, Kind};
use crate::store::StoreError;
use std::path::Path;

/// Why an update is not taken. Every refusal comes before anything is switched.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError {
    /// What was offered is not what a key of ours vouches for, or not for us.
    #[error("the update is refused: {0}")]
    Refused(String),
    /// It is the version that runs, or an older one.
    #[error("it is version {offered}, and {runs} runs here")]
    NotNewer {
        /// What was offered.
        offered: String,
        /// What runs.
        runs: String,
    },
    /// It cannot be done now, or here.
    #[error("{said}")]
    NotNow {
        /// Why.
        said: String,
        /// What can be done.
        hint: String,
    },
    /// Asked for, and not seen to be done or refused.
    #[error("{said}")]
    Unknown {
        /// What is not known.
        said: String,
    },
    /// A file could not be read or written.
    #[error("{what}: {cause}")]
    Io {
        /// What was being done.
        what: String,
        /// What the system said.
        #[source]
        cause: std::io::Error,
    },
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl UpdateError {
    /// Why, without the words around it.
    pub fn why(&self) -> String {
        match self {
            UpdateError::Refused(why) => why.clone(),
            error => error.to_string(),
        }
    }

    /// A refusal, in these words.
    pub fn refused(why: impl Into<String>) -> UpdateError {
        UpdateError::Refused(why.into())
    }

    /// Not now, and what to do.
    pub fn not_now(said: impl Into<String>, hint: impl Into<String>) -> UpdateError {
        UpdateError::NotNow { said: said.into(), hint: hint.into() }
    }

    /// For `map_err`: what was being done with a file.
    pub fn io(what: &str, path: &Path) -> impl FnOnce(std::io::Error) -> UpdateError {
        let what = format!("{what} {}", path.display());
        move |cause| UpdateError::Io { what, cause }
    }
}

impl From<UpdateError> for Fault {
    fn from(error: UpdateError) -> Fault {
        match error {
            UpdateError::Refused(_) => {
                Fault::new(Kind::Rejected, error.to_string()).hint("nothing was switched; get the release again from where it is published")
            }
            UpdateError::NotNewer { .. } => {
                Fault::new(Kind::Conflict, error.to_string()).hint("there is nothing to do; `update rollback` goes back")
            }
            UpdateError::NotNow { said, hint } => Fault::new(Kind::Conflict, said).hint(hint),
            UpdateError::Unknown { said } => {
                Fault::new(Kind::UnknownOutcome, said).hint("`update status` tells it within a minute; do not ask again before")
            }
            UpdateError::Io { .. } => Fault::new(Kind::Storage, error.to_string()).hint("nothing was switched").cause(error),
            UpdateError::Store(error) => error.into(),
        }
    }
}
