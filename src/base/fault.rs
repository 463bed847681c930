//! Why something was not done, in words its sender may read.
//!
//! Each part has its own small error enum and turns it into a [`Fault`]; the edges (MCP, HTTP, CLI)
//! match on [`Kind`] alone.

use serde_json::{Map, Value};
use std::error::Error;
use std::io;
use std::sync::Arc;

/// What went wrong, as far as a caller has to tell cases apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Arguments are wrong; the caller can mend them.
    BadInput,
    /// No such device, menu, plan or row (or not the caller's).
    NotFound,
    /// No credentials, or bad ones.
    Unauthenticated,
    /// A known caller whose role, tier or limits say no.
    Denied,
    /// The state moved on, or something holds the lock.
    Conflict,
    /// The router did not answer in time.
    Unreachable,
    /// The router answered no; its words are in `said`.
    Rejected,
    /// The router refused our login, or our user's policy there.
    RouterDenied,
    /// A pin or host key differs from the one we trust.
    Untrusted,
    /// A write whose answer was lost.
    UnknownOutcome,
    /// A rate limit, a queue or a lane is full.
    Busy,
    /// The store or the audit trail cannot be written.
    Storage,
    /// The configuration is wrong; only at start.
    Config,
    /// Our own mistake.
    Bug,
}

impl Kind {
    /// The name used in answers: `unknown_outcome`.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::BadInput => "bad_input",
            Kind::NotFound => "not_found",
            Kind::Unauthenticated => "unauthenticated",
            Kind::Denied => "denied",
            Kind::Conflict => "conflict",
            Kind::Unreachable => "unreachable",
            Kind::Rejected => "rejected",
            Kind::RouterDenied => "router_denied",
            Kind::Untrusted => "untrusted",
            Kind::UnknownOutcome => "unknown_outcome",
            Kind::Busy => "busy",
            Kind::Storage => "storage",
            Kind::Config => "config",
            Kind::Bug => "bug",
        }
    }

    /// Whether the same call may succeed later without being changed. Never true for a lost write:
    /// that one has to be read back first.
    pub fn may_retry(self) -> bool {
        matches!(self, Kind::Conflict | Kind::Unreachable | Kind::Busy | Kind::Storage)
    }

    /// All kinds, for tables and tests.
    pub const ALL: [Kind; 14] = [
        Kind::BadInput,
        Kind::NotFound,
        Kind::Unauthenticated,
        Kind::Denied,
        Kind::Conflict,
        Kind::Unreachable,
        Kind::Rejected,
        Kind::RouterDenied,
        Kind::Untrusted,
        Kind::UnknownOutcome,
        Kind::Busy,
        Kind::Storage,
        Kind::Config,
        Kind::Bug,
    ];
}

/// Why a request was not served. Messages are lower case, without a full stop, and name the thing.
#[derive(Debug, thiserror::Error)]
#[error("{said}")]
pub struct Fault {
    /// What went wrong, for code.
    pub kind: Kind,
    /// What went wrong, for the sender.
    pub said: String,
    /// What the sender can do next, e.g. "approve the plan first".
    pub hint: Option<String>,
    /// Rows of a router that may have been meant, without secrets. Outsiders may have written what they say: it stands in no sentence.
    pub candidates: Vec<Map<String, Value>>,
    /// For the log only: may name hosts, files and library internals.
    #[source]
    pub cause: Option<Box<dyn Error + Send + Sync>>,
}

impl Fault {
    /// A fault without hint or cause.
    pub fn new(kind: Kind, said: impl Into<String>) -> Self {
        Fault { kind, said: said.into(), hint: None, candidates: Vec::new(), cause: None }
    }

    /// Wrong arguments.
    pub fn bad_input(said: impl Into<String>) -> Self {
        Fault::new(Kind::BadInput, said)
    }

    /// Nothing of that name.
    pub fn not_found(said: impl Into<String>) -> Self {
        Fault::new(Kind::NotFound, said)
    }

    /// Role, tier, limits or switches say no.
    pub fn denied(said: impl Into<String>) -> Self {
        Fault::new(Kind::Denied, said)
    }

    /// Our own mistake: the sender reads a neutral sentence, the log the cause.
    pub fn bug(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Fault::new(Kind::Bug, "internal error; the log has the details under this correlation id").cause(cause)
    }

    /// Adds what the sender can do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Whether a disk without room is at the bottom of it: it may go well as soon as somebody makes some.
    pub fn is_for_want_of_room(&self) -> bool {
        let mut next: Option<&(dyn Error + 'static)> = self.source();
        while let Some(error) = next {
            // Errors that are told to several callers share the system's word.
            let words = error.downcast_ref::<io::Error>().or_else(|| error.downcast_ref::<Arc<io::Error>>().map(Arc::as_ref));
            if words.is_some_and(|words| lacks_room(words.kind())) {
                return true;
            }
            next = error.source();
        }
        false
    }

    /// Adds rows that may have been meant.
    #[must_use]
    pub fn candidates(mut self, rows: Vec<Map<String, Value>>) -> Self {
        self.candidates = rows;
        self
    }

    /// Adds what the log should know.
    #[must_use]
    pub fn cause(mut self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// The message and its causes on one line, for the log.
    pub fn chain(&self) -> String {
        let mut line = self.said.clone();
        let mut next: Option<&(dyn Error + 'static)> = self.source();
        while let Some(cause) = next {
            line.push_str(": ");
            line.push_str(&cause.to_string());
            next = cause.source();
        }
        line
    }
}

/// Whether a disk, or what one may have of it, is full.
pub fn lacks_room(kind: io::ErrorKind) -> bool {
    matches!(kind, io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_equal_their_serialized_form() {
        for kind in Kind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
    }

    #[test]
    fn a_lost_write_is_never_retried_blindly() {
        assert!(!Kind::UnknownOutcome.may_retry());
    }

    #[test]
    fn the_chain_names_every_cause_and_the_message_none() {
        let fault = Fault::bug(std::io::Error::other("disk gone"));
        assert!(!fault.to_string().contains("disk"));
        assert!(fault.chain().ends_with("disk gone"));
    }
}
