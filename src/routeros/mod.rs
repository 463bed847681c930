//! One router and nothing else: REST and SSH towards it, its value syntax, its certificate and host key, its packet flow.
//!
//! Knows nothing of fleets, roles or MCP. `export`, `flow`, `path`, `value`, `row`, `query`, `version` and `script` are pure.

pub mod answer;
pub mod command;
pub mod console;
pub mod export;
pub mod export_fetch;
pub mod fault;
pub mod flow;
pub mod net;
pub mod path;
pub mod pin;
pub mod query;
pub mod rest;
pub mod row;
pub mod script;
pub mod ssh;
pub mod tls;
pub mod value;
pub mod version;
mod wire;

pub use console::Console;
pub use fault::{Denial, RouterError, TlsTrouble};
pub use path::MenuPath;
pub use pin::{Roots, Trust};
pub use query::{Filter, Query};
pub use rest::{Endpoint, Rest, probe_is_routeros};
pub use row::{Row, rows};
pub use ssh::{HostKey, Ssh, probe_host_key};
pub use tls::{Presented, probe_tls};
pub use value::Kind;
pub use version::Version;
