//! The process on its operating system: where it keeps things, how it logs, and how it talks to its supervisor.

pub mod files;
pub mod log;
pub mod metrics;
pub mod notify;
pub mod outgoing;
pub mod paths;
pub mod signal;
pub mod sockets;
