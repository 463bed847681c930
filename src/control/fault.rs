//! What can go wrong on the local socket.

use crate::base::fault::{Fault, Kind};
use std::io;
use std::path::PathBuf;

/// Why the socket could not be served or asked.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// Nobody listens there: no socket, or one left behind.
    #[error("nobody answers at {}", path.display())]
    Nobody {
        /// The socket.
        path: PathBuf,
    },
    /// Another process serves this socket.
    #[error("another process already serves {}", path.display())]
    Taken {
        /// The socket.
        path: PathBuf,
    },
    /// Something that is no socket stands in the way.
    #[error("{} is in the way: it is not a socket", path.display())]
    NoSocket {
        /// The path.
        path: PathBuf,
    },
    /// The operating system said no.
    #[error("cannot {doing} {}", path.display())]
    Io {
        /// "bind", "connect to" …
        doing: &'static str,
        /// The socket or its directory.
        path: PathBuf,
        /// What it said.
        #[source]
        cause: io::Error,
    },
    /// The two processes are of builds that do not understand each other.
    #[error("the other side speaks control protocol {theirs}, this build speaks {ours}")]
    Version {
        /// The other side's protocol version.
        theirs: u64,
        /// This build's.
        ours: u64,
    },
    /// The other side said no.
    #[error("{}", .0.said)]
    Refused(Fault),
    /// What came back is no answer.
    #[error("the process behind {} gave no proper answer", path.display())]
    Garbled {
        /// The socket.
        path: PathBuf,
    },
    /// The other side left before it answered.
    #[error("the process behind {} left before it answered", path.display())]
    Left {
        /// The socket.
        path: PathBuf,
    },
    /// No answer in time.
    #[error("the process behind {} did not answer within {seconds} s", path.display())]
    Silent {
        /// The socket.
        path: PathBuf,
        /// How long was waited, in seconds.
        seconds: u64,
    },
}

impl ControlError {
    /// Nobody holds the store, as far as this socket tells: one may open it.
    pub fn is_nobody(&self) -> bool {
        matches!(self, ControlError::Nobody { .. })
    }

    /// An error of the system about `path`.
    pub fn io(doing: &'static str, path: &std::path::Path, cause: io::Error) -> Self {
        ControlError::Io { doing, path: path.into(), cause }
    }
}

impl From<ControlError> for Fault {
    fn from(error: ControlError) -> Fault {
        let said = error.to_string();
        let (kind, hint) = match error {
            ControlError::Refused(fault) => return fault,
            ControlError::Nobody { .. } => (Kind::Unreachable, "start routeros-mcp serve"),
            ControlError::Taken { .. } => {
                (Kind::Conflict, "stop the other process, or give this one its own --data-dir and RUNTIME_DIRECTORY")
            }
            ControlError::NoSocket { .. } => (Kind::Config, "move it away, or set RUNTIME_DIRECTORY"),
            ControlError::Io { .. } => {
                (Kind::Unreachable, "check the runtime directory's owner and mode; members of group routeros-mcp may open MCP streams")
            }
            ControlError::Version { .. } => (Kind::Conflict, "restart the daemon, so that both run the same build"),
            ControlError::Garbled { .. } => (Kind::Conflict, "restart the daemon, so that both run the same build"),
            ControlError::Left { .. } => (Kind::UnknownOutcome, "if this was a change, read back before repeating it"),
            ControlError::Silent { .. } => (Kind::Unreachable, "look at the daemon's log"),
        };
        Fault::new(kind, said).hint(hint).cause(error)
    }
}
